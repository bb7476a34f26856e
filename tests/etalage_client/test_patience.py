"""When the client tries again, by a clock that is a number."""

from datetime import UTC, datetime

import pytest

from etalage_client.errors import Busy, InvalidQuery, NoAnswer, NoJournal, NotReady, Refused, ServiceFailed, Unreachable
from etalage_client.patience import Patience, Tries, seconds_of


def busy(after: float | None = None) -> Busy:
    return Busy("Busy.", 429, "busy", after=after)


def tries(patience: Patience, chance: float = 1.0) -> tuple[Tries, list[float]]:
    """Tries, and the clock that they look at."""
    now = [0.0]
    return Tries(patience, clock=lambda: now[0], chance=lambda: chance), now


def test_pauses_double_up_to_the_bound_and_the_last_try_gives_the_refusal_itself():
    left, _ = tries(Patience(deadline=1000, tries=6, first=0.5, most=3))
    assert [left.pause(busy()) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    last = busy()
    with pytest.raises(Busy) as raised:
        left.pause(last)
    assert raised.value is last


def test_a_pause_is_drawn_from_nothing_to_its_bound():
    assert tries(Patience(first=2, most=9), chance=0.0)[0].pause(busy()) == 0.0
    assert tries(Patience(first=2, most=9), chance=0.25)[0].pause(busy()) == 0.5


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_what_retry_after_says_is_waited_for_at_least_and_the_drawn_pause_comes_on_top(chance: float):
    assert tries(Patience(first=2), chance)[0].pause(busy(after=7)) == 7 + 2 * chance


def test_a_pause_that_would_end_after_the_deadline_is_not_begun():
    left, now = tries(Patience(deadline=10, first=0))
    now[0] = 4.0
    assert left.pause(busy(after=5.9)) == 5.9
    with pytest.raises(Busy):
        left.pause(busy(after=6))


def test_at_the_deadline_it_is_said_how_long_it_was_and_how_often_it_failed():
    left, now = tries(Patience(deadline=3, first=0))
    assert left.left() == 3
    left.pause(Unreachable("x"))
    now[0] = 3.0
    with pytest.raises(NoAnswer, match=r"^There was no answer within 3 seconds, after 1 tries that failed\.$"):
        left.left()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_by_itself_is_tried_again(status: int):
    assert tries(Patience(first=1))[0].pause(Refused("No.", status, "")) == 1
    assert tries(Patience(first=1))[0].pause(Unreachable("No.")) == 1
    assert tries(Patience(first=1))[0].pause(NotReady("No.", 503, "not_ready")) == 1


@pytest.mark.parametrize(
    "error",
    [
        InvalidQuery("No.", 400, "invalid_query"),
        ServiceFailed("No.", 500, "internal"),
        NoJournal("No.", 503, "no_journal"),
        Refused("No.", 404, ""),
        Refused("Moved.", 307, ""),
    ],
)
def test_what_a_retry_does_not_change_is_told_at_once(error: Refused):
    with pytest.raises(type(error)):
        tries(Patience())[0].pause(error)


NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("3", 3.0), ("0", 0.0), ("-5", 0.0), ("1.5", 1.5), (None, None), ("soon", None), ("inf", None), ("nan", None),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0), ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(words: str | None, seconds: float | None):
    assert seconds_of(words, NOW) == seconds


@pytest.mark.parametrize("wrong", [{"deadline": 0}, {"tries": 0}, {"first": -1}, {"most": -1}, {"connect": 0}])
def test_a_patience_that_cannot_be_is_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="This patience cannot be"):
        Patience(**wrong)  # type: ignore[arg-type]
