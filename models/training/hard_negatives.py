"""Hard negatives: products that the model takes for others, put into the same batch as these.

    hard = HardNegatives(groups, params)
    hard.table = mine(asked, candidates, groups, margin)      # every train.mine_every epochs
    rows = hard.joined_to(rows, draw)

Legend: N training products, Q queries, K kept for each product, D width.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.batches import Rows
from models.training.params import TrainParams

K = 8
NONE = -1
_CELLS = 2**22  # scores looked at together


@dataclass(frozen=True)
class Asked:
    """Queries whose answers are known."""

    vectors: Tensor  # [Q, D] unit rows
    rows: Rows  # [Q]: the product that each was made from
    true: Callable[[slice], NDArray[np.bool_]]  # some queries -> [., N]: of which products they are true


def mine(asked: Asked, candidates: Tensor, groups: Sequence[str], margin: float) -> Rows:
    """[N, K] rows, NONE where there are fewer: for each product those that its queries take for it most.

    A candidate [N, D] is no negative of a query, however similar, when the query is true of it, when it is of the same
    product group, or when it scores above `margin` times what the right product scores: those that near are mostly
    right too (false negatives; the margin is that of NV-Retriever, Moreira et al. 2024).
    """
    numbers: dict[str, int] = {}
    group = torch.tensor([numbers.setdefault(name, len(numbers)) for name in groups], device=candidates.device)
    best: list[dict[int, float]] = [{} for _ in groups]
    chunk = max(1, _CELLS // len(groups))
    for start in range(0, len(asked.rows), chunk):
        part = slice(start, min(start + chunk, len(asked.rows)))
        own = torch.from_numpy(asked.rows[part]).to(candidates.device)
        scores = asked.vectors[part] @ candidates.T  # [., N]
        limit = margin * scores.gather(1, own[:, None])
        not_negative = torch.from_numpy(asked.true(part)).to(candidates.device) | (group[own][:, None] == group)
        scores = scores.masked_fill(not_negative | (scores > limit), -torch.inf)
        top = scores.topk(min(K, scores.shape[1]), dim=1)
        for row, values, places in zip(own.tolist(), top.values.tolist(), top.indices.tolist(), strict=True):
            for value, place in zip(values, places, strict=True):
                if value > -np.inf:
                    best[row][place] = max(value, best[row].get(place, -np.inf))
    table = np.full((len(groups), K), NONE, dtype=np.int64)
    for row, found in enumerate(best):
        kept = sorted(found, key=lambda place: (-found[place], place))[:K]
        table[row, : len(kept)] = kept
    return table


class HardNegatives:
    """What was mined last, and the batches it goes into. `table` has no rows before the first mining."""

    def __init__(self, groups: Sequence[str], params: TrainParams) -> None:
        self.groups, self.share = groups, params.hard_negatives
        self.table: Rows = np.zeros((0, K), dtype=np.int64)

    def joined_to(self, rows: Rows, draw: random.Random) -> Rows:
        """`rows` and hard negatives of some of them, `share` of the whole; still one row of each product group.

        Fewer join where the rows have no more. All chance comes from `draw`.
        """
        if not len(self.table):
            return rows
        wanted = round(len(rows) * self.share / (1 - self.share))
        inside = {self.groups[row] for row in rows.tolist()}
        anchors: list[int] = rows.tolist()
        joined: list[int] = []
        draw.shuffle(anchors)
        for anchor in anchors * K:
            if len(joined) == wanted:
                break
            mined = [row for row in self.table[anchor].tolist() if row != NONE and self.groups[row] not in inside]
            if mined:
                joined.append(draw.choice(mined))
                inside.add(self.groups[joined[-1]])
        return np.concatenate([rows, np.array(joined, dtype=np.int64)])
