"""Which split a product group belongs to: by hash, so it never changes when the catalogue grows."""

import hashlib
from collections.abc import Iterable

from pydantic import Field, model_validator

from catalog.digests import digest_of
from catalog.params import Section
from catalog.products import Product, Split


class SplitParams(Section):
    """Section `split` of params.yaml: shares of product groups; what is left is for training.

    The encoder trains on `train` and stops by `validation`, which chooses weights and settings too. A ranker trains on
    `ranking`, whose products the encoder has not seen: on its own training products it looks surer than it is. `test`
    is for measuring alone.
    """

    seed: int = 7
    validation: float = Field(0.08, ge=0.0, lt=1.0)
    test: float = Field(0.105, ge=0.0, lt=1.0)
    ranking: float = Field(0.06, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitParams":
        held_out = self.validation + self.test + self.ranking
        if held_out >= 1.0:
            raise ValueError(f"validation + test + ranking is {held_out:g}, which leaves nothing to train on")
        return self


def split_of(group_id: str, params: SplitParams) -> Split:
    """Split of a product group: u = sha256("seed:group") as a number in [0, 1).

    Test below `test`, then validation, then ranking: a share can grow or shrink without moving the splits before it.
    """
    digest = hashlib.sha256(f"{params.seed}:{group_id}".encode()).digest()
    u = int.from_bytes(digest[:8], "big") / 2**64
    if u < params.test:
        return "test"
    if u < params.test + params.validation:
        return "validation"
    return "ranking" if u < params.test + params.validation + params.ranking else "train"


def digest_of_products(products: Iterable[Product]) -> str:
    """Names a set of products by their ids, in whatever order: which of them a split holds, or a model has seen."""
    return digest_of(sorted(product.id for product in products))


def split_products(products: Iterable[Product], params: SplitParams) -> dict[Split, list[Product]]:
    """Products by split, each in its order; all four splits are keys."""
    splits: dict[Split, list[Product]] = {"train": [], "ranking": [], "validation": [], "test": []}
    for product in products:
        splits[split_of(product.group_id, params)].append(product)
    return splits
