"""Asking the model, as it is now, for every training product, to see which others it takes for it.

Legend: N training products, Q queries, D width.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.dual_encoder import DualEncoder
from models.training.batches import Rows
from models.training.contents import Contents
from models.training.hard_negatives import Asked, mine
from models.training.pictures import Pictures
from models.training.texts import Texts

_CHUNK = 256


def mined(
    model: DualEncoder, contents: Contents, epoch: int, pictures: Pictures, texts: Texts, groups: Sequence[str]
) -> Rows:
    """The table of hard negatives for the titles and phrases of `epoch`; draws nothing at random."""
    said = contents.said.of_round(epoch)
    titled = np.array([row for row, one in enumerate(said) if one.title is not None], dtype=np.int64)
    phrases = [phrase for one in said for phrase in one.phrases]
    phrased = np.array([row for row, one in enumerate(said) for _ in one.phrases], dtype=np.int64)
    everything = np.arange(len(said))

    def true(part: slice) -> np.ndarray:
        titles, rest = titled[part], slice(max(0, part.start - len(titled)), max(0, part.stop - len(titled)))
        of_titles, of_phrases = contents.truth.of_titles, contents.truth.of_phrases
        return np.concatenate([of_titles(titles, everything), of_phrases(phrases[rest], everything)])

    lines = [said[row].title or "" for row in titled.tolist()] + [phrase.text for phrase in phrases]
    asked = Asked(_texts(model, lines, texts), np.concatenate([titled, phrased]), true)
    return mine(asked, _products(model, contents, epoch, pictures, texts), groups, contents.params.negative_margin)


def _texts(model: DualEncoder, lines: Sequence[str], texts: Texts) -> Tensor:
    """Unit rows [., D]."""
    parts = [lines[start : start + _CHUNK] for start in range(0, len(lines), _CHUNK)]
    return torch.cat([model.text.project(texts.pooled(model, part)).float() for part in parts])


def _products(model: DualEncoder, contents: Contents, epoch: int, pictures: Pictures, texts: Texts) -> Tensor:
    """[N, D]: halfway between a product's picture and its fused vector, for it is looked for by both."""
    words = [one.product for one in contents.said.of_round(epoch)]
    images = [product.images[0] if product.images else None for product in contents.products]
    parts = []
    for start in range(0, len(words), _CHUNK):
        said, shown = words[start : start + _CHUNK], images[start : start + _CHUNK]
        has_text = torch.tensor([bool(text) for text in said], device=model.device)
        has_image = torch.tensor([image is not None for image in shown], device=model.device)
        text = torch.zeros(len(said), model.dim, device=model.device)
        image = torch.zeros_like(text)
        if has_text.any():
            text[has_text] = _texts(model, [line for line in said if line], texts)
        if has_image.any():
            loaded = pictures.load([key for key in shown if key is not None], None).to(model.device)
            image[has_image] = pictures.encode(model, loaded).float()
        parts.append(F.normalize(model.fuse(text, image, has_text, has_image).float() + image, dim=1))
    return torch.cat(parts)
