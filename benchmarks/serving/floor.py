"""The floor: one pass of the ONNX encoder and one exact search with numpy, in process, one query after the other."""

import time
from collections.abc import Iterable, Mapping, Sequence

from threadpoolctl import threadpool_limits

from benchmarks.query_latency import floor
from models.embeddings import ProductEmbeddings
from models.encoder import Encoder
from search.query import Query


def floor_ms(queries: Iterable[Query], encoder: Encoder, embeddings: ProductEmbeddings) -> list[float]:
    """Milliseconds of each query; numpy with one thread, as the encoder has."""
    took = []
    with threadpool_limits(1, user_api="blas"):
        for query in queries:
            started = time.perf_counter()
            floor(query, encoder, embeddings)
            took.append((time.perf_counter() - started) * 1000)
    return took


def found_of_floor(
    answers: Sequence[Mapping[str, object]],
    queries: Sequence[Query],
    encoder: Encoder,
    embeddings: ProductEmbeddings,
) -> float:
    """overlap@10 of the peer's `answers` with the floor's: 1 says that both compute the same search."""
    shares = []
    for answer, query in zip(answers, queries, strict=True):
        hits = answer["hits"]
        assert isinstance(hits, list)
        best = {embeddings.ids[row] for row in floor(query, encoder, embeddings)}
        shares.append(len(best & {hit["id"] for hit in hits}) / len(best))
    return sum(shares) / len(shares)
