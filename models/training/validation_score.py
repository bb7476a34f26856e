"""The validation score of an epoch: do titles find their pictures, do attribute phrases find products that fit.

Legend: N validation products, Q queries, D width.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from catalog.products import Product
from catalog.words.phrases import Phrase, attribute_phrases
from catalog.words.terms import TermIndex
from catalog.words.text import product_text
from models.dual_encoder import DualEncoder
from models.training.pairs import TruthTable
from models.training.params import TrainParams
from models.training.pictures import Pictures
from models.training.ranking_scores import ndcg_at, recall_at
from models.training.teacher import Teacher
from models.training.texts import Texts

K = 10
CHUNK = 64


class Validation:
    """The same products and queries every epoch.

    Titles are looked up among the first pictures, phrases (in training templates: those of judgements stay unseen)
    among the fused products, whose words leave the attributes out: reading them off would be no search.
    """

    def __init__(self, products: Sequence[Product], terms: TermIndex, params: TrainParams) -> None:
        products = products[: params.validation_products]
        self.titles = [product.title for product in products]
        self.texts = [product_text(product, attributes=False) for product in products]
        self.pictures = [product.images[0] if product.images else None for product in products]
        self.phrases: dict[str, list[Phrase]] = {}
        for language in params.languages:
            drawn = [
                attribute_phrases(p.facets(), terms, language, random.Random(f"validation/{p.id}")) for p in products
            ]
            self.phrases[language] = [phrase for phrase in drawn if phrase is not None]
        everything = np.arange(len(products))
        truth = TruthTable(products, terms, params.languages)
        self._titled = np.array([row for row, title in enumerate(self.titles) if title.strip()], dtype=np.int64)
        self._shown = np.array([row for row, media in enumerate(self.pictures) if media is not None], dtype=np.int64)
        self._title_truth = torch.from_numpy(truth.of_titles(self._titled, self._shown))
        self._phrase_truth = {
            language: torch.from_numpy(truth.of_phrases(phrases, everything))
            for language, phrases in self.phrases.items()
        }

    def all_texts(self) -> Iterator[str]:
        """Every text that `score` encodes."""
        yield from self.titles
        yield from self.texts
        for phrases in self.phrases.values():
            yield from (phrase.text for phrase in phrases)

    def score(
        self, model: DualEncoder, pictures: Pictures, texts: Texts, teacher: Teacher | None = None
    ) -> dict[str, float]:
        """`score`: the mean of the title recall and of the phrases' nDCG; and each by itself. {} without queries.

        A `teacher` reads the words of products; `model.text` then reads queries alone.
        """
        if not self.texts:
            return {}

        def encode(lines: Sequence[str]) -> Tensor:
            return model.text.project(texts.pooled(model, lines))

        product_texts = teacher.vectors(self.texts) if teacher else encode(self.texts)  # [N, D]
        images = torch.zeros_like(product_texts)
        for start in range(0, len(self._shown), CHUNK):
            rows = self._shown[start : start + CHUNK]
            loaded = pictures.load([self.pictures[row] or "" for row in rows], None).to(model.device)
            images[torch.from_numpy(rows)] = pictures.encode(model, loaded).to(images.dtype)
        has_text = torch.tensor([bool(text) for text in self.texts], device=model.device)
        has_image = torch.tensor([media is not None for media in self.pictures], device=model.device)
        products = model.fuse(product_texts, images, has_text, has_image)

        found: dict[str, float] = {}
        if self._title_truth.any():
            titles = encode([self.titles[row] for row in self._titled])
            scores = titles @ images[torch.from_numpy(self._shown)].T
            found[f"title_image_recall@{K}"] = recall_at(scores, self._title_truth.to(model.device), K)
        for language, phrases in self.phrases.items():
            if phrases:
                scores = encode([phrase.text for phrase in phrases]) @ products.T
                found[f"phrase_ndcg@{K}_{language}"] = ndcg_at(scores, self._phrase_truth[language].to(model.device), K)
        return {"score": combined(found), **found} if found else {}


def combined(found: dict[str, float]) -> float:
    """Mean of the title recall and of the mean over languages of the phrases' nDCG, of those that are there.

    >>> combined({"title_image_recall@10": 0.5, "phrase_ndcg@10_en": 0.7, "phrase_ndcg@10_zh": 0.9})
    0.65
    """
    recalls = [value for name, value in found.items() if "recall" in name]
    gains = [value for name, value in found.items() if "ndcg" in name]
    means = [sum(values) / len(values) for values in (recalls, gains) if values]
    return sum(means) / len(means)
