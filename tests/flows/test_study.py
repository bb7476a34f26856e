"""The journal of a sweep: what it remembers, what it tries again, and what it never repeats."""

from pathlib import Path

import pytest

from evaluation.sweep.results import TrialReport
from evaluation.sweep.space import Between, OneOf, Space
from flows.study import LEAST, Study

SPACE: Space = {"train.learning_rate": Between(low=0.0, high=1.0), "model.fusion": OneOf(choices=("mean", "gated"))}


def opened(folder: Path, name: str = "one") -> Study:
    return Study(folder / "journal.log", name, SPACE, seed=1)


def report(quality: float, latency: float) -> TrialReport:
    return TrialReport(
        quality=quality,
        by_kind={"attribute_en": quality},
        queries=1,
        latency_p50_ms=latency,
        latency_p95_ms=latency,
        timed=1,
        searched=1,
        encoder="e",
        questions="q",
    )


def test_the_present_values_are_tried_first_and_only_once(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.begin_with({"train.learning_rate": 0.25})
    study.begin_with({"train.learning_rate": 0.25})
    first, second = study.next(), study.next()
    assert first.values["train.learning_rate"] == 0.25
    assert first.values["model.fusion"] in ("mean", "gated")
    assert second.values["train.learning_rate"] != 0.25


def test_what_ended_is_known_to_the_next_process_with_all_that_was_measured(tmp_path: Path) -> None:
    study = opened(tmp_path)
    good, bad = study.next(), study.next()
    study.measured(good, report(0.9, 3.0), "sweep-one-a", 12.5)
    study.refused(bad, "It cannot be.")
    again = opened(tmp_path)
    assert again.finished() == 2
    measured, refused = again.trials()
    assert (measured.state, measured.experiment, measured.seconds) == ("measured", "sweep-one-a", 12.5)
    assert measured.report == report(0.9, 3.0)
    assert measured.settings == good.values
    assert (refused.state, refused.reason, refused.report) == ("refused", "It cannot be.", None)
    assert again.known(good.values) == measured
    assert again.known({**good.values, "train.learning_rate": -1.0}) is None


def test_a_trial_that_was_killed_is_tried_again_first_with_the_same_values(tmp_path: Path) -> None:
    killed = opened(tmp_path).next()  # and its process is gone
    again = opened(tmp_path)
    assert again.finished() == 0
    assert again.next().values == killed.values
    third = opened(tmp_path)  # killed once more
    retried = third.next()
    assert retried.values == killed.values
    third.measured(retried, report(0.5, 1.0), "x", 1.0)
    last = opened(tmp_path)
    assert last.finished() == 1
    assert last.next().values != killed.values


def test_a_trial_that_was_queued_twice_is_tried_once(tmp_path: Path) -> None:
    killed = opened(tmp_path).next()
    opened(tmp_path)  # queues it again, and is killed before it asks
    study = opened(tmp_path)
    assert study.next().values == killed.values
    assert study.next().values != killed.values


def test_a_line_cut_by_a_kill_is_removed_and_what_was_written_before_is_kept(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.measured(study.next(), report(0.9, 3.0), "x", 1.0)
    journal = tmp_path / "journal.log"
    with journal.open("ab") as stream:
        stream.write(b'{"op_code": 5, "worker')
    again = opened(tmp_path)
    again.measured(again.next(), report(0.8, 2.0), "y", 1.0)
    assert opened(tmp_path).finished() == 2


def test_studies_of_other_names_share_a_journal_and_nothing_else(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.measured(study.next(), report(0.9, 3.0), "x", 1.0)
    assert opened(tmp_path, "other").finished() == 0


def test_the_same_history_draws_the_same_next_trial(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        study = opened(tmp_path / folder)
        study.measured(study.next(), report(0.9, 3.0), "x", 1.0)
    assert opened(tmp_path / "a").next().values == opened(tmp_path / "b").next().values


def test_the_front_and_what_moved_each_objective_where_that_is_known(tmp_path: Path) -> None:
    """Quality is the learning rate; latency depends on the fusion alone."""
    study = opened(tmp_path)
    for _ in range(16):
        attempt = study.next()
        rate, slow = float(attempt.values["train.learning_rate"]), attempt.values["model.fusion"] == "gated"
        study.measured(attempt, report(rate, 5.0 if slow else 1.0), "x", 1.0)
    importance = {row.objective: row.shares for row in study.importance()}
    assert importance["quality"]["train.learning_rate"] > 0.9
    assert importance["latency"]["model.fusion"] > 0.9
    assert sum(importance["quality"].values()) == pytest.approx(1.0)
    best = max(study.trials(), key=lambda trial: trial.report.quality if trial.report else 0.0)
    assert best.on_front
    fast = [trial for trial in study.trials() if trial.settings["model.fusion"] == "mean"]
    assert max(fast, key=lambda trial: trial.settings["train.learning_rate"]).on_front
    assert sum(trial.on_front for trial in study.trials()) <= 2


def test_too_few_trials_or_trials_alike_say_so_instead_of_a_number(tmp_path: Path) -> None:
    study = opened(tmp_path)
    for _ in range(LEAST - 1):
        study.measured(study.next(), report(0.5, 1.0), "x", 1.0)
    assert {row.reason for row in study.importance()} == {f"{LEAST - 1} trials were measured; {LEAST} are needed."}
    study.measured(study.next(), report(0.5, 1.0), "x", 1.0)
    assert {row.reason for row in study.importance()} == {"All trials came to the same."}
