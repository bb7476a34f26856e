"""Candidate, champion and baselines side by side, and what is more than chance."""

import pytest

from evaluation.run_page.scores import reach_of, scores_of, surely, whisker
from tests.evaluation.run_page.pages import ALPHA, COMPARISON, a_difference, a_report


def test_kinds_have_their_candidate_champion_and_baselines() -> None:
    found = scores_of(a_report(), COMPARISON, ALPHA)
    assert [row.kind for row in found.kinds] == ["title_to_photo", "attribute_en"]
    photo, words = found.kinds
    assert list(found.baselines) == ["frozen", "bm25_titles", "random"]
    assert [row is not None and row.mean for row in words.baselines] == [0.5, 0.4, 0.05]
    assert [row is not None for row in photo.baselines] == [False, False, True]
    assert (words.candidate.system, words.candidate.mean) == ("engine", 0.8)
    assert photo.against is not None and words.against is not None and found.overall is not None
    assert (photo.against.sure, words.against.sure, found.overall.sure) == ("no difference shown", "better", "better")
    assert photo.against.row.champion_low == 0.57


def test_without_a_champion_there_is_none_beside_them_and_it_says_why() -> None:
    found = scores_of(a_report(), None, ALPHA, "There was no champion to compare with.")
    assert found.overall is None and all(row.against is None for row in found.kinds)
    assert found.alone == "There was no champion to compare with."


@pytest.mark.parametrize(
    ("value", "p", "scope", "verdict"),
    [
        (0.2, 0.04, "kind", "better"),
        (-0.2, 0.04, "slice", "worse"),
        (0.2, 0.05, "kind", "no difference shown"),
        (0.005, 0.0, "overall", "no difference shown"),  # p is not asked overall; the interval holds 0
        (-0.02, 0.0, "overall", "worse"),
    ],
)
def test_sure_is_what_the_corrected_p_or_overall_the_interval_says(
    value: float, p: float, scope: str, verdict: str
) -> None:
    assert surely(a_difference(scope, "x", value, p), ALPHA) == verdict


def test_an_interval_is_drawn_around_the_middle_of_a_scale_that_holds_all_of_them() -> None:
    rows = [a_difference("kind", "a", 0.04), a_difference("kind", "b", -0.09)]
    assert reach_of(rows) == pytest.approx(0.10)
    assert reach_of([]) == 0.02
    drawn = whisker(rows[0], 0.10)
    assert (drawn.low, drawn.middle, drawn.high) == pytest.approx((0.65, 0.7, 0.75))
    assert whisker(rows[1], 0.10).low == pytest.approx(0.0)
