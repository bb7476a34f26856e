"""What naive Bayes fusion knows of one kind of query, fitted on judged questions: search.ranking.settings.KindOdds.

For each leg alone: log-odds that a candidate is relevant given what the leg says of it, minus those of any candidate.
Where the leg found it, a logistic regression on its scaled score (Platt, "Probabilistic outputs for support vector
machines", 1999); where it could have and did not, the smoothed share of relevant products. Multiplying these odds is
right when the legs err independently; they do not quite, which is what makes the result "naive".

A grade counts by its gain: a candidate of grade g is relevant to (2^g - 1) / (2^G - 1), G the query's highest grade.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from search.ranking import KindOdds, LegOdds
from search.ranking.fusion import scaled_scores
from search.retrieved import Retrieved

_SMOOTH = 0.5  # relevant and other products added to each count (Jeffreys), so that no share is 0 or 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found for one query, its grades, and how much it weighs."""

    retrieved: Retrieved
    grades: Mapping[str, int]
    weight: float = 1.0

    def found(self) -> list[str]:
        """The candidates of all legs, by id."""
        return sorted({product_id for scored in self.retrieved.candidates.values() for product_id, _ in scored})


@dataclass
class _Leg:
    """What one leg said of candidates that it could find: (scaled score, relevance, weight), and of the absent ones."""

    found: list[tuple[float, float, float]] = field(default_factory=list)
    absent: list[tuple[float, float]] = field(default_factory=list)


def fit_odds(judged: Iterable[Judged]) -> KindOdds:
    """The odds of one kind of query. Deterministic. Legs without a relevant and an irrelevant find keep the default."""
    legs: dict[str, _Leg] = {}
    every: list[tuple[float, float]] = []
    for each in judged:
        found, relevance = each.found(), _relevance(each.grades)
        every += [(relevance.get(product_id, 0.0), each.weight) for product_id in found]
        for leg, scored in each.retrieved.candidates.items():
            rows, values = legs.setdefault(leg, _Leg()), scaled_scores(leg, scored)
            for product_id in found:
                relevant = relevance.get(product_id, 0.0)
                if product_id in values:
                    rows.found.append((values[product_id], relevant, each.weight))
                elif leg in each.retrieved.able[product_id]:
                    rows.absent.append((relevant, each.weight))
    prior = _log_odds(every)
    return KindOdds(prior=prior, legs={leg: odds for leg in sorted(legs) if (odds := _fit(legs[leg], prior))})


def _fit(leg: _Leg, prior: float) -> LegOdds | None:
    """None where the finds are all relevant or all not: a slope would have nothing to go by."""
    from sklearn.linear_model import LogisticRegression  # takes seconds to import, and only this fusion needs it

    values, relevance, weights = np.array(leg.found, dtype=np.float64).reshape(-1, 3).T
    yes, no = weights * relevance, weights * (1.0 - relevance)
    if not (yes.any() and no.any()):
        return None
    both = np.concatenate([yes, no]) * len(weights) / weights.sum()
    classes = np.repeat([1, 0], len(weights))
    model = LogisticRegression().fit(np.tile(values, 2)[:, None], classes, sample_weight=both)
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0]) - prior
    if slope < 0:  # better scores are the worse finds: the leg only says that it found the product
        slope, offset = 0.0, _log_odds([(relevant, weight) for _, relevant, weight in leg.found]) - prior
    absent = _log_odds(leg.absent) - prior if leg.absent else offset
    return LegOdds(slope=slope, offset=offset, absent=min(absent, offset))


def _relevance(grades: Mapping[str, int]) -> dict[str, float]:
    """0 to 1: the gain of each grade as a share of the highest."""
    highest = 2.0 ** max(grades.values(), default=0) - 1
    return {product_id: (2.0**grade - 1) / highest for product_id, grade in grades.items() if grade > 0}


def _log_odds(rows: Sequence[tuple[float, float]]) -> float:
    """ln(relevant / other) of weighted rows, smoothed; the weights are scaled to a mean of 1."""
    mean = sum(weight for _, weight in rows) / len(rows) if rows else 1.0
    relevant = sum(relevance * weight for relevance, weight in rows) / mean
    return math.log((relevant + _SMOOTH) / (len(rows) - relevant + _SMOOTH))
