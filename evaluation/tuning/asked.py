"""Questions about the validation split, asked once and ranked again by every setting that is tried.

    for kind, asked in asked_of(questions, engine, photos, legs_of).items():
        score = asked.scorer(ranking)
        score({"dense": 0.5, "lexical": 0.5})

Nothing is encoded or retrieved twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluation.metrics import DEPTH, per_query
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.runs import Photos, as_asked
from evaluation.tuning.odds import Judged
from evaluation.tuning.weights import Weights
from search.engine import SearchEngine
from search.ranking import QueryKind, Ranking
from search.retrieved import Retrieved

# Which questions stand for each query kind of the ranking; each of them weighs the same. Those of text that say more
# than attributes stand for "names", where the ranking has them apart.
ASKED: Mapping[QueryKind, tuple[str, ...]] = {
    "text": ("title_to_product", "attribute_en", "attribute_zh", "shop"),
    "image": ("photo_to_product", "photo_to_alike"),
    "text+image": ("photo_and_words",),
}
METRIC = "nDCG@10"
FEWEST = 30  # queries that say names, for weights of their own


@dataclass(frozen=True)
class Asked:
    """The questions that stand for `kind`, and what the legs put forward for each, by query id."""

    kind: QueryKind
    questions: EvaluationSet
    queries: Sequence[EvaluationQuery]
    retrieved: Mapping[str, Retrieved]
    counts: Mapping[str, int]
    """Kind of question -> how often it was asked in all, names or not: each weighs the same."""

    def scorer(self, start: Ranking) -> Callable[[Weights], float]:
        """Weights of the kind in `start` -> mean METRIC."""
        grades = self.questions.grades(self.queries)
        shares = {query.query_id: 1 / self.counts[query.kind] for query in self.queries}

        def score(weights: Weights) -> float:
            ranking = weighed(start, self.kind, weights)
            run = {query_id: found.ranked(ranking)[:DEPTH] for query_id, found in self.retrieved.items()}
            values = per_query(run, grades)
            return sum(values[each][METRIC] * share for each, share in shares.items()) / sum(shares.values())

        return score

    def judged(self) -> Iterator[Judged]:
        """What was found for each query, with its grades and how much it weighs."""
        for query in self.queries:
            found, grades = self.retrieved[query.query_id], self.questions.judgements[query.query_id]
            yield Judged(found, grades, 1 / self.counts[query.kind])


def asked_of(
    questions: EvaluationSet, engine: SearchEngine, photos: Photos, legs_of: Callable[[QueryKind], tuple[str, ...]]
) -> dict[QueryKind, Asked]:
    """Ask everything that stands for a kind from `legs_of` it. A kind without questions is missing."""
    found: dict[QueryKind, Asked] = {}
    for kind, names in ASKED.items():
        queries = [query for name in names for query in questions.of_kind(name)]
        retrieved = {query.query_id: engine.retrieve(as_asked(query, photos, legs_of(kind))) for query in queries}
        if sum(each.kind == "names" for each in retrieved.values()) < FEWEST:
            retrieved = {query_id: replace(each, kind=kind) for query_id, each in retrieved.items()}
        counts = Counter(query.kind for query in queries)
        for own in dict.fromkeys((kind, *(each.kind for each in retrieved.values()))):
            of_own = [query for query in queries if retrieved[query.query_id].kind == own]
            if of_own:
                answers = {query.query_id: retrieved[query.query_id] for query in of_own}
                found[own] = Asked(own, questions, of_own, answers, counts)
    return found


def weighed(ranking: Ranking, kind: QueryKind, weights: Weights) -> Ranking:
    """`ranking` with other weights for one query kind."""
    return Ranking.model_validate({**ranking.model_dump(), "weights": {**ranking.weights, kind: dict(weights)}})
