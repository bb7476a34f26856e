"""A small part of the harness, with real processes: that it passes where it should, and that it can fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.serving.rolling import runs
from tests.pipeline.workspace import prefect_server
from tests.recovery.killing import After, Seam
from tests.recovery.phases import FIRST, PHASES, Point, points
from tests.recovery.trial import Outcome, load_outcome, try_point
from tests.recovery.worlds import Atlas, World


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    """A catalogue of forty products."""
    into = tmp_path_factory.mktemp("recovery")
    with prefect_server(into / "prefect") as url:
        yield Atlas(into, url, print, products=40)


@pytest.mark.slow
@pytest.mark.parametrize("point", points(seed=1, count=2, phases=[FIRST]), ids=str)
def test_an_ingest_killed_at_a_seeded_point_and_run_again_ends_as_an_undisturbed_one(atlas: Atlas, point: Point):
    outcome = try_point(atlas, point)
    assert outcome.wrong == (), outcome.line()
    assert "run again: exit 0" in outcome.line() and outcome.line().endswith("state equal")


def test_a_command_that_ends_before_its_point_is_told_from_one_that_was_killed(tmp_path: Path):
    world = World(tmp_path, None)
    world.workspace.mkdir()
    never = Seam(r"open \S*no/such/file")
    assert world.start("help.log", "--help", seam=never).wait().code == 0
    assert world.start("help.log", "--help").kill_after(After("no such mark", 0.0)).code == 0
    assert world.start("help.log", "--help").kill_after(After("", 0.0)).code is None


def test_everything_a_killed_command_started_is_killed_in_another_process_group_too(tmp_path: Path):
    world = World(tmp_path, None)
    world.workspace.mkdir()
    (world.workspace / "flows").mkdir()
    (world.workspace / "flows" / "__main__.py").write_text(
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print('started', child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    killed = world.start("killed.log").kill_after(After("started", 0.0))
    assert killed.code is None
    assert not runs(int(killed.log.split()[1]))


def test_thirty_points_of_a_seed_are_the_same_each_time_and_every_phase_has_several():
    assert points(3, 30) == points(3, 30) != points(4, 30)
    counts = {phase.name: sum(point.phase is phase for point in points(3, 30)) for phase in PHASES}
    assert sum(counts.values()) == 30 and min(counts.values()) >= 3
    assert [point.number for point in points(3, 30)] == list(range(1, 31))
    by_time = [point.trigger for point in points(3, 30) if isinstance(point.trigger, float)]
    assert len(by_time) > 10 and all(0.0 <= share <= 1.0 for share in by_time)


def test_a_share_of_a_phase_is_seconds_after_the_mark_with_which_it_begins():
    point = next(point for point in points(1, 30) if isinstance(point.trigger, float))
    after = point.after({point.phase.begins: 10.0, point.phase.ends: 14.0})
    assert after.seconds == pytest.approx(4.0 * point.trigger, abs=0.001)


def test_results_are_kept_and_read_again(tmp_path: Path):
    outcome = Outcome("01 seed 1 ingest", "killed at 5 ms", "run again: exit 0", 7, ("other: data.dvc",))
    outcome.save(tmp_path / "results" / "01.json")
    assert load_outcome(tmp_path / "results" / "01.json") == outcome
    assert load_outcome(tmp_path / "results" / "02.json") is None
    assert not outcome.passed
