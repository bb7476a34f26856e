"""The most that batching over callers could save: encoding B queries at once, beside one after the other.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.batching [ROUNDS]

From the root of a workspace with a finished `etalage retrain`; one thread, as the service gives a query. Processor time
of an encoded query in batches of B, medians of the rounds: in milliseconds, as a multiple of alone, and what is saved
as a share of the whole search of one query. What waiting for a batch costs, and handing over, comes off that.
"""

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products, read_terms
from evaluation.pool import pool_collection
from evaluation.queries.questions import few_questions
from evaluation.runs import as_asked, photos_of
from models.embeddings import load_embeddings
from models.encoder import Encoder
from search.logic import SearchLogic
from search.query import Query

BATCHES = (1, 2, 4, 8)
QUERIES = 64
KINDS = ("attribute_en", "photo_to_alike")


def main(rounds: int) -> None:
    """Measure and print."""
    products, terms = read_products(), read_terms()
    encoder, logic = Encoder.load(threads=1), SearchLogic.load()
    collection = pool_collection(products, terms, load_embeddings(), logic.ranking.matching.metric)
    engine = logic.engine(encoder, collection)
    pool = split_products(products, load_section("split", SplitParams))["test"]
    questions, photos = few_questions(pool, products, terms, (), seed=7, most=QUERIES), photos_of(MediaStore())
    print(f"{len(products)} products, {rounds} rounds, processor time")
    print("| query | at once | encode ms a query | x alone | saved of the whole search |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        asked = [as_asked(query, photos, None) for query in questions.of_kind(kind)]
        if not asked:
            continue
        whole = cost(lambda asked=asked: [engine.search(query) for query in asked], len(asked), rounds)  # type: ignore[misc]
        costs = {
            size: cost(lambda asked=asked, size=size: encode(encoder, asked, size), len(asked), rounds)  # type: ignore[misc]
            for size in BATCHES
        }
        for size, own in costs.items():
            saved = (costs[1] - own) / whole
            print(f"| {kind} | {size} | {own:.2f} | {own / costs[1]:.2f} | {saved:.0%} |", flush=True)


def encode(encoder: Encoder, asked: Sequence[Query], size: int) -> None:
    """Every query's text, or its photo, `size` of them in one call."""
    for start in range(0, len(asked), size):
        batch = asked[start : start + size]
        texts, pictures = (
            [query.text for query in batch if query.text],
            [query.images[0] for query in batch if query.images],
        )
        if texts:
            encoder.encode_text(texts)
        if pictures:
            encoder.encode_image(pictures)


def cost(call: Callable[[], object], queries: int, rounds: int) -> float:
    """Milliseconds of processor time of one of the `queries`, median of the rounds; the first call is not counted."""
    call()
    took = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        took.append((time.process_time() - started) * 1000 / queries)
    return median(took)


if __name__ == "__main__":
    if len(sys.argv) > 2 or not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.exit("usage: python -m benchmarks.batching [ROUNDS]")
    main(int(sys.argv[1]) if len(sys.argv) == 2 else 5)
