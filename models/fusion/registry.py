"""Which class each `model.fusion` names."""

from collections.abc import Callable, Mapping

from models.fusion.fusion import Fusion
from models.fusion.mixing import AttentionFusion, ConcatFusion, ProductFusion
from models.fusion.weighing import GatedFusion, LearnedFusion, MeanFusion, SumFusion
from models.params import FusionName

FUSIONS: Mapping[FusionName, Callable[[int, int], Fusion]] = {
    "mean": MeanFusion,
    "sum": SumFusion,
    "learned": LearnedFusion,
    "gated": GatedFusion,
    "concat": ConcatFusion,
    "product": ProductFusion,
    "attention": AttentionFusion,
}
