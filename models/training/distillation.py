"""A small query tower learns from a large one to ask for the same products: `train.teacher`.

Legend: T texts, N products and pictures of a batch, D width.
"""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from models.training.encoded import Encoded
from models.training.objective import Given, Objective, Value


class Distillation(Objective):
    """Two ways in which a query should be its teacher's, added up:

    its vector is the teacher's, 1 - cosine; and its similarities to what the batch holds are the teacher's,
    KL(softmax(scale * t @ P.T) || softmax(scale * s @ P.T)), as for soft targets (Hinton et al. 2015; between dual
    encoders: Izacard and Grave 2021). The scale is the temperature the teacher was trained with.
    """

    scale: Tensor

    def __init__(self, weight: float, scale: Tensor) -> None:
        super().__init__()
        self.weight = weight
        self.register_buffer("scale", scale.detach().clone())

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """With `train.teacher`, whose temperature the model begins with."""
        return cls(given.params.distil_weight, given.model.logit_scale.exp()) if given.params.teacher else None

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        students = torch.cat([encoded.titles, encoded.phrases, encoded.queries])
        if not len(students):
            return Value(encoded.logit_scale * 0.0, {})
        things = torch.cat([encoded.products, encoded.pictures])
        parts = distances(students, encoded.taught, things, self.scale)
        total = parts["distil_vectors"] + parts["distil_rows"]
        return Value(self.weight * total, {name: part.detach() for name, part in parts.items()})


def distances(students: Tensor, teachers: Tensor, things: Tensor, scale: Tensor) -> Mapping[str, Tensor]:
    """How far queries [T, D] are from the teacher's [T, D], by themselves and as seen from products [N, D]."""
    with torch.autocast(device_type=students.device.type, enabled=False):
        students, teachers, things = students.float(), teachers.float(), things.float()
        apart = (1 - (students * teachers).sum(dim=1)).mean()
        theirs = F.log_softmax(scale.float() * teachers @ things.T, dim=1)
        ours = F.log_softmax(scale.float() * students @ things.T, dim=1)
        return {"distil_vectors": apart, "distil_rows": F.kl_div(ours, theirs, log_target=True, reduction="batchmean")}
