"""Spellings that are nearly a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.words.tokens import tokenize
from search.understanding.spelling import Spellings, one_slip

SPELLINGS = Spellings(
    [("sweater",), ("navy", "blue"), ("sunglass",), ("shirt",), ("tie",)],
    ["藏青色", "毛衣"],
    known=frozenset({"skirt"}),
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("swaeter", ("sweater",)),
        ("sweter", ("sweater",)),
        ("sweaterr", ("sweater",)),
        ("navyblue", ("navy", "blue")),
        ("sun glasses", ("sunglass",)),
        ("navi blue", None),
        ("shirts", ("shirt",)),
        ("skirt", None),  # a word of the catalogue
        ("tye", None),  # too short for a slip
        ("xweater", None),  # nobody slips on the first letter
    ],
)
def test_slips_and_joints_lead_to_the_name(written: str, name: tuple[str, ...] | None):
    assert SPELLINGS.of_words(tokenize(written)) == name


@pytest.mark.parametrize(
    ("written", "name"), [("藏青", "藏青色"), ("藏青色款", "藏青色"), ("毛衣类", "毛衣"), ("毛", None), ("毛裤", None)]
)
def test_chinese_endings_say_nothing(written: str, name: str | None):
    assert SPELLINGS.of_han(written) == name


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_one_slip_is_the_distance_of_damerau_being_one(one: str, other: str):
    assert one_slip(one, other) == (_distance(one, other) == 1)


def _distance(one: str, other: str) -> int:
    """Optimal string alignment, row by row."""
    rows = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]
