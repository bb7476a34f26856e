"""The score of a hit again, were some of its leg scores others: on the scale of the answer that it stands in.

    scale = FixedScale(candidates, weights, able, "weighted", odds)
    scale.total("p1", {"dense": 0.61, "lexical": None})

Asking the changed query anew would not do: the best candidate of a leg has the value 1 for whatever is asked, so a
first hit would lose nothing. Here best and last candidate of each leg stay where they are. With the scores that the
legs gave, it is the score of the answer (tests/search/test_reasons.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from search.collection import ATTRIBUTES, LEXICAL, Scored
from search.ranking.fusion import NARROWEST, RRF_K, Able, Candidates, Weights
from search.ranking.settings import FusionName, KindOdds


@dataclass(frozen=True)
class FixedScale:
    """What the fusion knew: candidates of the legs, weights, who can be found where, and the odds of naive Bayes."""

    candidates: Candidates
    weights: Weights
    able: Able
    fusion: FusionName
    odds: KindOdds

    def total(self, product_id: str, scores: Mapping[str, float | None]) -> float:
        """The score of the first stage with `scores` by leg; None: the leg has no say, as if it had not found it."""
        legs = [leg for leg in self.candidates if leg in self.able[product_id]]
        if self.fusion == "naive_bayes":
            return self.odds.prior + sum(self._odds(leg, scores.get(leg)) for leg in legs)
        reach = sum(self.weights[leg] for leg in legs)
        if reach <= 0:
            return 0.0
        return sum(self.weights[leg] * self._value(leg, scores.get(leg)) for leg in legs) / reach

    def _value(self, leg: str, score: float | None) -> float:
        if score is None:
            return 0.0
        return score if leg == ATTRIBUTES else VALUES[self.fusion](leg, self.candidates[leg], score)

    def _odds(self, leg: str, score: float | None) -> float:
        own = self.odds.of(leg)
        if score is None:
            return own.absent
        value = score if leg == ATTRIBUTES else _scaled(leg, self.candidates[leg], score)
        return own.offset + own.slope * value


def _scaled(leg: str, scored: Scored, score: float) -> float:
    """As fusion.scaled_scores; below the last candidate it goes on below 0, so that what is worse stays worse."""
    top, last = scored[0][1], scored[-1][1]
    span = top if leg == LEXICAL else max(top - last, NARROWEST)
    return 1.0 - (top - score) / span


def _rank(scored: Scored, score: float) -> int:
    """The place that the score would have, from 1."""
    return 1 + sum(other > score for _, other in scored)


def _reciprocal(leg: str, scored: Scored, score: float) -> float:
    return (RRF_K + 1) / (RRF_K + _rank(scored, score))


def _vote(leg: str, scored: Scored, score: float) -> float:
    return (len(scored) + 1 - _rank(scored, score)) / len(scored)


VALUES: Mapping[FusionName, Callable[[str, Scored, float], float]] = {
    "weighted": _scaled,
    "rrf": _reciprocal,
    "vote": _vote,
}
