"""How much the attributes leg weighs beside the other legs of a query kind. Pure: it only calls what it maximises.

The other legs' weights are chosen where attributes are hidden, and there this leg is silent. So its share is chosen
afterwards, as served: attribute queries gain from it, titles lose when it outweighs what tells products apart.
"""

from collections.abc import Callable

from evaluation.tuning.weights import Weights
from search.collection import ATTRIBUTES


def choose_share(
    score: Callable[[Weights], float], others: Weights, *, step: float, most: float, margin: float
) -> tuple[dict[str, float], float]:
    """Weights that sum to 1, and their score: the share s of the leg that maximises score - margin x s.

    s is a multiple of `step`, at most `most`; of equal ones the smallest. `others` keep their proportions.
    """
    shares = [number * step for number in range(int(most / step + 1e-9) + 1)]
    scored = {share: score(shared(others, share)) for share in shares}
    best = max(shares, key=lambda share: (scored[share] - margin * share, -share))
    return shared(others, best), scored[best]


def shared(others: Weights, share: float) -> dict[str, float]:
    """`others` and the attributes leg with `share` of the whole; without the leg where that is 0."""
    kept = {leg: weight for leg, weight in others.items() if leg != ATTRIBUTES and weight > 0}
    total = sum(kept.values())
    weights = {leg: round(weight / total * (1.0 - share), 6) for leg, weight in kept.items()}
    return {**weights, ATTRIBUTES: round(share, 6)} if share > 0 else weights
