"""Text as a shop exports it -> text as a person reads it: HTML, entities, mojibake; amounts with units; stock."""

import html
import re
from html.parser import HTMLParser

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    r"</?(?:p|br|div|span|ul|ol|li|b|i|u|a|em|strong|small|sub|sup|h[1-6]|table|thead|tbody|tr|t[dh]|img|hr|font|center|"
    r"style|script|section|article|blockquote|iframe|html|head|body|meta|title|pre|code|dl|dt|dd|figure|video)\b[^<>]*>",
    re.IGNORECASE,
)
_INLINE = frozenset({"span", "b", "i", "u", "a", "em", "strong", "small", "sub", "sup", "font", "code"})
_SILENT = frozenset({"script", "style", "head", "template"})

_UNITS = {
    "mg": "mg", "g": "g", "gr": "g", "gram": "g", "grams": "g", "kg": "kg", "kgs": "kg", "kilogram": "kg",
    "kilograms": "kg", "oz": "oz", "ounce": "oz", "ounces": "oz", "lb": "lb", "lbs": "lb", "pound": "lb",
    "pounds": "lb", "mm": "mm", "millimeter": "mm", "millimeters": "mm", "cm": "cm", "centimeter": "cm",
    "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "inch": "in", "inches": "in", "ft": "ft",
    "feet": "ft", "ml": "ml", "milliliter": "ml", "milliliters": "ml", "cl": "cl", "liter": "l", "liters": "l",
    "litre": "l", "litres": "l",
    "毫米": "mm", "厘米": "cm", "公斤": "kg", "千克": "kg", "克": "g", "毫升": "ml", "升": "l",
}  # fmt: skip  # a lone m, l or in is a size or a word more often than a unit
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)?)\s*([A-Za-z]+|[\u4e00-\u9fff]+)\.?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_UNIT_OF_COLUMN = re.compile(r"[(\[](\w+)[)\]]\s*$")

_IN_STOCK = frozenset(
    {"in stock", "instock", "available", "limited availability", "yes", "true", "y", "有货", "现货", "有库存"}
)
_NO_STOCK = frozenset({
    "out of stock", "outofstock", "sold out", "soldout", "unavailable", "not available", "no", "false", "n", "preorder",
    "pre order", "backorder", "back order", "onbackorder", "on backorder", "discontinued",
    "缺货", "无货", "售罄", "预售",
})  # fmt: skip


def plain_text(text: str) -> str:
    """`text` without tags and entities, and with characters that were read in a wrong encoding put right."""
    if not text.isascii():
        import ftfy  # a tenth of a second, which an ingest of nothing new need not wait for

        text = ftfy.fix_encoding(text)
    for _ in range(2):  # a body that was escaped once more on its way
        if "&" not in text or _TAG.search(text) or not _ENTITY.search(text):
            break
        text = html.unescape(text)
    if "<" in text and _TAG.search(text):
        reader = _Words()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    return text


def measure(text: str, column: str = "") -> str:
    """An amount with its unit in one spelling ("20CM" -> "20 cm"); any other text as it is.

    A bare number takes the unit that its column names: "0.5" under "Weight (kg)" is "0.5 kg". Nothing is converted.
    """
    if found := _AMOUNT.fullmatch(text.strip()):
        unit = _UNITS.get(found[2].casefold())
        return f"{found[1]} {unit}" if unit else text
    named = _UNIT_OF_COLUMN.search(column)
    if named and named[1].casefold() in {*_UNITS, "in", "m", "l"} and _NUMBER.fullmatch(text.strip()):
        return f"{text.strip()} {_UNITS.get(named[1].casefold(), named[1].casefold())}"
    return text


def stock_in_words(text: str) -> int | None:
    """1 ("at least one") for words such as "in stock", 0 for those that mean none now; None for other text."""
    words = " ".join(text.casefold().replace("_", " ").replace("-", " ").split()).rsplit("/", 1)[-1]
    return 1 if words in _IN_STOCK else 0 if words in _NO_STOCK else None


class _Words(HTMLParser):
    """The text between tags; what is a block of its own stands apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in _SILENT
        if tag not in _INLINE:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag not in _INLINE:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
