"""Ask the engine every query of an evaluation set, and keep the answers and the time each phase took.

The engine is the one that serves: nothing is encoded, retrieved or ranked here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from catalog.media import MediaStore
from evaluation.metrics import DEPTH, Ranked
from evaluation.queries.judgements import EvaluationQuery
from evaluation.queries.kinds import Legs
from evaluation.queries.photos import alter
from evaluation.results import Latency
from search.engine import Query, SearchEngine

Photos = Callable[[EvaluationQuery], bytes | None]


@dataclass(frozen=True, slots=True)
class Answers:
    """`run`: query id -> (product id, score), best first. `took_ms`: query id -> phase -> milliseconds."""

    run: Mapping[str, Ranked]
    took_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def photos_of(media: MediaStore) -> Photos:
    """The photo a query brings, altered where the query says so; None for a query of words."""

    def photo(query: EvaluationQuery) -> bytes | None:
        if query.image is None:
            return None
        data = media.read(query.image)
        return data if query.transform is None else alter(data, query.transform)

    return photo


def as_asked(query: EvaluationQuery, photos: Photos, legs: Legs | None, k: int = DEPTH) -> Query:
    """The question as the engine is asked it."""
    photo = photos(query)
    return Query(text=query.text, images=() if photo is None else (photo,), k=k, legs=legs, without=query.without)


def ask(
    engine: SearchEngine, queries: Iterable[EvaluationQuery], photos: Photos, legs: Legs | None, depth: int = DEPTH
) -> Answers:
    """Ask each query for `depth` hits from `legs` (None = all legs the engine uses for it)."""
    run: dict[str, Ranked] = {}
    took: dict[str, Mapping[str, float]] = {}
    for query in queries:
        answer = engine.search(as_asked(query, photos, legs, depth))
        run[query.query_id] = [(hit.id, hit.score) for hit in answer.hits]
        took[query.query_id] = answer.took_ms
    return Answers(run, took)


def latency(queries: Iterable[EvaluationQuery], took_ms: Mapping[str, Mapping[str, float]]) -> tuple[Latency, ...]:
    """p50 and p95 of every phase, apart for queries of text, of a photo, and of both. Phase `total` is the whole."""
    by_phase: dict[tuple[str, str], list[float]] = {}
    for query in queries:
        asks = "text" if query.image is None else "photo" if query.text is None else "photo and words"
        for phase, milliseconds in took_ms.get(query.query_id, {}).items():
            by_phase.setdefault((asks, phase), []).append(milliseconds)
    return tuple(
        Latency(
            asks=asks,
            phase=phase,
            n=len(values),
            p50=float(np.percentile(values, 50)),
            p95=float(np.percentile(values, 95)),
        )
        for (asks, phase), values in sorted(by_phase.items())
    )
