"""The arithmetic of the table."""

from dataclasses import replace

import pytest

from benchmarks.serving.cell import Cell, Ratio, cell_of, middle, ratio
from benchmarks.serving.load import Load

CELL = Cell(p50=10, p95=20, p99=30, rate=100, cpu_ms=5, rss_mb=500, client_cores=0.1, refused=1)


def test_a_round_becomes_percentiles_and_shares_of_what_was_answered() -> None:
    load = Load(tuple(float(ms) for ms in range(101)), refused=4, seconds=2.0, client_seconds=0.5)
    cell = cell_of(load, cpu_seconds=1.01, rss_mb=700.0)
    assert (cell.p50, cell.p95, cell.p99) == (50.0, 95.0, 99.0)
    assert cell.rate == 101 / 2
    assert cell.cpu_ms == pytest.approx(10.0)
    assert (cell.client_cores, cell.refused, cell.rss_mb) == (0.25, 4, 700.0)


def test_a_round_without_an_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="without one answer"):
        cell_of(Load((), refused=3, seconds=1.0, client_seconds=0.1), 0.0, 0.0)


def test_medians_are_of_each_number_and_no_refusal_is_lost() -> None:
    rounds = [CELL, replace(CELL, p50=40, rate=50), replace(CELL, p50=20, rate=300, refused=5)]
    assert middle(rounds) == replace(CELL, p50=20, rate=100, refused=7)


def test_ratios_are_taken_within_a_round() -> None:
    # the third round was ten times slower for both: the ratio does not notice
    assert ratio([1, 2, 40], [4, 4, 100]) == Ratio(median=0.4, least=0.25, most=0.5)
    assert str(Ratio(0.4, 0.25, 0.5)) == "0.40 (0.25-0.50)"
