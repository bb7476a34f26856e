"""Phrases of change: what a shopper says beside a photo to have one facet otherwise ("like this, in red", 换成红色).

    change_phrases("colour", "Red", terms, "en", random.Random(7), count=3)
    -> ("in red", "same but red", "do you have it in red")

Two styles as in catalog.words.phrases, "train" and "judge": they share no template but the bare name.
"""

import random
from collections.abc import Mapping, Sequence

from catalog.products import CATEGORY
from catalog.words.phrases import Style, said_slots
from catalog.words.terms import TermIndex

# A template speaks of one slot of catalog.words.phrases; {extra} is any facet but colour, gender and category.
TRAIN: Mapping[str, Sequence[str]] = {
    "en": (
        "{colour}", "in {colour}", "but in {colour}", "like this in {colour}", "same but {colour}",
        "change it to {colour}", "do you have it in {colour}", "{colour} version", "i want it {colour}",
        "for {who}", "but for {who}", "same but for {who}", "{own}", "{own} version", "do you have it for {who}",
        "{extra}", "but {extra}", "same but {extra}", "like this but {extra}", "{extra} version", "i want it {extra}",
        "{noun}", "{noun} like this", "as {noun}", "same but {noun}", "{noun} that go with this",
    ),
    "zh": (
        "{colour}", "换成{colour}", "{colour}的", "要{colour}的", "改成{colour}", "有没有{colour}的", "同款{colour}",
        "这款的{colour}", "想要{colour}",
        "{own}", "换成{own}", "{who}穿的", "适合{who}的", "同款{own}", "有没有{own}的",
        "{extra}", "换成{extra}", "{extra}的", "要{extra}的", "同款{extra}", "{extra}一点的",
        "{noun}", "换成{noun}", "这样的{noun}", "同款{noun}", "有没有{noun}",
    ),
}  # fmt: skip
JUDGE: Mapping[str, Sequence[str]] = {
    "en": (
        "{colour}", "make it {colour}", "the {colour} one please", "this one in {colour}, please",
        "{own}", "make it {own}", "the {own} one please",
        "{extra}", "make it {extra}", "the {extra} one please",
        "{noun}", "make it {noun}", "the same thing, but {noun}",
    ),
    "zh": (
        "{colour}", "我要{colour}款", "一样的，{colour}", "给我看{colour}的",
        "{own}", "我要{own}款", "一样的，{own}",
        "{extra}", "我要{extra}款", "一样的，{extra}",
        "{noun}", "我要{noun}", "一样的，{noun}",
    ),
}  # fmt: skip
_SLOTS = ("colour", "who", "own", "extra")


def change_phrases(
    field: str, value: str, terms: TermIndex, language: str, rng: random.Random, count: int, style: Style = "train"
) -> tuple[str, ...]:
    """Up to `count` different phrases that ask for `value` of facet `field`; none when it has no name in `language`."""
    templates = (TRAIN if style == "train" else JUDGE)[language]
    phrases: dict[str, None] = {}
    for _ in range(2 * count):
        slots = said_slots({field: value}, terms, language, rng, style)
        if slots is None:
            break
        filled = ["noun"] if field == CATEGORY else [slot for slot in _SLOTS if slots[slot]]
        fitting = [template for template in templates if any(f"{{{slot}}}" in template for slot in filled)]
        phrases[rng.choice(fitting).format_map(slots)] = None
        if len(phrases) == count:
            break
    return tuple(phrases)
