"""What a query says about the price: "under 500", "500以下", "between 20 and 40 euros", "预算三百块".

A number is a price only beside a cue: a comparison, a currency, a budget. Sizes, years, quantities and models
("size 42", "2012", "pack of 3", "iphone 12", "under 10 cm") have none, or have a unit that says so.
"""

import re
from collections.abc import Iterator
from math import isfinite

from search.understanding.understood import PriceRange

AROUND = 0.2  # share of the price, to each side
_LEAST_BARE = 10.0  # a smaller number without a currency is a count: "under 3"
_LEAST_SPAN = 50.0  # the same for "50-80" without any word

CURRENCIES = {
    "CNY": ("元", "块钱", "块", "人民币", "rmb", "cny", "yuan", "¥", "￥"),
    "USD": ("us dollars", "dollars", "dollar", "usd", "us$", "$", "bucks", "美元", "美金", "刀"),
    "EUR": ("euros", "euro", "eur", "€", "欧元"),
    "GBP": ("pounds", "gbp", "£", "英镑"),
    "INR": ("rupees", "rupee", "inr", "rs.", "rs", "₹", "卢比"),
    "JPY": ("yen", "jpy", "日元", "円"),
}
_CODES = {word: code for code, words in CURRENCIES.items() for word in words}


def _any(words: str) -> str:
    return "|".join(sorted(map(re.escape, words.split("|")), key=len, reverse=True))


_LATIN = "|".join(sorted((re.escape(w) for w in _CODES if w.isascii() and w.isalpha()), key=len, reverse=True))
_OTHER = "|".join(sorted((re.escape(w) for w in _CODES if not (w.isascii() and w.isalpha())), key=len, reverse=True))
_MONEY = rf"(?:{_OTHER}|\b(?:{_LATIN})\b|(?<=\d)(?:{_LATIN})\b|\b(?:{_LATIN})(?=\d))"
_DIGITS = r"(?<![\d.,a-z/])\d+(?:,\d{3})*(?:\.\d+)?(?:k\b|千|万)?"
_HAN_DIGITS = r"[一二两三四五六七八九十百千万零]*[十百千万][一二三四五六七八九十百千万零]*"
_AMOUNT = rf"(?:{_DIGITS}|{_HAN_DIGITS})"


def _priced(name: str) -> str:
    """An amount with an optional currency on either side."""
    return rf"(?P<{name}_before>{_MONEY})?\s*(?P<{name}>{_AMOUNT})\s*(?P<{name}_after>{_MONEY})?"


_BELOW = _any(
    "under|below|less than|up to|at most|cheaper than|lower than|no more than|not more than|not over|not above|max|"
    "maximum|within|<=|<|≤"
)
_ABOVE = _any("over|above|more than|at least|higher than|starting at|starting from|minimum|min|not under|>=|>|≥")
_BELOW_ZH = _any("低于|不超过|不到|少于|小于|最多|至多|不高于|不大于|便宜过|便宜于")
_ABOVE_ZH = _any("高于|超过|大于|多于|至少|最少|不低于|不少于|贵于")
_AFTER_BELOW = _any("以下|以内|之内|之下|封顶|or less|or under|or below|max|at most")
_AFTER_ABOVE = _any("以上|之上|起步|起|or more|or over|or above|and up")
_AFTER_AROUND = _any("左右|上下|附近|or so")
_PRICE_WORD = (
    r"(?:the\s+)?(?:(?:price|prices|priced|cost|costs|costing|价格|价位|售价|价钱|预算|budget)"
    r"\s*(?:of|is|at|在|为|是|:)?\s*)?"
)

_ANY_NUMBER = re.compile(r"[\d十百千万]")

