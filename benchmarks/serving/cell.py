"""One cell of the table: what one server did for one kind of query and one number of clients; medians and ratios."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from statistics import median

import numpy as np

from benchmarks.serving.load import Load


@dataclass(frozen=True)
class Cell:
    """Of one round, or the median of several. Shares of a core and of nothing are 0 to 1 and more."""

    p50: float
    """Milliseconds; over answers with HTTP 200, as the next two."""
    p95: float
    p99: float
    rate: float
    """Such answers in a second."""
    cpu_ms: float
    """Milliseconds of processor time that the server spent on an answer."""
    rss_mb: float
    """Resident memory of the server's processes after the round."""
    client_cores: float
    """Processor seconds that the clients took in a second: what the server could not have."""
    refused: float
    """Answers with another status."""


def cell_of(load: Load, cpu_seconds: float, rss_mb: float) -> Cell:
    """The cell of one round. Raises ValueError when nothing was answered."""
    if not load.answered_ms:
        raise ValueError("a round without one answer has no times")
    p50, p95, p99 = (float(value) for value in np.percentile(load.answered_ms, (50, 95, 99)))
    count = len(load.answered_ms)
    return Cell(
        p50=p50,
        p95=p95,
        p99=p99,
        rate=count / load.seconds,
        cpu_ms=cpu_seconds / count * 1000,
        rss_mb=rss_mb,
        client_cores=load.client_seconds / load.seconds,
        refused=load.refused,
    )


def middle(rounds: Sequence[Cell]) -> Cell:
    """Each number's median over the rounds; refused answers are added up, so that none is lost."""
    medians = Cell(*(median(values) for values in zip(*map(astuple, rounds), strict=True)))
    return Cell(**{**vars(medians), "refused": sum(cell.refused for cell in rounds)})


@dataclass(frozen=True)
class Ratio:
    """Median over the rounds of what was divided within each round, and the least and the most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


def ratio(ours: Sequence[float], others: Sequence[float]) -> Ratio:
    """Round by round: a machine that is slow for one round is slow for both."""
    found = [own / other for own, other in zip(ours, others, strict=True)]
    return Ratio(median(found), min(found), max(found))


def of(rounds: Sequence[Cell], number: Callable[[Cell], float]) -> list[float]:
    """One number of each round."""
    return [number(cell) for cell in rounds]
