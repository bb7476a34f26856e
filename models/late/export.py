"""The trained heads as ONNX graphs, and the tokens of every product by them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim

from catalog.media import MediaStore
from catalog.products import Product
from models.encoder_folder import PLACES, POOLED
from models.export_graphs import write_graph
from models.late.encoder import ABOUT, FORMAT, PICTURE_GRAPH, WORDS_GRAPH, Floats, LateEncoder
from models.late.heads import LateHeads, pooled_places
from models.late.max_sim import Codes, coded, scale_of
from models.late.params import LateParams
from models.late.tokens import ProductTokens
from models.late.words import words_of
from models.towers.tower import ImageTower

_PICTURES_AT_ONCE = 64


class WordsGraph(nn.Module):
    """Text vectors [T, D] -> [T, W]."""

    def __init__(self, heads: LateHeads) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, vectors: Tensor) -> Tensor:
        """See the class."""
        return self.heads.of_words(vectors)


class PictureGraph(nn.Module):
    """places [B, C, h, w], pooled [B, F] -> unit rows [B, J, W]."""

    def __init__(self, heads: LateHeads) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, places: Tensor, pooled: Tensor) -> Tensor:
        """See the class."""
        return self.heads.of_picture(pooled_places(places, self.heads.side), pooled)


def write_heads(heads: LateHeads, tower: ImageTower, encoder: str, folder: Path) -> None:
    """Write both graphs and late.json; `encoder` is the fingerprint of the one whose text vectors the words take."""
    folder.mkdir(parents=True, exist_ok=True)
    dim, width, size = heads.words.width, heads.words.dim, tower.preprocess.size
    example, batch = torch.zeros(2, dim), Dim("batch")
    write_graph(WordsGraph(heads), (example,), folder / WORDS_GRAPH, ["texts"], ({0: batch},))
    with torch.inference_mode():
        features = tower.early(torch.zeros(2, 3, size, size))
        seen = (tower.places(features), tower.late(features))
    write_graph(PictureGraph(heads), seen, folder / PICTURE_GRAPH, [PLACES, POOLED], ({0: batch}, {0: batch}))
    about = {"format": FORMAT, "encoder": encoder, "width": width}
    (folder / ABOUT).write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def product_tokens(
    products: Sequence[Product],
    media: MediaStore,
    late: LateEncoder,
    terms: Sequence[str],
    params: LateParams,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ProductTokens:
    """Tokens of `products`: of the first picture and of the title. Words of `terms` are kept too, for queries."""
    titles = [words_of(product.title, params.title_words) for product in products]
    said = [word for term in terms for word in words_of(term)]
    vocabulary = sorted({word for title in titles for word in title} | {*said})
    row = {word: number for number, word in enumerate(vocabulary)}
    shown = [number for number, product in enumerate(products) if product.images]
    pictures = np.full(len(products), -1, dtype=np.int64)
    pictures[shown] = np.arange(len(shown))
    places, scale = _places([products[number].images[0] for number in shown], media, late, params, progress)
    return ProductTokens(
        ids=[product.id for product in products],
        pictures=pictures,
        counts=np.array([len(title) for title in titles], dtype=np.int64),
        places=places,
        scale=scale,
        vocabulary=vocabulary,
        words=late.words(vocabulary),
        titles=np.array([row[word] for title in titles for word in title], dtype=np.int32),
    )


def _places(
    keys: Sequence[str],
    media: MediaStore,
    late: LateEncoder,
    params: LateParams,
    progress: Callable[[int, int], None],
) -> tuple[Codes, Floats]:
    """int8 [P, J, W] and its scale [W], fitted to all of them; until then they are held as float16."""
    vectors = np.zeros((len(keys), params.side**2 + 1, params.width), dtype=np.float16)
    largest = np.zeros(params.width, dtype=np.float32)
    for start in range(0, len(keys), _PICTURES_AT_ONCE):
        part = list(keys[start : start + _PICTURES_AT_ONCE])
        files = [data for found in media.iterate(part, len(part)) for _, data in found]
        for number, data in enumerate(files, start=start):
            vectors[number] = late.photo(data)
        largest = np.maximum(largest, np.abs(vectors[start : start + len(part)]).max(axis=(0, 1)))
        progress(start + len(part), len(keys))
    scale = scale_of(largest)
    codes = np.zeros(vectors.shape, dtype=np.int8)
    for number, picture in enumerate(vectors):
        codes[number] = coded(picture.astype(np.float32), scale)
    return codes, scale
