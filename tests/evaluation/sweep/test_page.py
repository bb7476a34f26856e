"""The page of a sweep stands alone and says what was found, and what could not be."""

import re

from evaluation.sweep.page import render
from evaluation.sweep.results import Importance, SweepReport, Trial, TrialReport


def a_trial(number: int, quality: float, latency: float, on_front: bool) -> Trial:
    return Trial(
        number=number,
        state="measured",
        settings={"train.learning_rate": 0.001 * (number + 1), "model.fusion": "mean"},
        experiment=f"sweep-abc-{number}",
        seconds=90.0,
        on_front=on_front,
        report=TrialReport(
            quality=quality,
            by_kind={"attribute_en": quality},
            queries=10,
            latency_p50_ms=latency,
            latency_p95_ms=2 * latency,
            timed=5,
            searched=100,
            encoder="e" * 16,
            questions="q" * 16,
        ),
    )


REPORT = SweepReport(
    study="sweep-abc",
    snapshot="5" * 12,
    code="c" * 12,
    budget=4,
    base={"train.learning_rate": 0.002},
    trials=(
        a_trial(0, 0.8, 3.0, True),
        a_trial(1, 0.7, 4.0, False),
        a_trial(2, 0.9, 5.0, True),
        Trial(number=3, state="refused", settings={"model.fusion": "mean"}, reason="mean has <nothing> to learn"),
    ),
    importance=(
        Importance(objective="quality", method="fANOVA", shares={"train.learning_rate": 0.9, "model.fusion": 0.1}),
        Importance(objective="latency", method="fANOVA", shares={}, reason="3 trials were measured; 4 are needed."),
    ),
)


def test_the_front_is_told_fastest_first() -> None:
    assert [trial.number for trial in REPORT.front()] == [0, 2]
    assert SweepReport.model_validate_json(REPORT.model_dump_json()) == REPORT


def test_the_page_loads_nothing_and_has_every_trial() -> None:
    page = render(REPORT)
    assert "://" not in page
    assert all(place.startswith("#") for place in re.findall(r'(?:src|href)="([^"]*)"', page))  # marks of its own plots
    assert "<script" not in page
    assert page.count("<svg") == 2  # the front, and what moved quality
    for said in (
        "sweep-abc-0",
        "0.9000",
        "mean has &lt;nothing&gt; to learn",
        "3 trials were measured",
        "color-scheme",
    ):
        assert said in page
    assert "#0101" not in page  # every placeholder colour became a variable
    assert render(REPORT) == page


def test_a_sweep_without_a_measured_trial_has_a_page_too() -> None:
    page = render(REPORT.model_copy(update={"trials": REPORT.trials[3:]}))
    assert page.count("<svg") == 1
    assert "1 refused" in page
