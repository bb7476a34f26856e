"""How two vectors are compared: the metric of a collection's first stage, and exact re-scorers of its best candidates.

    METRICS["cosine"].scores(vectors, query)          # [N, D], [D] -> [N], higher is nearer
    RESCORERS["kl"](vectors, query, matching)         # the same, over the candidates of the dense leg

Every vector here has length 1, and then |q - p|^2 = 2 - 2 q.p: the three metrics order alike (docs/decisions.md).
Manhattan distance and KL divergence order otherwise, and no index of Milvus knows them: they score candidates again.
Legend: N products, D width.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from catalog.params import Section
from search.collection import DECIMALS, Scored

MetricName = Literal["cosine", "inner_product", "euclidean"]
RescorerName = Literal["none", "manhattan", "kl"]
Floats = NDArray[np.float32]


class Matching(Section):
    """Section `matching` of params.yaml; it travels with the ranking settings of a release.

    `metric` is what the collection is indexed with. `rescorer` orders the candidates of the dense leg once more.
    KL(q || p) is between softmax(q / T) and softmax(p / T) over dimensions, q the query; `symmetric` adds KL(p || q).
    """

    metric: MetricName = "cosine"
    rescorer: RescorerName = "none"
    temperature: float = Field(default=0.1, gt=0.0, le=10.0)  # T of kl
    symmetric: bool = False  # of kl


@dataclass(frozen=True)
class Metric:
    """`scores`: exact, in process. `milvus`: its name there; `of_distance`: what Milvus answers -> the same score.

    `best` is the score of a vector with itself.
    """

    scores: Callable[[Floats, Floats], Floats]
    milvus: str
    of_distance: Callable[[float], float]
    best: float


def rescored(scored: Scored, vectors: Floats, query: Floats, matching: Matching) -> Scored:
    """Candidates with vectors [N, D], ordered by the re-scorer, best first, equal ones by id.

    The new scores are stretched to the range of the old ones: the first keeps the first score, the last the last, so
    that the fusion of the legs, which knows the scale of a leg, weighs this one as before.
    """
    if matching.rescorer == "none" or len(scored) < 2:
        return scored
    values = RESCORERS[matching.rescorer](vectors.astype(np.float64), query.astype(np.float64), matching)
    top, last = scored[0][1], scored[-1][1]
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.ones_like(values)
    again = [
        (product_id, round(last + (top - last) * float(part), DECIMALS))
        for (product_id, _), part in zip(scored, share, strict=True)
    ]
    return sorted(again, key=lambda pair: (-pair[1], pair[0]))


def _cosine(vectors: Floats, query: Floats) -> Floats:
    """q.p / |q|: rows have length 1, so only the query's matters."""
    length = np.linalg.norm(query)
    product: Floats = vectors @ (query / length if length else query)
    return product


def _inner_product(vectors: Floats, query: Floats) -> Floats:
    product: Floats = vectors @ query
    return product


def _euclidean(vectors: Floats, query: Floats) -> Floats:
    """-|q - p|, by differences: 2 - 2 q.p would lose its digits where p is near q."""
    distance: Floats = np.linalg.norm(vectors - query, axis=1)
    return -distance


def _manhattan(vectors: NDArray[np.float64], query: NDArray[np.float64], matching: Matching) -> NDArray[np.float64]:
    """-sum over dimensions of |q - p|."""
    distance: NDArray[np.float64] = np.abs(vectors - query).sum(axis=1)
    return -distance


def _kl(vectors: NDArray[np.float64], query: NDArray[np.float64], matching: Matching) -> NDArray[np.float64]:
    """-KL(q || p), or with `symmetric` -(KL(q || p) + KL(p || q)) (Jeffreys 1946)."""
    log_q, log_p = _log_softmax(query / matching.temperature), _log_softmax(vectors / matching.temperature)
    divergence: NDArray[np.float64] = (np.exp(log_q) * (log_q - log_p)).sum(axis=1)
    if matching.symmetric:
        divergence += (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
    return -divergence


def _log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    logs: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


METRICS: Mapping[MetricName, Metric] = {
    "cosine": Metric(_cosine, "COSINE", float, best=1.0),
    "inner_product": Metric(_inner_product, "IP", float, best=1.0),
    "euclidean": Metric(_euclidean, "L2", lambda squared: -(max(squared, 0.0) ** 0.5), best=0.0),
}
RESCORERS: Mapping[
    RescorerName, Callable[[NDArray[np.float64], NDArray[np.float64], Matching], NDArray[np.float64]]
] = {"manhattan": _manhattan, "kl": _kl}
