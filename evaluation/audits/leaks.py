"""Could the encoder have seen the answers? Products of different splits that are the same to the eye or by name.

Four detectors: the same picture byte for byte, pictures alike by perceptual hash, pictures alike by the embeddings
under test, and the same title. A held-out product with such a twin in training (or in ranking, which a ranker learns
from, or in validation, which chooses the epoch and the weights) is touched. Variants that the product groups already
keep together are in one split and are no leak. evaluation.audits.leakage tells what the leaks do to the scores.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from catalog.media import MediaStore
from catalog.pictures.perceptual_hash import BITS, Hashes, picture_hash
from catalog.products import Product, Split
from catalog.words.tokens import normalise
from evaluation.audits.near_duplicates import (
    Closeness,
    by_cosine,
    by_hash,
    limit,
    nearest,
    pairs_above,
)
from evaluation.results import SAME, Leak, LeakDetector
from models.embeddings import ProductEmbeddings

LEAKS_FILE = "leaks.parquet"

HELD: Mapping[Split, tuple[Split, ...]] = {
    "test": ("train", "ranking", "validation"),
    "validation": ("train", "ranking"),
    "ranking": ("train",),
}

_BATCH = 64
Splits = Mapping[Split, Sequence[Product]]
Row = tuple[Product, Split]
Compare = Callable[[Sequence[Row], Sequence[Row]], tuple[Sequence[Row], Sequence[Row], Closeness]]


@dataclass(frozen=True)
class Leaks:
    """`pairs`: each held-out product with its nearest twin, by detector; `touched`: ids of the test products in one."""

    detectors: tuple[LeakDetector, ...]
    pairs: tuple[Leak, ...]
    touched: frozenset[str]

    def table(self) -> pl.DataFrame:
        """All pairs, for LEAKS_FILE."""
        return pl.DataFrame([pair.model_dump() for pair in self.pairs], schema=list(Leak.model_fields))


def hash_pictures(products: Iterable[Product], media: MediaStore) -> dict[str, Hashes]:
    """Media id -> perceptual hash of every picture of `products`."""
    ids = list(dict.fromkeys(media_id for product in products for media_id in product.images))
    return {media_id: picture_hash(data) for batch in media.iterate(ids, _BATCH) for media_id, data in batch}


def find_leaks(splits: Splits, hashes: Mapping[str, Hashes], embeddings: ProductEmbeddings, rate: float) -> Leaks:
    """All detectors over `splits`. `rate`: how many of the held-out pictures may be closer than the limit to a picture
    of another category, which is surely another product (see near_duplicates.limit)."""
    found = [
        _exact("same picture", splits, lambda product: product.images),
        _near("perceptual hash", f"of {BITS} bits differ", splits, _hash_rows(hashes), rate, sign=-1.0),
        _near("embedding", "cosine", splits, _embedding_rows(embeddings), rate, sign=1.0),
        _exact("same title", splits, lambda product: [normalise(product.title)] if product.title.strip() else []),
    ]
    pairs = tuple(pair for _, own in found for pair in own)
    touched = frozenset(pair.product for pair in pairs if pair.split == "test")
    return Leaks(tuple(detector for detector, _ in found), pairs, touched)


def _exact(name: str, splits: Splits, keys: Callable[[Product], Iterable[str]]) -> tuple[LeakDetector, list[Leak]]:
    pairs, count = [], 0
    for split, others in HELD.items():
        owners: dict[str, list[Row]] = {}
        for product, other_split in _rows(splits, others):
            for key in keys(product):
                owners.setdefault(key, []).append((product, other_split))
        for product in splits[split]:
            twins = {other.id: (other, own) for key in keys(product) for other, own in owners.get(key, ())}
            count += len(twins)
            if twins:
                other, other_split = next(iter(twins.values()))
                pairs.append(_leak(name, product, split, other, other_split, 0.0))
    return _told(name, SAME, 0.0, count, pairs, splits), pairs


def _near(
    name: str, unit: str, splits: Splits, compare: Compare, rate: float, *, sign: float
) -> tuple[LeakDetector, list[Leak]]:
    """`sign` x closeness is the number that is told. The limit found on the test split counts for the others."""
    pairs: list[Leak] = []
    count, least = 0, None
    for split, others in HELD.items():
        ours, theirs, closeness = compare(_rows(splits, (split,)), _rows(splits, others))
        if not ours or not theirs:
            continue
        found = nearest(closeness, [_leaf(product) for product, _ in ours], [_leaf(product) for product, _ in theirs])
        if least is None:
            least = limit(found.of_another_category, rate)
        if least is None:
            continue
        count += pairs_above(closeness, len(ours), len(theirs), least)
        best: dict[str, Leak] = {}
        for at in np.argsort(-found.closeness, kind="stable"):
            if found.closeness[at] > least:
                (product, _), (other, other_split) = ours[at], theirs[int(found.row[at])]
                value = sign * float(found.closeness[at])
                best.setdefault(product.id, _leak(name, product, split, other, other_split, value))
        pairs.extend(best.values())
    return _told(name, unit, None if least is None else sign * least, count, pairs, splits), pairs


def _hash_rows(hashes: Mapping[str, Hashes]) -> Compare:
    """One row per picture of each product."""

    def compare(ours: Sequence[Row], theirs: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row], Closeness]:
        sides = [[(row, media_id) for row in side for media_id in row[0].images] for side in (ours, theirs)]
        a, b = (np.array([hashes[media_id] for _, media_id in side], dtype=np.uint64) for side in sides)
        return [row for row, _ in sides[0]], [row for row, _ in sides[1]], by_hash(a, b)

    return compare


def _embedding_rows(embeddings: ProductEmbeddings) -> Compare:
    """One row per product that has an image vector."""
    at = {product_id: row for row, product_id in enumerate(embeddings.ids) if embeddings.has_image[row]}

    def compare(ours: Sequence[Row], theirs: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row], Closeness]:
        sides = [[row for row in side if row[0].id in at] for side in (ours, theirs)]
        a, b = (embeddings.image[[at[product.id] for product, _ in side]] for side in sides)
        return sides[0], sides[1], by_cosine(a, b)

    return compare


def _rows(splits: Splits, names: Iterable[Split]) -> list[Row]:
    return [(product, name) for name in names for product in splits[name]]


def _leaf(product: Product) -> str | None:
    return product.category[-1] if product.category else None


def _leak(name: str, product: Product, split: Split, other: Product, other_split: Split, value: float) -> Leak:
    return Leak(
        detector=name, product=product.id, split=split, other=other.id, other_split=other_split, value=round(value, 4)
    )


def _told(name: str, unit: str, least: float | None, count: int, pairs: Sequence[Leak], splits: Splits) -> LeakDetector:
    touched = {split: len({pair.product for pair in pairs if pair.split == split}) for split in HELD}
    return LeakDetector(
        detector=name,
        unit=unit,
        limit=least,
        pairs=count,
        test_products=touched["test"],
        validation_products=touched["validation"],
        test_share=touched["test"] / len(splits["test"]) if splits["test"] else 0.0,
    )
