"""Time in words, and money where an hour has a price."""

import pytest
from pydantic import ValidationError

from evaluation.run_page.costs import Cost, Costs, ReportParams, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "·"),
        (0.04, "0.0 s"),
        (59.9, "59.9 s"),
        (59.96, "1 min 00 s"),
        (332.4, "5 min 32 s"),
        (5100.0, "1 h 25 min"),
    ],
)
def test_a_duration_is_said_in_the_unit_that_fits(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_an_hour_costs_its_price_and_nothing_is_said_without_one() -> None:
    rows = [Cost("train", "ran", 3600.0, 7000.0, 900.0), Cost("index", "ran", 60.0, None), Cost("embed", "unchanged")]
    costs = Costs(rows, 4000.0, ReportParams(price_per_hour=1.5, currency="CHF"))
    assert (costs.money(3600.0), costs.money(None)) == ("1.50 CHF", "")
    assert (costs.longest, costs.processor_seconds, costs.peak_mb) == (3600.0, 7000.0, 900.0)
    assert Costs(rows, 4000.0, ReportParams()).money(3600.0) == ""
    assert Costs([], 1.0, ReportParams()).longest == 1.0


def test_a_price_below_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        ReportParams(price_per_hour=-1.0)
