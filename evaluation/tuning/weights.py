"""The search for ranking weights: uphill from a start, one shift at a time. Pure: it only calls what it maximises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations

Weights = Mapping[str, float]

_GAIN = 1e-9  # a shift must gain more than rounding


@dataclass(frozen=True, slots=True)
class Choice:
    """The weights found, with the score there and at the start; `tried` counts the settings that were scored."""

    weights: dict[str, float]
    score: float
    start_score: float
    tried: int


def choose_weights(
    score: Callable[[Weights], float], start: Weights, *, floor: float, step: float, margin: float
) -> Choice:
    """Weights that sum to 1 and maximise score(w) - margin x (weight moved away from `start`).

    Begins at `start` and takes the best shift of `step` from one leg to another while that gains. A leg that `start`
    weighs is not shifted below `floor`; one that it leaves out may gain weight, and lose it again. Deterministic: of
    equal shifts the first in the order of `start` is taken.
    """
    legs = tuple(start)
    least = {leg: floor if start[leg] > 0 else 0.0 for leg in legs}
    known: dict[tuple[float, ...], float] = {}

    def scored(weights: Weights) -> float:
        key = tuple(round(weights[leg], 6) for leg in legs)
        if key not in known:
            known[key] = score(weights)
        return known[key]

    def worth(weights: Weights) -> float:
        moved = sum(abs(weights[leg] - start[leg]) for leg in legs) / 2
        return scored(weights) - margin * moved

    best, best_worth = dict(start), worth(start)
    while True:
        shifts = [
            {**best, giver: round(best[giver] - step, 6), taker: round(best[taker] + step, 6)}
            for giver, taker in permutations(legs, 2)
            if best[giver] - step >= least[giver] - _GAIN
        ]
        uphill = max(shifts, key=worth, default=best)
        if worth(uphill) <= best_worth + _GAIN:
            return Choice(
                {leg: weight for leg, weight in best.items() if weight > 0}, scored(best), scored(start), len(known)
            )
        best, best_worth = uphill, worth(uphill)
