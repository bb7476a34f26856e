"""The queries that the engine answers worst, with what was expected and what came back: read these first."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from catalog.media import MediaStore, decode_image
from catalog.products import Product
from evaluation.judgements import EvaluationQuery, EvaluationSet
from evaluation.metrics import Ranked
from evaluation.results import Leak

METRIC = "nDCG@10"  # sees how low the right product stands, where recall@10 is all or nothing
THUMB = 104  # pixels of the longer side
EXPECTED = 3
RETURNED = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A product in the report. `picture` is a data URI, "" when it has none; `relevant` says if it answers."""

    id: str
    title: str
    facets: str
    picture: str
    relevant: bool


@dataclass(frozen=True, slots=True)
class WorstQuery:
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


class Thumbnails:
    """Small JPEGs as data URIs, made once per medium."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self._made: dict[str, str] = {}

    def of(self, media_id: str) -> str:
        """The thumbnail of a medium."""
        if media_id not in self._made:
            self._made[media_id] = thumbnail(self._media.read(media_id))
        return self._made[media_id]


def thumbnail(data: bytes) -> str:
    """The picture at most THUMB pixels wide and high, as the data URI of a JPEG."""
    image = decode_image(data)
    image.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


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
    turns = max(map(len, by_kind), default=0)
    return [queries[turn] for turn in range(turns) for queries in by_kind if turn < len(queries)][:count]


def show(
    query: EvaluationQuery,
    photo: bytes | None,
    grades: Mapping[str, int],
    ranked: Ranked,
    value: float,
    products: Mapping[str, Product],
    thumbnails: Thumbnails,
) -> WorstQuery:
    """The query, with the `photo` it brings, and pictures of what was expected and what was returned."""
    relevant = [product_id for product_id, grade in sorted(grades.items(), key=lambda item: -item[1]) if grade > 0]

    def shown(product_id: str) -> Shown:
        return _shown(products[product_id], thumbnails, grades.get(product_id, 0) > 0)

    return WorstQuery(
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
        ShownLeak(leak, *(_shown(by_id[product_id], thumbnails, False) for product_id in (leak.product, leak.other)))
        for leak in leaks
    ]


def _shown(product: Product, thumbnails: Thumbnails, relevant: bool) -> Shown:
    facets = ", ".join(dict.fromkeys([*product.category[-1:], *list(product.attributes.values())[:4]]))
    picture = thumbnails.of(product.images[0]) if product.images else ""
    return Shown(product.id, product.title, facets, picture, relevant)


def _surest(run: Mapping[str, Ranked], query: EvaluationQuery) -> float:
    ranked: Sequence[tuple[str, float]] = run.get(query.query_id, ())
    return ranked[0][1] if ranked else 0.0
