"""What naive Bayes fusion knows of one kind of query, fitted on judged questions: search.ranking.settings.KindOdds.

For each leg alone: log-odds that a candidate is relevant given what the leg says of it, minus those of any candidate.
Where the leg found it, a logistic regression on its scaled score (Platt, "Probabilistic outputs for support vector
machines", 1999); where it could have and did not, the smoothed share of relevant products. Multiplying these odds is
right when the legs err independently; they do not quite, which is what makes the result "naive".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.engine import Retrieved
from search.ranking import KindOdds, LegOdds
from search.ranking.fusion import scaled_scores

Column = NDArray[np.float64]
Judged = tuple[Retrieved, Mapping[str, int], float]  # what was found, grades, and how much the query weighs

_SMOOTH = 0.5  # relevant and other products added to each count (Jeffreys), so that no share is 0 or 1


@dataclass
class _Leg:
    """What one leg said of candidates that it could find: rows of (scaled score, relevant, weight), and the absent."""

    found: list[tuple[float, bool, float]] = field(default_factory=list)
    absent: list[tuple[bool, float]] = field(default_factory=list)


def fit_odds(judged: Iterable[Judged]) -> KindOdds:
    """The odds of one kind of query. Deterministic. Legs without a relevant and an irrelevant find keep the default."""
    legs: dict[str, _Leg] = {}
    every: list[tuple[bool, float]] = []
    for retrieved, grades, weight in judged:
        union = sorted({product_id for scored in retrieved.candidates.values() for product_id, _ in scored})
        every += [(grades.get(product_id, 0) > 0, weight) for product_id in union]
        for leg, scored in retrieved.candidates.items():
            rows, values = legs.setdefault(leg, _Leg()), scaled_scores(leg, scored)
            for product_id in union:
                relevant = grades.get(product_id, 0) > 0
                if product_id in values:
                    rows.found.append((values[product_id], relevant, weight))
                elif leg in retrieved.able[product_id]:
                    rows.absent.append((relevant, weight))
    prior = _log_odds(every)
    return KindOdds(prior=prior, legs={leg: odds for leg in sorted(legs) if (odds := _fit(legs[leg], prior))})


def _fit(leg: _Leg, prior: float) -> LegOdds | None:
    """None where the finds are all relevant or all not: a slope would have nothing to go by."""
    from sklearn.linear_model import LogisticRegression  # takes seconds to import, and only this fusion needs it

    values, relevant, weights = _columns(leg.found)
    if len(set(relevant)) < 2:
        return None
    even = weights * len(weights) / weights.sum()
    model = LogisticRegression().fit(values[:, None], relevant, sample_weight=even)
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0]) - prior
    if slope < 0:  # better scores are the worse finds: the leg only says that it found the product
        slope, offset = 0.0, _log_odds([(relevant, weight) for _, relevant, weight in leg.found]) - prior
    absent = _log_odds(leg.absent) - prior if leg.absent else offset
    return LegOdds(slope=slope, offset=offset, absent=min(absent, offset))


def _columns(rows: Sequence[tuple[float, bool, float]]) -> tuple[Column, Column, Column]:
    values, relevant, weights = np.array(rows, dtype=np.float64).reshape(len(rows), 3).T
    return values, relevant, weights


def _log_odds(rows: Sequence[tuple[bool, float]]) -> float:
    """ln(relevant / other) of weighted rows, smoothed; the weights are scaled to a mean of 1."""
    mean = sum(weight for _, weight in rows) / len(rows) if rows else 1.0
    relevant = sum(weight for relevant, weight in rows if relevant) / mean
    return math.log((relevant + _SMOOTH) / (len(rows) - relevant + _SMOOTH))
