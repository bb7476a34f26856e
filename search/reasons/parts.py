"""A query's text cut to the parts that reasons speak of: what was understood as one thing, and the words between."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from catalog.products import CATEGORY
from catalog.words.tokens import normalise, tokenize
from search.understanding.fillers import FILLERS
from search.understanding.pieces import NameTable
from search.understanding.scripts import simplified
from search.understanding.understood import Mention, Understood

MOST_PARTS = 16

_WORDS = NameTable(())  # cuts at words alone


class Part(NamedTuple):
    """text[start:end]; `mention`: what it was understood as, None for a plain word."""

    text: str
    start: int
    end: int
    mention: Mention | None


def parts_of(text: str, understood: Understood | None) -> tuple[str, list[Part]]:
    """The text that the parts count in, and the first MOST_PARTS of them. Prices are none: they cut, and score nothing.

    That text is `text` itself, unless it changes its length when it is read (full-width letters, double spaces): then
    it is the text as it was read.
    """
    read = simplified(normalise(text))
    whole = text if len(read) == len(text) else read
    mentions = [] if understood is None else [own for own in understood.mentions if own.end > own.start]
    prices = () if understood is None else understood.prices
    taken = [*((own.start, own.end) for own in mentions), *((own.start, own.end) for own in prices)]
    found = [Part(whole[own.start : own.end], own.start, own.end, own) for own in mentions]
    for piece in _WORDS.cut(read):
        free = all(piece.end <= start or piece.start >= end for start, end in taken)
        if free and piece.kind != "mark" and not FILLERS.issuperset(tokenize(piece.text)):
            found.append(Part(whole[piece.start : piece.end], piece.start, piece.end, None))
    return whole, sorted(found, key=lambda part: part.start)[:MOST_PARTS]


def without(text: str, part: Part) -> str:
    """`text` with nothing where the part was."""
    return " ".join((text[: part.start] + " " + text[part.end :]).split())


def met_by(part: Part, product: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a product that hold the part's words, or a value that it means."""
    words = set(tokenize(part.text))
    means = set() if part.mention is None else {(own.field, normalise(own.value)) for own in part.mention.meanings}
    fields: list[str] = []
    for field, values in fields_of(product).items():
        if any((field, normalise(value)) in means for value in values) or words & set(tokenize(" ".join(values))):
            fields.append(field)
    return tuple(fields)


def fields_of(product: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What words can meet in a product: field -> its texts."""
    texts = {field: [product[field]] for field in ("title", "description", "brand") if product[field]}
    return {**texts, CATEGORY: product[CATEGORY], **{name: [value] for name, value in product["attributes"].items()}}
