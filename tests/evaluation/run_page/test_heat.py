"""The heat map: colours follow numbers, and the ink is read on every one of them."""

import pytest

from evaluation.pages.heat_colours import DARK, FAR, LIGHT, SIDE, SPAN, STEPS, colours, side_of, span_of, step_of
from evaluation.run_page.heat import heat_map
from evaluation.run_page.page import side_class
from tests.evaluation.run_page.pages import ALPHA, COMPARISON, SLICES, a_report, a_slice

INK = {"light": "#1f2328", "dark": "#e8e6e1"}  # of evaluation/pages/style.css.j2


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "ink"), [(LIGHT, INK["light"]), (DARK, INK["dark"])], ids=["light", "dark"])
def test_the_ink_is_read_on_every_colour_and_more_is_farther_from_the_card(theme: dict[str, str], ink: str) -> None:
    found = colours(theme)
    assert all(contrast(colour, ink) >= 4.5 for colour in found.values())
    for name, steps in (("h", range(STEPS + 1)), ("b", range(1, SIDE + 1)), ("w", range(1, SIDE + 1))):
        away = [contrast(theme["none"], found[f"{name}{step}"]) for step in steps]
        assert away == sorted(away) and len(set(away)) == len(away)


def test_better_and_worse_differ_in_blue_and_not_in_red_and_green_alone() -> None:
    """Who takes red for green still sees blue against yellow."""
    for theme in (LIGHT, DARK):
        better, worse = colours(theme)[f"b{SIDE}"], colours(theme)[f"w{SIDE}"]
        assert int(better[5:], 16) - int(worse[5:], 16) > 100


def test_a_cell_has_the_colour_of_its_number() -> None:
    drawn = heat_map(a_report(SLICES), COMPARISON, ALPHA)
    assert drawn.kinds == ["title_to_photo", "attribute_en"]
    ((dimension, rows, more),) = drawn.groups
    assert (dimension, more, [row.name for row in rows]) == ("language", 0, ["en", "zh"])
    steps = [[None if cell is None else cell.step for cell in row.cells] for row in rows]
    assert (drawn.low, drawn.high) == (0.35, 0.9)
    assert steps == [[0, STEPS], [None, 5]]  # .6 lies .45 of the way from .35 to .9
    assert [(row.moved.step, row.moved.sure) for row in rows if row.moved] == [(2, "better"), (-SIDE, "worse")]


def test_steps_rise_with_the_value_and_end_at_both_ends() -> None:
    steps = [step_of(value / 100, 0.2, 0.9) for value in range(101)]
    assert steps == sorted(steps)
    assert (steps[0], steps[20], steps[90], steps[100]) == (0, 0, STEPS, STEPS)


def test_differences_have_a_side_and_the_far_ones_one_colour() -> None:
    assert [side_of(value) for value in (0.0, FAR / SIDE, -FAR / SIDE, FAR, -1.0)] == [0, 1, -1, SIDE, -SIDE]
    assert [side_class(step) for step in (0, 2, -3)] == ["h0", "b2", "w3"]


def test_what_is_nearly_the_same_everywhere_does_not_look_far_apart() -> None:
    low, high = span_of([0.95, 0.97])
    assert high - low == pytest.approx(SPAN)
    assert span_of([0.1]) == (0.0, 0.1)
    assert span_of([]) == (pytest.approx(1 - SPAN), 1.0)


def test_one_slice_of_a_dimension_tells_nothing_and_the_smallest_of_many_are_counted() -> None:
    assert heat_map(a_report([a_slice("attribute_en", "language=en", 0.5)]), None, ALPHA).empty
    many = [a_slice("attribute_en", f"leaf=c{number:02}", 0.5, n=10 + number) for number in range(30)]
    ((_, rows, more),) = heat_map(a_report(many), None, ALPHA).groups
    assert (rows[0].name, len(rows), more) == ("c29", 24, 6)
