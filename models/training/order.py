"""Who learns when: `train.order`.

joint: towers and fusion learn together, all pairs at once.
sequential: the towers learn first, from the pairs of texts and pictures; then they rest, and the fusion alone learns,
from the pairs with products, for the last `train.fusion_share` of the epochs. The learning rate starts anew with it.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from catalog.errors import InvalidParams
from models.params import NOTHING_TO_LEARN, ModelParams
from models.training.params import OrderName, PairWeights, TrainParams


@dataclass(frozen=True)
class Phase:
    """Epochs from `first` (counted from 0) to the next phase, and the settings that hold in them."""

    first: int
    params: TrainParams
    labelled: bool = True  # whether titles, phrases and queries are asked; else each modality learns by itself
    towers_learn: bool = True
    fusion_learns: bool = True


def phases_of(params: TrainParams) -> tuple[Phase, ...]:
    """The phases of a training, one after the other: the self-supervised warm-up, if any, and those of the order."""
    ordered = ORDERS[params.order](params)
    if params.warmup_epochs == 0:
        return ordered
    later = (replace(phase, first=phase.first + params.warmup_epochs) for phase in ordered)
    return (Phase(0, params, labelled=False, fusion_learns=False), *later)


def phase_at(phases: Sequence[Phase], epoch: int) -> Phase:
    """The phase that `epoch` belongs to."""
    return next(phase for phase in reversed(phases) if phase.first <= epoch)


def tower_epochs(params: TrainParams) -> int:
    """How many epochs pass until the towers rest, or all are over."""
    resting = [phase.first for phase in phases_of(params) if not phase.towers_learn]
    return min([all_epochs(params), *resting])


def all_epochs(params: TrainParams) -> int:
    """How many epochs there are, those of the warm-up too."""
    return params.warmup_epochs + params.epochs


def check_order(model: ModelParams, params: TrainParams) -> None:
    """Raise InvalidParams, with one sentence, when this model cannot be trained in this order."""
    if params.teacher is not None:
        _check_taught(params)
    if params.order == "joint":
        return
    if model.fusion in NOTHING_TO_LEARN:
        raise InvalidParams(f"train.order: sequential ends with the fusion, and {model.fusion} has nothing to learn.")
    if model.space == "independent":
        raise InvalidParams(
            "train.order: sequential teaches towers by pairs of texts and pictures alone, and with model.space: "
            "independent the part of the words learns only from pairs with products."
        )
    if params.epochs < 2:
        raise InvalidParams("train.order: sequential needs two epochs or more: the towers', then the fusion's.")
    to_pictures, to_products = (phase.params.weights for phase in _sequential(params))
    if not all(any(weights.model_dump().values()) for weights in (to_pictures, to_products)):
        raise InvalidParams("train.order: sequential needs weights for a pair with pictures and for one with products.")


def _check_taught(params: TrainParams) -> None:
    """With a teacher the query tower alone learns."""
    others = {
        "order: sequential": params.order == "sequential",
        "warmup_epochs": params.warmup_epochs,
        "hard_negatives": params.hard_negatives,
    }
    for name, asked in others.items():
        if asked:
            raise InvalidParams(f"train.{name} is about what makes the products, and train.teacher leaves that alone.")


def _joint(params: TrainParams) -> tuple[Phase, ...]:
    return (Phase(0, params),)


def _sequential(params: TrainParams) -> tuple[Phase, ...]:
    last = min(params.epochs - 1, max(1, round(params.epochs * params.fusion_share)))
    with_products = {name for name in PairWeights.model_fields if name.endswith("_product")}
    others = PairWeights.model_fields.keys() - with_products
    first = params.model_copy(update={"weights": _without(params.weights, with_products)})
    then = params.model_copy(update={"weights": _without(params.weights, others), "text_noise": 0.0})
    return (
        Phase(0, first, fusion_learns=False),
        Phase(params.epochs - last, then, towers_learn=False),
    )


def _without(weights: PairWeights, names: Set[str]) -> PairWeights:
    return weights.model_copy(update=dict.fromkeys(names, 0.0))


ORDERS: Mapping[OrderName, Callable[[TrainParams], tuple[Phase, ...]]] = {"joint": _joint, "sequential": _sequential}
