"""The queries that the engine answers worst, and best, with what was expected and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.media import MediaStore
from catalog.products import Product
from evaluation.metrics import Ranked
from evaluation.pages.shown import Shown, Thumbnails, show_product, thumbnail
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.results import Leak
from evaluation.runs import photos_of

METRIC = "nDCG@10"  # sees how low the right product stands, where recall@10 is all or nothing
EXPECTED = 3
RETURNED = 5


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """One query with its nDCG@10, some of the products that answer it (of `relevant` in all), and the first hits."""

    query: EvaluationQuery
    picture: str
    value: float
    relevant: int
    expected: tuple[Shown, ...]
    returned: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class ShownLeak:
    """A held-out product and its twin in another split."""

    leak: Leak
    product: Shown
    other: Shown


def worst_queries(
    questions: EvaluationSet,
    run: Mapping[str, Ranked],
    values: Mapping[str, Mapping[str, float]],
    count: int,
) -> list[EvaluationQuery]:
    """`count` queries, the kinds taking turns, each from its lowest nDCG@10 up.

    Among equals the one with the highest first score comes first: the engine was surest of that mistake.
    A query that was answered perfectly is never among them.
    """
    by_kind: list[list[EvaluationQuery]] = []
    for kind in questions.kinds():
        wrong = [query for query in questions.of_kind(kind) if values[query.query_id][METRIC] < 1.0]
        by_kind.append(
            sorted(wrong, key=lambda query: (values[query.query_id][METRIC], -_surest(run, query), query.query_id))
        )
    return _in_turns(by_kind, count)


def best_queries(
    questions: EvaluationSet,
    run: Mapping[str, Ranked],
    values: Mapping[str, Mapping[str, float]],
    count: int,
) -> list[EvaluationQuery]:
    """`count` queries, the kinds taking turns, each from its highest nDCG@10 down; among equals the surest first.

    A query to which nothing came back that answers it is never among them.
    """
    by_kind = [
        sorted(
            (query for query in questions.of_kind(kind) if values[query.query_id][METRIC] > 0.0),
            key=lambda query: (-values[query.query_id][METRIC], -_surest(run, query), query.query_id),
        )
        for kind in questions.kinds()
    ]
    return _in_turns(by_kind, count)


def shown_queries(
    queries: Sequence[EvaluationQuery],
    questions: EvaluationSet,
    run: Mapping[str, Ranked],
    values: Mapping[str, Mapping[str, float]],
    products: Sequence[Product],
    media: MediaStore,
) -> list[ShownQuery]:
    """`queries` of `questions` with their pictures; `run` and `values` are the engine's."""
    by_id, thumbnails, photos = {product.id: product for product in products}, Thumbnails(media), photos_of(media)
    return [
        show(
            query,
            photos(query),
            questions.judgements[query.query_id],
            run.get(query.query_id, ()),
            values[query.query_id][METRIC],
            by_id,
            thumbnails,
        )
        for query in queries
    ]


def show(
    query: EvaluationQuery,
    photo: bytes | None,
    grades: Mapping[str, int],
    ranked: Ranked,
    value: float,
    products: Mapping[str, Product],
    thumbnails: Thumbnails,
) -> ShownQuery:
    """The query, with the `photo` it brings, and pictures of what was expected and what was returned."""
    relevant = [product_id for product_id, grade in sorted(grades.items(), key=lambda item: -item[1]) if grade > 0]

    def shown(product_id: str) -> Shown:
        return show_product(products[product_id], thumbnails, grades.get(product_id, 0) > 0)

    return ShownQuery(
        query=query,
        picture=thumbnail(photo) if photo else "",
        value=value,
        relevant=len(relevant),
        expected=tuple(shown(product_id) for product_id in relevant[:EXPECTED]),
        returned=tuple(shown(product_id) for product_id, _ in ranked[:RETURNED]),
    )


def shown_leaks(leaks: Sequence[Leak], products: Sequence[Product], media: MediaStore) -> list[ShownLeak]:
    """`leaks` with pictures of both sides."""
    by_id, thumbnails = {product.id: product for product in products}, Thumbnails(media)
    return [
        ShownLeak(leak, *(show_product(by_id[product_id], thumbnails) for product_id in (leak.product, leak.other)))
        for leak in leaks
    ]


def _in_turns(by_kind: Sequence[Sequence[EvaluationQuery]], count: int) -> list[EvaluationQuery]:
    turns = max(map(len, by_kind), default=0)
    return [queries[turn] for turn in range(turns) for queries in by_kind if turn < len(queries)][:count]


def _surest(run: Mapping[str, Ranked], query: EvaluationQuery) -> float:
    ranked: Sequence[tuple[str, float]] = run.get(query.query_id, ())
    return ranked[0][1] if ranked else 0.0
