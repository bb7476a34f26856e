"""Which rows share a batch: never two of one product group, the same batches for the same seed and epoch.

Two variants of one product in a batch would be each other's false negatives. A batch is a pure function of
(groups, batches, seed, epoch), so training can go on from any step without replaying the ones before.
"""

import queue
import threading
from collections import Counter
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


def copies_of(classes: Sequence[Hashable], balance: float, seed: int, epoch: int) -> Rows:
    """How often each row comes up in an epoch of as many rows as there are, so that rare classes are seen more.

    A row of a class with n rows comes up in proportion to n^-balance on average: 0 is once each; 1 shows every class
    equally often (class-balanced sampling), 0.5 lies between (square-root sampling, Mahajan et al. 2018). Which rows
    get the copies that are left over changes with the epoch.

    >>> copies_of(["a"] * 6 + ["b"] * 2, balance=1.0, seed=7, epoch=0).tolist()[6:]  # each b twice: 4 of 8 rows
    [2, 2]
    """
    count = Counter(classes)
    share = np.array([count[name] ** -balance for name in classes])
    wanted = share * (len(classes) / share.sum())
    random = np.random.default_rng([seed, epoch, _BALANCE])
    order = random.permutation(len(classes))  # or neighbours would take turns in every epoch
    ends = np.floor(np.cumsum(wanted[order]) + random.random()).astype(np.int64)
    copies = np.zeros(len(classes), dtype=np.int64)
    copies[order] = np.diff(ends, prepend=0)
    return copies


def plan_epoch(
    groups: Sequence[Hashable], batches: int, seed: int, epoch: int, copies: Rows | None = None
) -> list[Rows]:
    """Deal every row, or `copies` of it, into `batches` batches; the rows of one group all go to different ones.

    Large groups are dealt first, each into the emptiest batches, so sizes stay within one of each other as long as
    no group has more rows than there are batches. Rows that such a group has in excess sit this epoch out; which
    ones they are changes with the epoch.

    Returns `batches` arrays of row numbers, each in random order.
    """
    if batches < 1:
        raise ValueError("an epoch needs at least one batch")
    random = np.random.default_rng([seed, epoch, _STREAM])
    members: dict[Hashable, list[int]] = {}
    rows_to_deal = len(groups) if copies is None else np.repeat(np.arange(len(groups)), copies)
    for row in random.permutation(rows_to_deal).tolist():
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


_STREAM, _BALANCE = 1, 2  # keep these draws apart from others made with the same seed and epoch
