"""Items of an RSS 2.0 or Atom feed as rows, one item in memory at a time. Entities that a feed declares are refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from catalog.errors import InvalidSource
from catalog.sources.rows import Row, in_words
from catalog.sources.sniffing import guess_encoding

_ITEMS = frozenset({"item", "entry"})
_GOOGLE = "{http://base.google.com/ns/1.0}"
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([\w.-]+)["']""")


def read_items(path: Path, encoding: str | None = None) -> Iterator[Row]:
    """Every item: its fields by their names without a namespace, what is repeated as a tuple.

    Raises InvalidSource when the file is not XML to its end: half a feed would be half a catalogue.
    """
    number = 0
    try:
        with path.open(encoding=encoding or _encoding(path), errors="replace") as stream:
            depth: list[Element] = []
            for event, element in iterparse(stream, events=("start", "end")):
                if event == "start":
                    depth.append(element)
                    continue
                depth.pop()
                if _name(element) in _ITEMS:
                    number += 1
                    yield _row(number, _cells(element))
                    if depth:
                        depth[-1].remove(element)
    except ParseError as error:
        raise InvalidSource(f"{path.name} is not XML to its end; after item {number}: {in_words(error)}.") from None
    except DefusedXmlException:
        raise InvalidSource(f"{path.name} declares entities of its own, which a feed has no need of.") from None
    except (OSError, LookupError, UnicodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {in_words(error)}.") from None


def _row(number: int, cells: dict[str, str | tuple[str, ...]]) -> Row:
    broken = any("\ufffd" in text for cell in cells.values() for text in cell)
    return Row(number, cells, "The item holds bytes that are no text in the feed's encoding." if broken else None)


def _encoding(path: Path) -> str:
    """What the declaration says, and what the bytes look like where it is silent."""
    with path.open("rb") as stream:
        declared = _DECLARED.search(stream.read(400))
    return declared[1].decode() if declared else guess_encoding(path)


def _cells(item: Element) -> dict[str, str | tuple[str, ...]]:
    """Text of each child; a field of Google's namespace goes before another of the same name."""
    found: dict[str, list[str]] = {}
    googles = {_name(child) for child in item if str(child.tag).startswith(_GOOGLE)}
    for child in item:
        name = _name(child)
        if name in googles and not str(child.tag).startswith(_GOOGLE):
            continue
        text = _text(child)
        if text:
            found.setdefault(name, []).append(text)
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}


def _text(element: Element) -> str:
    """Its text; of a link of Atom where it leads, of a product detail "section:name:value", else that of its parts."""
    parts = {_name(part): "".join(part.itertext()).strip() for part in element}
    if "attribute_name" in parts:
        words = (parts.get(n, "").replace(":", " ") for n in ("section_name", "attribute_name", "attribute_value"))
        return ":".join(words)
    return "".join(element.itertext()).strip() or element.get("href", "")


def _name(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
