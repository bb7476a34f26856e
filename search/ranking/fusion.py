"""Decision-level fusion: how the candidates of the legs become one list. Pure functions of candidates and settings.

weighted, rrf and vote give each candidate of a leg a value from 0 to 1, the best 1, and a product scores
    score(p) = sum over legs of weight(leg) x value(leg, p) / sum of weight(leg) over the legs that p can be found in
with value 0 where p is not among the leg's candidates. A product without a picture is thus judged by its words alone,
and is not pushed down for the picture that it lacks. The best possible score is 1.

naive_bayes adds up evidence instead: score(p) is the log-odds that p is relevant,
    score(p) = prior + sum over the legs that p can be found in of odds(leg, p)
with odds as in search.ranking.settings.LegOdds. A leg in which p cannot be found says nothing about it.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from search.collection import ATTRIBUTES, DECIMALS, LEXICAL, Scored
from search.ranking.settings import FusionName, KindOdds

Candidates = Mapping[str, Scored]  # leg -> its candidates, best first
Able = Mapping[str, frozenset[str]]  # product id -> the legs in which it can be found at all
Weights = Mapping[str, float]
Shares = dict[str, dict[str, float]]  # product id -> leg -> what the leg adds to its score
Fusion: TypeAlias = Callable[[Candidates, Weights, Able, KindOdds], Shares]

NARROWEST = 0.1  # cosine; candidates closer together than this are not stretched to the whole of 0..1
RRF_K = 60  # Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion", SIGIR 2009
PRIOR = "prior"  # beside the legs among the shares of naive_bayes: the log-odds before looking

_UNFITTED = KindOdds()


def fuse(
    candidates: Candidates,
    weights: Weights,
    able: Able,
    fusion: FusionName = "weighted",
    odds: KindOdds = _UNFITTED,
) -> Scored:
    """All candidates as one list, best first, equal scores by id; the order of the legs does not matter."""
    shares = leg_shares(candidates, weights, able, fusion, odds)
    fused = sorted((-round(sum(own.values()), DECIMALS), product_id) for product_id, own in shares.items())
    return [(product_id, -under) for under, product_id in fused]


def leg_shares(
    candidates: Candidates,
    weights: Weights,
    able: Able,
    fusion: FusionName = "weighted",
    odds: KindOdds = _UNFITTED,
) -> Shares:
    """What each leg adds to the score of each candidate: the shares of one product sum to its score."""
    return FUSIONS[fusion]({leg: candidates[leg] for leg in sorted(candidates)}, weights, able, odds)


def scaled_scores(leg: str, scored: Scored) -> dict[str, float]:
    """Scores of one leg's candidates as 0 to 1, the best at 1.

    Cosines: the last candidate is at 0, unless all lie within NARROWEST. BM25: no shared word is at 0. The attributes
    leg scores from 0 to 1 already, whoever is best, and that is its value by ranks too: its candidates tie by hundreds.
    """
    if not scored or leg == ATTRIBUTES:
        return dict(scored)
    top, last = scored[0][1], scored[-1][1]
    span = top if leg == LEXICAL else max(top - last, NARROWEST)
    return {product_id: 1.0 - (top - score) / span for product_id, score in scored}


def reciprocal_ranks(leg: str, scored: Scored) -> dict[str, float]:
    """(RRF_K + 1) / (RRF_K + rank): the best at 1, whatever the scores are."""
    if leg == ATTRIBUTES:
        return scaled_scores(leg, scored)
    return {product_id: (RRF_K + 1) / (RRF_K + rank) for rank, (product_id, _) in enumerate(scored, start=1)}


def borda_votes(leg: str, scored: Scored) -> dict[str, float]:
    """Borda count (1781) as a share: of n candidates the one at rank r leaves n - r behind it, (n + 1 - r) / n."""
    if leg == ATTRIBUTES:
        return scaled_scores(leg, scored)
    return {product_id: (len(scored) + 1 - rank) / len(scored) for rank, (product_id, _) in enumerate(scored, start=1)}


def weighted_mean(value_of: Callable[[str, Scored], dict[str, float]]) -> Fusion:
    """The fusion that takes the mean of `value_of` over the legs, weighted (see above)."""

    def shares(candidates: Candidates, weights: Weights, able: Able, odds: KindOdds) -> Shares:
        found: Shares = {}
        reach: dict[frozenset[str], float] = {}
        for leg, scored in candidates.items():
            for product_id, value in value_of(leg, scored).items():
                legs = able[product_id]
                if legs not in reach:
                    reach[legs] = sum(weights[each] for each in candidates if each in legs)
                share = weights[leg] * value / reach[legs] if reach[legs] > 0 else 0.0
                found.setdefault(product_id, {})[leg] = share
        return found

    return shares


def naive_bayes(candidates: Candidates, weights: Weights, able: Able, odds: KindOdds) -> Shares:
    """The log-odds of relevance that each leg adds, and those before looking (see above). Weights play no part."""
    found: Shares = {product_id: {PRIOR: odds.prior} for scored in candidates.values() for product_id, _ in scored}
    for leg, scored in candidates.items():
        values, own = scaled_scores(leg, scored), odds.of(leg)
        for product_id, shares in found.items():
            if product_id in values:
                shares[leg] = own.offset + own.slope * values[product_id]
            elif leg in able[product_id]:
                shares[leg] = own.absent
    return found


FUSIONS: Mapping[FusionName, Fusion] = {
    "weighted": weighted_mean(scaled_scores),
    "rrf": weighted_mean(reciprocal_ranks),
    "vote": weighted_mean(borda_votes),
    "naive_bayes": naive_bayes,
}
