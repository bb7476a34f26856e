"""Which split a product group belongs to: by hash, so it never changes when the catalogue grows."""

import hashlib
from collections.abc import Iterable

from pydantic import Field, model_validator

from catalog.params import Section
from catalog.products import Product, Split


class SplitParams(Section):
    """Section `split` of params.yaml: shares of product groups; what is left is for training."""

    seed: int = 7
    validation: float = Field(0.08, ge=0.0, lt=1.0)
    test: float = Field(0.105, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitParams":
        if self.validation + self.test >= 1.0:
            raise ValueError(f"validation + test is {self.validation + self.test:g}, which leaves nothing to train on")
        return self


def split_of(group_id: str, params: SplitParams) -> Split:
    """Split of a product group: u = sha256("seed:group") as a number in [0, 1); test below `test`, then validation."""
    digest = hashlib.sha256(f"{params.seed}:{group_id}".encode()).digest()
    u = int.from_bytes(digest[:8], "big") / 2**64
    if u < params.test:
        return "test"
    return "validation" if u < params.test + params.validation else "train"


def split_products(products: Iterable[Product], params: SplitParams) -> dict[Split, list[Product]]:
    """Products by split, each in its order; all three splits are keys."""
    splits: dict[Split, list[Product]] = {"train": [], "validation": [], "test": []}
    for product in products:
        splits[split_of(product.group_id, params)].append(product)
    return splits