# (form, pattern); the first that fits at a place is taken.
_FORMS = tuple(
    (form, re.compile(pattern))
    for form, pattern in (
        ("between", rf"{_PRICE_WORD}\b(?:between|from)\s+{_priced('low')}\s*(?:and|to|-|–)\s*{_priced('high')}"),
        ("between", rf"{_PRICE_WORD}{_priced('low')}\s*(?:-|–|~|—|to|到|至)\s*{_priced('high')}(?:\s*之间)?"),
        ("below", rf"{_PRICE_WORD}(?:(?<!\w)(?:{_BELOW})|{_BELOW_ZH})\s*{_priced('at')}"),
        ("above", rf"{_PRICE_WORD}(?:(?<!\w)(?:{_ABOVE})|{_ABOVE_ZH})\s*{_priced('at')}"),
        ("below", rf"{_PRICE_WORD}{_priced('at')}\s*(?:{_AFTER_BELOW})"),
        ("above", rf"{_PRICE_WORD}{_priced('at')}\s*(?:{_AFTER_ABOVE})"),
        ("around", rf"{_PRICE_WORD}{_priced('at')}\s*(?:{_AFTER_AROUND})"),
        ("around", rf"{_PRICE_WORD}\b(?:around|about|approximately|roughly|circa)\s+{_priced('at')}"),
        ("around", rf"(?:大约|大概|约)\s*{_priced('at')}"),
        ("below", rf"\b(?:budget|预算)\s*(?:of|is|:|为|是|在)?\s*{_priced('at')}"),
        ("around", _priced("at")),
    )
)
# After the number: what is counted is no money. Before it: what the number belongs to.
_UNIT = re.compile(
    r"\s*(?:[-\s]?(?:cm|mm|m|km|inch|inches|ft|feet|kg|g|gb|tb|mb|mg|ml|l|oz|lb|lbs|w|v|mah|hz|dpi|mp|d|%|°|\"|'|"
    r"pcs|pc|pack|packs|pieces|piece|pairs|pair|years?|yrs?|months?|days?|hours?|hrs?|minutes?|mins?|sizes?|stars?|"
    r"persons?|people|pockets?|layers?|ply|denier|thread|th|st|nd|rd)\b"
    r"|[%°\"']|岁|年|月|日|天|码|号|厘米|毫米|米|寸|英寸|升|毫升|克|公斤|斤|件|双|条|只|个|支|瓶|包|套|张|片|盒|代|款|折|层|人|位|星|丹尼尔|g\b)"
)
_BELONGS = re.compile(
    r"(?:\bsize|\bsizes|\buk|\beu|\bno\.?|\bnumber|\bmodel|\bpack of|\bset of|\biphone|\bgalaxy|\bseries|\blevi'?s|"
    r"\bage|\bages|\baged|\bspf|\bv|鞋码|尺码|码数|腰围|胸围|身高|年龄|型号|第)\s*$"
)


def read_prices(text: str) -> list[PriceRange]:
    """The price ranges that `text` (in normal form) speaks of, from left to right; none of them overlap."""
    found: list[PriceRange] = []
    place = 0 if _ANY_NUMBER.search(text) else len(text)
    while place < len(text):
        price = next(_fitting(text, place), None)
        if price is None:
            place += 1
        else:
            found.append(price)
            place = price.end
    return found


def _fitting(text: str, place: int) -> Iterator[PriceRange]:
    """The readings of a price that begins at `place`."""
    if text[place].isspace() or (
        place
        and text[place].isalnum()
        and text[place - 1].isalnum()
        and text[place].isascii()
        and text[place - 1].isascii()
    ):
        return
    for form, pattern in _FORMS:
        match = pattern.match(text, place)
        if match and (price := _price(form, match, text)):
            yield price


def _price(form: str, match: "re.Match[str]", text: str) -> PriceRange | None:
    names = ("low", "high") if form == "between" else ("at",)
    parts = match.groupdict()
    money = [parts[f"{name}_{side}"] for name in names for side in ("before", "after")]
    currency = next((_CODES[word] for word in money if word), None)
    amounts = [amount(parts[name]) for name in names]
    cued = match.group().strip() != text[match.start(names[0]) : match.end(names[-1])].strip()
    bare = currency is None
    if not all(map(isfinite, amounts)):
        return None
    if bare and (_UNIT.match(text, match.end()) or _BELONGS.search(text[: match.start(names[0])])):
        return None
    if form == "between":
        least = _LEAST_BARE if cued else _LEAST_SPAN
        if amounts[0] >= amounts[1] or (bare and (amounts[0] < least or all(map(_is_year, amounts)))):
            return None
        bounds: tuple[tuple[str, float], ...] = (("gte", amounts[0]), ("lte", amounts[1]))
    else:
        if bare and (not cued or amounts[0] < _LEAST_BARE or (form != "below" and _is_year(amounts[0]))):
            return None
        bounds = _bounds(form, amounts[0])
    return PriceRange(
        match.group().strip(), match.start(), match.start() + len(match.group().rstrip()), bounds, currency
    )


def _bounds(form: str, at: float) -> tuple[tuple[str, float], ...]:
    if form == "below":
        return (("lte", at),)
    if form == "above":
        return (("gte", at),)
    return (("gte", round(at * (1 - AROUND), 2)), ("lte", round(at * (1 + AROUND), 2)))


def _is_year(at: float) -> bool:
    return at.is_integer() and 1950 <= at <= 2040


_HAN_DIGIT = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_UNIT = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}


def amount(text: str) -> float:
    """A number as people write prices: "1,200", "2k", "3.5万", "三百五" (350), "一千二百"."""
    if text[0].isdigit():
        factor = {"k": 1_000, "千": 1_000, "万": 10_000}.get(text[-1], 1)
        return float((text[:-1] if factor > 1 else text).replace(",", "")) * factor
    total, below, digit, unit = 0, 0, 0, 1
    for sign in text:
        if sign in _HAN_DIGIT:
            digit = _HAN_DIGIT[sign]
            unit = 1 if sign == "零" else unit
        elif sign == "万":
            total, below, digit, unit = (total + below + digit) * 10_000, 0, 0, 1_000 * 10
        else:
            unit = _HAN_UNIT[sign]
            below, digit = below + (digit or 1) * unit, 0
    return float(total + below + digit * (unit // 10 if unit >= 100 else 1))
