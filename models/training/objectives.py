"""What training descends: objectives that read a batch's vectors and give a loss each; their sum is the loss.

    objectives = build_objectives(Given(params, model, products))
    total, parts = total_of(objectives, encoded)

A new one is a class in a file of its own, named in OBJECTIVES.
"""

from collections.abc import Mapping
from functools import partial
from typing import Self

from torch import Tensor, nn

from models.dual_encoder import DualEncoder
from models.training.attributes import Attributes
from models.training.consistency import Consistency
from models.training.distillation import Distillation
from models.training.encoded import Encoded
from models.training.losses import LOSSES, Pairing, total_loss
from models.training.objective import Given, Objective, Value
from models.training.params import TrainParams


class Matching(Objective):
    """Texts find pictures and fused products: the weighted mean of `train.loss` over the pairs of `train.weights`."""

    def __init__(self, params: TrainParams) -> None:
        super().__init__()
        self.loss = LOSSES[params.loss](params.margin)

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """Always there."""
        return cls(given.params)

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        e, weights = encoded, encoded.weights
        pairings = [
            Pairing("title_image", e.titles, e.pictures, e.title_true[:, e.shown], weights.title_image),
            Pairing("phrase_image", e.phrases, e.pictures, e.phrase_true[:, e.shown], weights.phrase_image),
            Pairing("title_product", e.titles, e.products, e.title_true, weights.title_product),
            Pairing("phrase_product", e.phrases, e.products, e.phrase_true, weights.phrase_product),
            Pairing("query_image", e.queries, e.pictures, e.query_true[:, e.shown], weights.query_image),
            Pairing("query_product", e.queries, e.products, e.query_true, weights.query_product),
            Pairing("photo_photo", e.second_views, e.pictures, e.same_picture, weights.photo_photo),
        ]
        return Value(*total_loss(pairings, e.logit_scale, self.loss))


class SelfSupervised(Objective):
    """What a warm-up learns, without labels: two views of a picture find each other among the batch's pictures
    (SimCLR, Chen et al. 2020), a text with words left out finds the whole (as SimCSE, Gao et al. 2021, finds a text by
    itself under other dropout), each by `train.loss`, with equal weight."""

    labelled = False

    def __init__(self, params: TrainParams) -> None:
        super().__init__()
        self.loss = LOSSES[params.loss](params.margin)

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """With `train.warmup_epochs`."""
        return cls(given.params) if given.params.warmup_epochs else None

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        e = encoded
        pairings = [
            Pairing("photo_photo", e.second_views, e.pictures, e.same_picture, 1.0),
            Pairing("text_text", e.masked, e.words[e.has_words], e.masked_true[:, e.has_words], 1.0),
        ]
        return Value(*total_loss(pairings, e.logit_scale, self.loss))


class Matryoshka(Objective):
    """Matching again for every shorter prefix of the vectors (Kusupati et al. 2022, with equal weights)."""

    def __init__(self, params: TrainParams, model: DualEncoder) -> None:
        super().__init__()
        self.widths = model.params.matryoshka[:-1]  # the last is the whole vector, which Matching sees to
        self.matchings = nn.ModuleList(Matching(params) for _ in self.widths)
        self._cut = partial(Encoded.cut, model=model)  # a model that is an attribute would be saved as a part of this

    @classmethod
    def build(cls, given: Given) -> Self | None:
        """With `model.matryoshka`."""
        return cls(given.params, given.model) if given.model.params.matryoshka else None

    def forward(self, encoded: Encoded) -> Value:
        """See Objective."""
        total, parts = encoded.logit_scale * 0.0, {}
        for width, matching in zip(self.widths, self.matchings, strict=True):
            value = matching(self._cut(encoded, width=width))
            total = total + value.loss
            parts.update({f"{name}_{width}": part for name, part in value.parts.items()})
        return Value(total, parts)


def build_objectives(given: Given) -> nn.ModuleDict:
    """The objectives that the params ask for, on the model's device, in the order of OBJECTIVES."""
    built = {name: kind.build(given) for name, kind in OBJECTIVES.items()}
    return nn.ModuleDict({name: one for name, one in built.items() if one is not None}).to(given.model.device)


def total_of(objectives: nn.ModuleDict, encoded: Encoded) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of the objectives that are for such a batch, and every part by name."""
    chosen = [objective for objective in objectives.values() if objective.labelled == encoded.batch.labelled]
    first, *others = [objective(encoded) for objective in chosen]
    total, parts = first.loss, dict(first.parts)
    for value in others:
        total = total + value.loss
        parts.update(value.parts)
    return total, parts


OBJECTIVES: Mapping[str, type[Objective]] = {
    "matching": Matching,
    "matryoshka": Matryoshka,
    "distillation": Distillation,
    "consistency": Consistency,
    "attributes": Attributes,
    "self_supervised": SelfSupervised,
}
