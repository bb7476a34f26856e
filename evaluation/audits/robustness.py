"""Does the same need get the same answer, however it is said? Five phrasings of each need, in English and Chinese.

For each language and system: the mean nDCG@10 over all phrasings, how far the phrasings of one need lie apart
(standard deviation within the need), and which phrasing costs most.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product, Term
from catalog.words.terms import TermIndex, spoken_fields
from evaluation.answers import ask_engine
from evaluation.metrics import per_query
from evaluation.pool import PoolEngines
from evaluation.queries.attribute_queries import LANGUAGES, attribute_needs
from evaluation.queries.facets import FacetIndex
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import ENGINE
from evaluation.queries.phrasings import PHRASINGS, phrasings
from evaluation.results import Robustness, ShakyNeed, Steadiness
from evaluation.significance import mean_interval

METRIC = "nDCG@10"
SHOWN = 4  # needs of each language that are told with their texts

Values = Mapping[str, float]  # phrasing -> METRIC


@dataclass(frozen=True, slots=True)
class Need:
    """One need with its five texts, by phrasing, and the products that answer it."""

    need_id: str
    language: str
    texts: Mapping[str, str]
    grades: Mapping[str, int]


def phrased_needs(
    pool: Sequence[Product], catalogue: Sequence[Product], terms: Sequence[Term], *, seed: int, count: int
) -> tuple[Need, ...]:
    """Up to `count` needs of each language that can be said in all five ways, about the products of `pool`."""
    index, names = FacetIndex(pool), TermIndex(terms, catalogue)
    fields = spoken_fields(terms, catalogue)
    found = []
    for language in LANGUAGES:
        said = []
        drafts = attribute_needs(index, names, fields, language, "attribute", seed=seed, count=2 * count)
        for phrase, _ in drafts:
            key = f"{seed}:{language}:{sorted(phrase.facets)}"
            texts = phrasings(phrase.text, phrase.facets, names, language, key)
            if texts is not None:
                need_id = hashlib.sha256(key.encode()).hexdigest()[:16]
                said.append(Need(need_id, language, texts, index.grades(phrase.facets)))
        found.extend(said[:count])
    return tuple(found)


def robustness(
    engines: PoolEngines, needs: Sequence[Need], pool: Sequence[str], *, seed: int, rounds: int
) -> Robustness:
    """Ask `engines` all phrasings in every way that attribute queries are asked, and measure how steady they are."""
    questions = as_questions(needs, pool)
    asked = ask_engine(engines, questions, lambda query: None)
    rows: list[Steadiness] = []
    shaky: list[ShakyNeed] = []
    for language in LANGUAGES:
        spoken = [need for need in needs if need.language == language]
        grades = questions.grades(questions.of_kind(f"attribute_{language}"))
        for system, run in asked.runs.items():
            values = per_query({query_id: run[query_id] for query_id in grades if query_id in run}, grades)
            by_need = [{name: values[_query_id(need, name)][METRIC] for name in PHRASINGS} for need in spoken]
            if by_need:
                rows.append(steadiness(language, system, by_need, seed=seed, rounds=rounds))
            if system == ENGINE:
                shaky.extend(_shakiest(spoken, by_need))
    return Robustness(metric=METRIC, phrasings=PHRASINGS, rows=tuple(rows), shaky=tuple(shaky))


def steadiness(language: str, system: str, needs: Sequence[Values], *, seed: int, rounds: int) -> Steadiness:
    """One row over `needs`, each with a value for every phrasing.

    With v[i, j] the value of need i in phrasing j: deviation = sqrt(mean over i of the variance over j), so that
    0 says that phrasing never matters; the interval of the mean resamples needs, since phrasings of one need are
    not independent.

    >>> steadiness("en", "engine", [{"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 1.0}], seed=1, rounds=100).deviation
    0.3535533905932738
    """
    names = tuple(needs[0])
    values: NDArray[np.float64] = np.array([[need[name] for name in names] for need in needs])  # [needs, phrasings]
    interval = mean_interval(values.mean(axis=1), seed=seed, rounds=rounds)
    means = {name: float(mean) for name, mean in zip(names, values.mean(axis=0), strict=True)}
    return Steadiness(
        language=language,
        system=system,
        needs=len(needs),
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        deviation=float(np.sqrt(values.var(axis=1).mean())),
        mean_of_worst=float(values.min(axis=1).mean()),
        by_phrasing=means,
        worst_phrasing=min(names, key=lambda name: means[name]),
    )


def as_questions(needs: Sequence[Need], pool: Sequence[str]) -> EvaluationSet:
    """Every phrasing as an attribute query of its own."""
    queries, judgements = [], {}
    for need in needs:
        for name, text in need.texts.items():
            query_id = _query_id(need, name)
            queries.append(EvaluationQuery(query_id, f"attribute_{need.language}", need.language, text))
            judgements[query_id] = need.grades
    return EvaluationSet(tuple(queries), judgements, tuple(pool))


def _query_id(need: Need, phrasing: str) -> str:
    return f"{need.need_id}:{phrasing}"


def _shakiest(needs: Sequence[Need], values: Sequence[Values]) -> list[ShakyNeed]:
    """The needs whose phrasings lie farthest apart; those that lie together are no example."""
    spread = [float(np.std(list(row.values()))) for row in values]
    order = sorted(range(len(needs)), key=lambda number: (-spread[number], needs[number].need_id))
    return [
        ShakyNeed(
            language=needs[number].language,
            deviation=spread[number],
            texts=dict(needs[number].texts),
            values=dict(values[number]),
        )
        for number in order[:SHOWN]
        if spread[number] > 0
    ]
