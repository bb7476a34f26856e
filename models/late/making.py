"""From a trained dual encoder to token heads and product tokens in a folder. Torch; the stage is models.late.build."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from catalog.errors import InvalidSnapshot
from catalog.media import MediaStore
from catalog.products import Product
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products, read_terms
from catalog.words.terms import TermIndex
from catalog.workspace import CHECKPOINT
from models.dual_encoder import DualEncoder
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike, cores
from models.late.encoder import LateEncoder
from models.late.export import product_tokens, write_heads
from models.late.fitting import fit_heads
from models.late.folder import TOKENS
from models.late.params import LateParams
from models.late.training import LateData, Pictures, WordTable, asked_words
from models.progress import Display, Position, display, follow, summary
from models.training.features import FeatureStore
from models.training.params import TrainParams
from models.training.pictures import CachedPictures, fill_trunk, trained_trunk_folder

_AT_ONCE = 64


@dataclass(frozen=True)
class Trained:
    """A trained dual encoder in its two forms, the vectors that it gave the products, and where trunk features lie."""

    model: DualEncoder
    encoder: EncoderLike
    embeddings: ProductEmbeddings
    features: Path = CHECKPOINT


def make(trained: Trained, params: LateParams, split: SplitParams, train: TrainParams, folder: Path) -> dict[str, Any]:
    """Train the heads and write them, and every product's tokens, into `folder`. Returns the report.

    Raises InvalidSnapshot when no training product has a picture, InvalidParams when the towers know no places.
    """
    model, encoder, embeddings = trained.model, trained.encoder, trained.embeddings
    products, terms, media = read_products(), read_terms(), MediaStore()
    parts = split_products(products, split)
    if not any(product.images for product in parts["train"]):
        raise InvalidSnapshot("No training product has a picture: set late.enabled to false.")
    names = TermIndex(terms, products)
    asked = asked_words([*parts["train"], *parts["validation"]], names, train)
    vectors = encoder.encode_text(asked)
    words = WordTable(dict(zip(asked, vectors, strict=True)))
    torch.set_num_threads(cores())
    with display() as show:
        data, held_out = (
            LateData(parts[part], names, _pictures(parts[part], trained, media, show), words, train)
            for part in ("train", "validation")
        )
        at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
        near = embeddings.fused[[at[product.id] for product in parts["train"]]]
        heads, history = fit_heads(data, held_out, near, params, lambda row: show.say(summary(row)))
        write_heads(heads, model.image, encoder.fingerprint, folder)
        late = LateEncoder.load(folder, encoder)

        def told(done: int, total: int) -> None:
            show.show(Position("tokens of pictures", done, total, unit="pictures"))

        tokens = product_tokens(products, media, late, [term.term for term in terms], params, told)
    tokens.save(folder / TOKENS)
    return {
        "encoder": encoder.fingerprint,
        "products": len(products),
        "bytes_a_product": round(tokens.bytes_a_product, 1),
        "vocabulary": len(tokens.vocabulary),
        "history": history,
    }


def _pictures(products: Sequence[Product], trained: Trained, media: MediaStore, show: Display) -> Pictures:
    """First pictures through the frozen towers: trunk features from where training left them, pooled ones anew."""
    model = trained.model
    keys = [product.images[0] for product in products if product.images]
    of = np.full(len(products), -1, dtype=np.int64)
    of[[row for row, product in enumerate(products) if product.images]] = np.arange(len(keys))
    store = FeatureStore.open(trained_trunk_folder(model, trained.features))
    follow(show, "looking at pictures", fill_trunk(model, store, keys, media), len(store.missing(keys)), "pictures")
    trunk = CachedPictures(store)
    pooled: list[torch.Tensor] = []

    def pool() -> Iterator[int]:
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            with torch.inference_mode():
                pooled.append(model.image.tail(trunk.load(part, None).float()))
            yield len(part)

    follow(show, "pooling pictures", pool(), len(keys), "pictures")
    return Pictures(model.image, trunk, torch.cat(pooled).numpy() if pooled else np.zeros((0, 1), np.float32), keys, of)
