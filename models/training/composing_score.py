"""How well a composer answers held-out pairs: what `composer: auto` chooses by, and what the stage reports.

Photo and words are asked of the fused vectors of the held-out products, as the dense leg does. Products with all that
is wanted are graded 3, others of the category 1; gain 2^grade - 1, discount log2(1 + rank).
"""

import random

import numpy as np

from catalog.products import CATEGORY
from models.composer import Composer, Floats
from models.training.changes import ChangePairs
from models.training.composing import ChangeData

K = 10
ALL, CATEGORY_ALONE = 7.0, 1.0  # gains of grades 3 and 1


def change_ndcg(composer: Composer, data: ChangeData, count: int, seed: int) -> float:
    """Mean nDCG@K over `count` random changes of the products in `data`, in which every product is a candidate."""
    rng = random.Random(seed)
    asked = data.draw(count, rng)
    products, total = data.vectors["fused"], 0.0
    for change, photo, words in zip(asked.changes, asked.photos, asked.words, strict=True):
        gains = gains_of(data.pairs, data.pairs.wanted(change))
        scores = products @ composer.compose(photo, words, 0.5)
        gains[change.source], scores[change.source] = 0.0, -np.inf
        total += ndcg(scores, gains)
    return total / count


def gains_of(pairs: ChangePairs, wanted: dict[str, str]) -> Floats:
    """[N]: what each product is worth to one who wants these facets."""
    return np.array(
        [
            ALL if wanted.items() <= own.items() else CATEGORY_ALONE * (own.get(CATEGORY) == wanted[CATEGORY])
            for own in pairs.facets
        ],
        dtype=np.float32,
    )


def ndcg(scores: Floats, gains: Floats, k: int = K) -> float:
    """Gain of the `k` best by `scores` [N], discounted by rank, over the best possible.

    >>> ndcg(np.array([0.9, 0.5, 0.1]), np.array([1.0, 7.0, 0.0]))  # (1 + 7 / log2 3) / (7 + 1 / log2 3)
    0.709838...
    """
    discount = 1 / np.log2(np.arange(2, min(k, len(gains)) + 2))
    found = gains[np.argsort(-scores, kind="stable")[:k]]
    ideal = np.sort(gains)[::-1][:k]
    return float((found * discount).sum() / (ideal * discount).sum())
