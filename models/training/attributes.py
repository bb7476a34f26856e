"""Attribute heads: the vectors of a product say its category, colour and other facets to a linear map.

The heads train with the model and are left behind: what they teach stays in the vectors.
Legend: B products, F facet fields, C values of all fields together, D width.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catalog.products import Product
from models.training.encoded import Encoded
from models.training.objective import Given, Objective, Value

NO_LABEL = -1


class Attributes(Objective):
    """Cross-entropy of each field's values given a product's picture, its words and its fused vector: the mean over
    the products that have the field, then over the fields, then over the three. Each has a head of its own."""

    labels: Tensor

    def __init__(self, labels: Tensor, sizes: Sequence[int], dim: int, weight: float) -> None:
        """`labels` [N, F] for all training products, NO_LABEL where unknown; `sizes` F: values of each field."""
        super().__init__()
        self.weight, self.sizes, self.scale = weight, list(sizes), dim**0.5
        self.register_buffer("labels", labels, persistent=False)
        self.heads = nn.ModuleDict({side: nn.Linear(dim, sum(sizes)) for side in ("image", "text", "product")})

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """See Objective."""
        params = given.params
        if not params.attribute_weight:
            return None
        values = facet_values(given.products, params.attribute_support)
        labels = [
            [names.index(value) if (value := product.facets().get(field)) in names else NO_LABEL
             for field, names in values.items()]
            for product in given.products
        ]  # fmt: skip
        sizes = [len(names) for names in values.values()]
        return cls(torch.tensor(labels), sizes, given.model.dim, params.attribute_weight)

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        labels = self.labels[encoded.batch.rows.to(self.labels.device)]  # [B, F]
        fused = encoded.products.abs().sum(dim=1) > 0
        sides = {
            "image": (encoded.pictures, labels[encoded.shown]),
            "text": (encoded.words[encoded.has_words], labels[encoded.has_words]),
            "product": (encoded.products[fused], labels[fused]),
        }
        losses = {}
        for side, (vectors, known) in sides.items():
            with torch.autocast(device_type=vectors.device.type, enabled=False):
                loss = self._mean(self.heads[side](vectors.float() * self.scale), known)  # to unit variance
            if loss is not None:
                losses[f"attributes_{side}"] = loss
        if not losses:
            return Value(encoded.logit_scale.float() * 0.0, {})
        value = torch.stack(list(losses.values())).mean()
        return Value(self.weight * value, {name: loss.detach() for name, loss in losses.items()})

    def _mean(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """[B, C], [B, F] -> the mean over fields with a known value; None when no field has one."""
        losses = [
            F.cross_entropy(part, labels[:, field], ignore_index=NO_LABEL)
            for field, part in enumerate(torch.split(logits, self.sizes, dim=1))
            if (labels[:, field] != NO_LABEL).any()
        ]
        return torch.stack(losses).mean() if losses else None


def facet_values(products: Sequence[Product], support: int) -> dict[str, list[str]]:
    """Fields with at least two values that `support` products have; those values, sorted."""
    counts = Counter(facet for product in products for facet in product.facets().items())
    found: dict[str, list[str]] = {}
    for (field, value), count in sorted(counts.items()):
        if count >= support:
            found.setdefault(field, []).append(value)
    return {field: values for field, values in found.items() if len(values) > 1}
