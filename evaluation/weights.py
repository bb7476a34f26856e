"""The search for ranking weights: uphill from balance, one shift at a time. Pure: it only calls what it maximises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

Weights = Mapping[str, float]

_GAIN = 1e-9  # a shift must gain more than rounding


@dataclass(frozen=True, slots=True)
class Choice:
    """The weights found, with the score there and at balance; `tried` counts the settings that were scored."""

    weights: dict[str, float]
    score: float
    balanced_score: float
    tried: int


def choose_weights(
    score: Callable[[Weights], float], legs: Sequence[str], *, floor: float, step: float, margin: float
) -> Choice:
    """Weights of `legs` that sum to 1 and maximise score(w) - margin x (weight moved away from balance).

    Starts balanced and takes the best shift of `step` from one leg to another while that gains; no leg is shifted
    below `floor` (a floor above 1/len(legs) leaves balance). Deterministic: of equal shifts the first in the order
    of `legs` is taken.
    """
    count = len(legs)
    balance = dict.fromkeys(legs, 1.0 / count)
    known: dict[tuple[float, ...], float] = {}

    def scored(weights: Weights) -> float:
        key = tuple(round(weights[leg], 6) for leg in legs)
        if key not in known:
            known[key] = score(weights)
        return known[key]

    def worth(weights: Weights) -> float:
        moved = sum(abs(weights[leg] - balance[leg]) for leg in legs) / 2
        return scored(weights) - margin * moved

    best, best_worth = balance, worth(balance)
    while True:
        shifts = [
            {**best, giver: round(best[giver] - step, 6), taker: round(best[taker] + step, 6)}
            for giver, taker in permutations(legs, 2)
            if best[giver] - step >= floor - _GAIN
        ]
        uphill = max(shifts, key=worth, default=best)
        if worth(uphill) <= best_worth + _GAIN:
            return Choice(dict(best), scored(best), scored(balance), len(known))
        best, best_worth = uphill, worth(uphill)
