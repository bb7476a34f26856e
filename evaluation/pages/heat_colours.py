"""The colours of heat maps on pages: numbers as steps of one hue, differences as steps of two.

From the card's own colour to one on which the page's ink is still read well, so that nothing depends on telling red
from green; differences go from orange over nothing to blue, and have a sign.
"""

from collections.abc import Sequence

STEPS = 10
SIDE = 5  # steps to either side of no difference
FAR = 0.10  # a difference that has the last step
SPAN = 0.3  # the least that the colours of values span: what is all alike shall look so

LIGHT = {"none": "#fbfbfd", "most": "#74ade0", "worse": "#f0a35e"}
DARK = {"none": "#1c2024", "most": "#1d6299", "worse": "#8a4a0e"}


def span_of(values: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest, SPAN apart at least: between these values the colours change."""
    high = max(values, default=1.0)
    return max(0.0, min([*values, high - SPAN])), high


def step_of(value: float, low: float, high: float) -> int:
    """0 for `low`, STEPS for `high`, and as far between them as the value is."""
    return round(STEPS * min(1.0, max(0.0, (value - low) / max(high - low, 1e-9))))


def side_of(difference: float) -> int:
    """Steps away from 0; whatever is FAR or farther has the last."""
    return round(SIDE * min(1.0, max(-1.0, difference / FAR)))


def colours(theme: dict[str, str]) -> dict[str, str]:
    """Class -> background: h0 to h10 for values, b1 to b5 for better, w1 to w5 for worse."""
    values = {f"h{step}": mixed(theme["none"], theme["most"], step / STEPS) for step in range(STEPS + 1)}
    better = {f"b{step}": mixed(theme["none"], theme["most"], step / SIDE) for step in range(1, SIDE + 1)}
    worse = {f"w{step}": mixed(theme["none"], theme["worse"], step / SIDE) for step in range(1, SIDE + 1)}
    return {**values, **better, **worse}


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, `share` of the way to the other, by each of red, green and blue."""
    parts = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (one, other)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(*parts, strict=True))
