"""What a query costs in process, beside the least that it could cost.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.query_latency [ROUNDS]

From the root of a workspace with a finished `etalage retrain`.

Asks the whole search logic of the release, exact and in process, over all products; one thread. The floor is one
forward pass of the encoder and one matrix product with the fused vectors, and the best ten taken from it. Prints p50
milliseconds of each part, and the whole as a multiple of the floor: medians of the rounds.
"""

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products, read_terms
from evaluation.pool import pool_collection
from evaluation.queries.questions import few_questions
from evaluation.runs import as_asked, photos_of
from models.embeddings import ProductEmbeddings, load_embeddings
from models.encoder import Encoder
from search.engine import Query, SearchEngine
from search.logic import SearchLogic

QUERIES = 100  # of each kind
KINDS = ("attribute_en", "attribute_zh", "photo_to_alike", "photo_and_words")
PARTS = ("understand", "decode", "encode", "retrieve", "rank", "fetch", "total")


def main(rounds: int) -> None:
    """Measure and print."""
    products, terms = read_products(), read_terms()
    encoder, embeddings, logic = Encoder.load(threads=1), load_embeddings(), SearchLogic.load()
    engine = logic.engine(encoder, pool_collection(products, terms, embeddings, logic.ranking.matching.metric))
    pool = split_products(products, load_section("split", SplitParams))["test"]
    questions = few_questions(pool, products, terms, (), seed=7, most=QUERIES)
    photos = photos_of(MediaStore())
    print(f"{len(products)} products, {rounds} rounds, p50 in ms")
    print("| query | " + " | ".join(PARTS) + " | floor | x floor |")
    print("|---" * (len(PARTS) + 3) + "|")
    for kind in KINDS:
        asked = [as_asked(query, photos, None) for query in questions.of_kind(kind)]
        if asked:
            print(line(kind, asked, engine, encoder, embeddings, rounds), flush=True)


def line(
    kind: str,
    asked: Sequence[Query],
    engine: SearchEngine,
    encoder: Encoder,
    embeddings: ProductEmbeddings,
    rounds: int,
) -> str:
    """One row of the table."""
    for query in asked[:10]:
        engine.search(query)
    found: list[dict[str, float]] = []
    floors: list[float] = []
    for _ in range(rounds):
        took = [engine.search(query).took_ms for query in asked]
        found.append({part: median(one.get(part, 0.0) for one in took) for part in PARTS})
        floors.append(median(_timed(lambda query=query: floor(query, encoder, embeddings)) for query in asked))  # type: ignore[misc]
    least = median(floors)
    cells = {part: median(one[part] for one in found) for part in PARTS}
    parts = " | ".join(f"{cells[part]:.1f}" for part in PARTS)
    return f"| {kind} | {parts} | {least:.1f} | {cells['total'] / least:.1f} |"


def floor(query: Query, encoder: Encoder, embeddings: ProductEmbeddings) -> list[int]:
    """Rows of the ten products nearest to the sum of what is asked."""
    vectors = [encoder.encode_text([query.text])[0]] if query.text else []
    vectors += list(encoder.encode_image(list(query.images))) if query.images else []
    scores = embeddings.fused @ np.sum(vectors, axis=0)
    best = np.argpartition(-scores, 10)[:10]
    return [int(row) for row in best[np.argsort(-scores[best])]]


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
