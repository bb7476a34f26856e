"""Products that do not look like what they are filed under: "Shoes" that look like a watch.

The share of a product's nearest pictures that each category has is the probability of that category, out of sample:
its own product group does not count. Confident learning (Northcutt et al. 2021, by cleanlab) tells from these which
labels are wrong rather than hard: categories that are told apart badly get more room.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_AT_ONCE = 1000  # rows compared with all others


@dataclass(frozen=True, slots=True)
class Suspect:
    """A product that lies among others. Shares are of its neighbours; `like`: rows of its nearest in `looks_like`."""

    row: int
    category: str
    looks_like: str
    own: float
    other: float
    like: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of each row the nearest rows, nearest first [N, K]; -1 where there are no more."""

    rows: NDArray[np.int64]

    def shares(self, labels: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """[N, count]: the share of a row's neighbours with each label; equal ones where it has none."""
        shares = np.zeros((len(self.rows), count))
        found = self.rows >= 0
        np.add.at(shares, (np.nonzero(found)[0], labels[self.rows[found]]), 1.0)
        total = shares.sum(axis=1, keepdims=True)
        return np.where(total > 0, shares / np.maximum(total, 1.0), 1.0 / count)


def nearest(vectors: Floats, groups: Sequence[str], count: int) -> Neighbours:
    """The `count` nearest of unit rows [N, D] by cosine, without those of the same group: variants share a picture."""
    _, group = np.unique(np.array(groups), return_inverse=True)
    count = min(count, len(vectors))
    rows = np.full((len(vectors), count), -1, dtype=np.int64)
    for start in range(0, len(vectors), _AT_ONCE):
        own = slice(start, start + _AT_ONCE)
        cosine = vectors[own] @ vectors.T
        cosine[group[own, None] == group[None]] = -np.inf
        best = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(cosine, best, axis=1)
        order = np.lexsort((best, -values), axis=1)  # of equals the first: one order on every machine
        some = np.isfinite(np.take_along_axis(values, order, axis=1))
        rows[own] = np.where(some, np.take_along_axis(best, order, axis=1), -1)
    return Neighbours(rows)


def suspects(
    vectors: Floats, categories: Sequence[str], groups: Sequence[str], neighbours: int, shown: int
) -> list[Suspect]:
    """The rows of `vectors` [N, D] (unit) that are filed wrongly, the surest first. `categories` [N], two at least."""
    from cleanlab.filter import find_label_issues  # two seconds to import

    names, labels = np.unique(np.array(categories), return_inverse=True)
    if len(names) < 2:
        return []
    near = nearest(vectors, groups, neighbours)
    shares = near.shares(labels, len(names))
    found = find_label_issues(
        labels, shares, filter_by="low_self_confidence", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    suspects = []
    for row in map(int, found):
        other = int(np.argmax(shares[row]))
        if other == labels[row] or near.rows[row, 0] < 0:
            continue
        like = [int(at) for at in near.rows[row] if at >= 0 and labels[at] == other]
        suspects.append(
            Suspect(
                row=row,
                category=str(names[labels[row]]),
                looks_like=str(names[other]),
                own=float(shares[row, labels[row]]),
                other=float(shares[row, other]),
                like=tuple(like[:shown]),
            )
        )
    often = Counter((each.category, each.looks_like) for each in suspects)  # kurtis and kurtas are a matter of words
    return sorted(suspects, key=lambda each: (each.own, often[each.category, each.looks_like], -each.other, each.row))


def common(categories: Sequence[str], least: int) -> NDArray[np.bool_]:
    """[N]: whether so many rows share the row's category; of a rare one nobody can say how it looks."""
    counts = Counter(categories)
    return np.array([bool(name) and counts[name] >= least for name in categories], dtype=bool)
