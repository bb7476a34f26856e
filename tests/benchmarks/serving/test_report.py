"""The report says what was measured, and says so when an aim is missed."""

from dataclasses import replace

from benchmarks.serving.cell import Cell
from benchmarks.serving.measure import ALONE, PEER, SERVICE, SEVERAL, Measured, phases, turned
from benchmarks.serving.plan import Plan
from benchmarks.serving.report import aims, cells, difference, phase_table, ratios, report
from search.logic import SearchLogic

PLAN = Plan(rounds=2, starts=1, clients=(1, 16), requests=10, each=1, queries=5)
BY_HAND = Cell(p50=20, p95=30, p99=40, rate=50, cpu_ms=18, rss_mb=900, client_cores=0.1, refused=0)
OURS = replace(BY_HAND, p50=5, rate=200, cpu_ms=6)


def measured(ours: Cell = OURS) -> Measured:
    """Two rounds of texts, the second twice as slow for everybody."""
    found = Measured()
    for slow in (1.0, 2.0):
        for clients in PLAN.clients:
            several = [] if clients == 1 else [(SEVERAL, ours)]
            for name, cell in ((SERVICE, ours), *several, (PEER, BY_HAND), (ALONE, ours)):
                found.rounds["text", clients, name].append(replace(cell, p50=cell.p50 * slow, rate=cell.rate / slow))
            for name in ("cache off", "cache on"):
                found.cached["text", clients, name].append(ours)
        found.floor["text"].append(4.0 * slow)
    for name in (SERVICE, PEER):
        found.starts[name], found.memory[name] = [5.0, 7.0], (600.0, 550.0)
    found.phases["text"] = {"encode": 1.0, "took_ms": 4.5, "HTTP": 0.5}
    found.overlap["text"] = 1.0
    return found


def test_there_is_a_row_for_every_server_and_number_of_clients() -> None:
    rows = cells(measured(), PLAN)
    assert [row[:3] for row in rows] == [
        ["text", "1", "floor, in process"],
        *(["text", "1", name] for name in (SERVICE, PEER, ALONE)),
        *(["text", "16", name] for name in (SERVICE, SEVERAL, PEER, ALONE)),
    ]
    assert {len(row) for row in rows} == {11}


def test_ratios_are_against_the_search_by_hand_and_the_floor() -> None:
    assert ratios(measured(), PLAN)[0] == [
        "text", "1", "0.25 (0.25-0.25)", "4.00 (4.00-4.00)", "0.33 (0.33-0.33)", "1.25 (1.25-1.25)",
    ]  # fmt: skip


def test_aims_that_are_reached_and_missed_are_told_apart() -> None:
    assert "MISSED" not in aims(measured(), PLAN)
    slow = aims(measured(replace(BY_HAND, p50=11, rate=100)), PLAN)
    assert slow.count("MISSED") == len(slow.splitlines()) == 6
    assert "MISSED: service: text, at 16, req/s of by hand's 2.00 (aim: at least 3)" in slow


def test_every_table_has_one_width() -> None:
    for block in report(measured(), PLAN).split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_phases_are_medians_over_answers() -> None:
    told = [
        {"timings_ms": {"encode": ms, "rank": 1.0}, "took_ms": ms + 2, "waited": 2 * ms + 2} for ms in (1.0, 3.0, 8.0)
    ]
    assert phases(told) == {"encode": 3.0, "rank": 1.0, "took_ms": 5.0, "HTTP": 3.0}


def test_a_phase_that_a_kind_does_not_have_is_left_open() -> None:
    found = Measured(phases={"text": {"encode": 1.5}, "photo": {"decode": 1.0, "encode": 7.25}})
    assert [line.split() for line in phase_table(found).splitlines()][2:] == [
        ["|", "text", "|", "1.50", "|", "-", "|"],
        ["|", "photo", "|", "7.25", "|", "1.00", "|"],
    ]


def test_who_comes_first_changes_with_the_round() -> None:
    assert list(turned(("a", "b"), 0)) == ["a", "b"]
    assert list(turned(("a", "b"), 1)) == ["b", "a"]


def test_the_difference_names_the_legs_of_each_kind_and_only_what_is_there() -> None:
    told = difference(SearchLogic(), {"text": 1.0})
    assert "- photo: legs " + ", ".join(SearchLogic().ranking.weights_for("image")) in told
    assert "texts are read" not in told and "learned network" not in told
