"""Which rows share a batch: never two of one product group, the same batches for the same seed and epoch.

Two variants of one product in a batch would be each other's false negatives. A batch is a pure function of
(groups, batches, seed, epoch), so training can go on from any step without replaying the ones before.
"""

import queue
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Item = TypeVar("Item")


def batches_per_epoch(rows: int, batch_size: int, min_steps: int) -> int:
    """How many batches an epoch has: full ones, or smaller ones where that leaves fewer than `min_steps`.

    A batch of one teaches nothing, so there are never more than rows / 2.

    >>> batches_per_epoch(rows=7000, batch_size=256, min_steps=16), batches_per_epoch(300, 256, 16)
    (28, 16)
    """
    full = -(-rows // batch_size)
    return max(1, min(max(full, min_steps), rows // 2))


def plan_epoch(groups: Sequence[Hashable], batches: int, seed: int, epoch: int) -> list[Rows]:
    """Deal every row into one of `batches` batches; the rows of one group all go to different ones.

    Large groups are dealt first, each into the emptiest batches, so sizes stay within one of each other as long as
    no group has more rows than there are batches. Rows that such a group has in excess sit this epoch out; which
    ones they are changes with the epoch.

    Returns `batches` arrays of row numbers, each in random order.
    """
    if batches < 1:
        raise ValueError("an epoch needs at least one batch")
    random = np.random.default_rng([seed, epoch, _STREAM])
    members: dict[Hashable, list[int]] = {}
    for row in random.permutation(len(groups)).tolist():
        members.setdefault(groups[row], []).append(row)
    dealt: list[list[int]] = [[] for _ in range(batches)]
    sizes = np.zeros(batches)
    for rows in sorted(members.values(), key=len, reverse=True):  # stable: ties stay in random order
        rows = rows[:batches]
        emptiest = np.argsort(sizes + random.random(batches) * 0.5, kind="stable")[: len(rows)]
        for batch, row in zip(emptiest.tolist(), rows, strict=True):
            dealt[batch].append(row)
        sizes[emptiest] += 1
    return [random.permutation(np.asarray(rows, dtype=np.int64)) for rows in dealt]


def ahead(items: Iterable[Item], depth: int = 2) -> Iterator[Item]:
    """The same items in the same order, made up to `depth` ahead by a thread of its own.

    An error in `items` is raised where its item would have come.
    """
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def put(more: bool, item: Any) -> None:
        while not stop.is_set():
            try:
                waiting.put((more, item), timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(True, item)
                if stop.is_set():
                    return
            put(False, None)
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for the item
            put(False, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            more, item = waiting.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        stop.set()
        thread.join()


_STREAM = 1  # keeps these draws apart from others made with the same seed and epoch
