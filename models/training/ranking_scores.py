"""How well one side of a batch finds the other: pure functions of a score matrix, cheap enough for every epoch.

These numbers choose the best epoch. The numbers that are published come from evaluation/, with a library's metrics.
Legend: Q queries, N products; `scores` [Q, N], higher is better; `relevant` [Q, N] bool.
"""

import torch
from torch import Tensor


def recall_at(scores: Tensor, relevant: Tensor, k: int) -> float:
    """Mean over the queries with a relevant product of  (relevant in the top k) / min(k, relevant at all).

    >>> scores = torch.tensor([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5]])
    >>> relevant = torch.tensor([[False, False, True], [False, True, False]])
    >>> recall_at(scores, relevant, 2)
    0.5
    """
    hits, total = _hits(scores, relevant, k)
    return float((hits.sum(dim=1) / total.clamp(max=k)).mean()) if len(hits) else 0.0


def ndcg_at(scores: Tensor, relevant: Tensor, k: int) -> float:
    """Mean nDCG@k with grades 0 and 1 over the queries with a relevant product: DCG = sum of 1 / log2(rank + 1).

    >>> scores = torch.tensor([[0.9, 0.1, 0.5]])
    >>> round(ndcg_at(scores, torch.tensor([[False, False, True]]), 10), 4)  # at rank 2: 1 / log2(3)
    0.6309
    """
    hits, total = _hits(scores, relevant, k)
    if not len(hits):
        return 0.0
    discount = 1 / torch.log2(torch.arange(2, hits.shape[1] + 2, device=hits.device, dtype=hits.dtype))  # [k]
    ideal = discount.cumsum(0)[total.clamp(max=hits.shape[1]).long() - 1]  # [Q]
    return float(((hits * discount).sum(dim=1) / ideal).mean())


def _hits(scores: Tensor, relevant: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Whether each of the top k is relevant [Q', k] and how many are at all [Q'], of queries that have any."""
    asked = relevant.any(dim=1)
    scores, relevant = scores[asked].float(), relevant[asked]
    top = scores.topk(min(k, scores.shape[1]), dim=1).indices
    return relevant.gather(1, top).float(), relevant.sum(dim=1)
