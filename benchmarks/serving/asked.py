"""What is asked: queries of the held-out test split, as the requests that both servers read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import httpx

from benchmarks.serving.paths import SEARCH
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product, Term
from catalog.splits import SplitParams, split_products
from evaluation.queries.questions import few_questions
from evaluation.runs import as_asked, photos_of
from search.query import Query

HITS = 10
ORIGIN = "http://127.0.0.1"
KINDS = {
    "text": ("attribute_en", "attribute_zh"),
    "photo": ("photo_to_alike",),
    "photo+text": ("photo_and_words",),
}
"""Kind of query here -> kinds of the evaluation, which take turns."""


@dataclass(frozen=True)
class HttpQuery:
    """One POST."""

    path: str
    body: bytes
    content_type: str


def workspace_queries(products: Sequence[Product], terms: Sequence[Term], most: int) -> dict[str, list[Query]]:
    """Kind -> queries in the order in which they are asked; a kind of which the catalogue has none is left out."""
    pool = split_products(products, load_section("split", SplitParams))["test"]
    questions = few_questions(pool, products, terms, (), seed=7, most=most)
    photos = photos_of(MediaStore())
    found = {}
    for kind, parts in KINDS.items():
        asked = in_turns([[as_asked(query, photos, None) for query in questions.of_kind(part)] for part in parts])
        if asked:
            found[kind] = [Query(text=query.text, images=query.images, k=HITS) for query in asked]
    return found


def in_turns(lists: Sequence[Sequence[Query]]) -> list[Query]:
    """The first of each list, then the second of each, to the end of the longest."""
    return [query for query in chain.from_iterable(zip_longest(*lists)) if query is not None]


def as_http(query: Query, photos_at: str = SEARCH) -> HttpQuery:
    """JSON for words alone; a form with a file, to the path `photos_at`, for a photo.

    `text`, `images`, `k` and `legs` are sent. With `legs`, texts are plain words: what is left is a search of those.
    """
    if not query.images:
        plain = {} if query.legs is None else {"legs": list(query.legs), "understand": False}
        return _packed(httpx.Request("POST", ORIGIN + SEARCH, json={"text": query.text, "k": query.k, **plain}))
    fields = {"k": str(query.k)} if query.text is None else {"text": query.text, "k": str(query.k)}
    if query.legs is not None:
        fields |= {"legs": ",".join(query.legs), "understand": "false"}
    files = [("image", ("photo.jpg", image, "image/jpeg")) for image in query.images]
    return _packed(httpx.Request("POST", ORIGIN + photos_at, data=fields, files=files))


def _packed(request: httpx.Request) -> HttpQuery:
    return HttpQuery(request.url.path, request.read(), request.headers["content-type"])
