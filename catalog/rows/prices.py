"""A price as shops write it: "1.299,00 €", "Rs. 599", "599.00 INR", "¥1,280", "1 299,00 kr", "CHF 12.-".

The whole text must be one price. price-parser, which finds a price in any text, reads "-5" as 5 and "call 555 1234" as
5,551,234: a row like that belongs in quarantine.
"""

import re
from typing import Literal, NamedTuple

DecimalMark = Literal[".", ","]

# What a sign may mean, the most usual first: the shop's own currency decides where it is one of them.
SIGNS: dict[str, tuple[str, ...]] = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP"),
    "¥": ("JPY", "CNY"), "￥": ("CNY", "JPY"), "元": ("CNY", "TWD", "HKD"), "rmb": ("CNY",), "cn¥": ("CNY",),
    "円": ("JPY",), "jp¥": ("JPY",), "₩": ("KRW",), "원": ("KRW",),
    "kr": ("SEK", "NOK", "DKK", "ISK"), "kr.": ("DKK", "SEK", "NOK", "ISK"),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"), "rs.": ("INR", "PKR", "LKR", "NPR", "MUR"), "₹": ("INR",),
    "€": ("EUR",), "£": ("GBP", "EGP"), "fr.": ("CHF",), "sfr.": ("CHF",),
    "us$": ("USD",), "ca$": ("CAD",), "c$": ("CAD",), "a$": ("AUD",), "au$": ("AUD",), "nz$": ("NZD",), "s$": ("SGD",),
    "hk$": ("HKD",), "nt$": ("TWD",), "mx$": ("MXN",), "r$": ("BRL",),
    "zł": ("PLN",), "kč": ("CZK",), "ft": ("HUF",), "lei": ("RON",), "лв": ("BGN",), "лв.": ("BGN",),
    "₽": ("RUB",), "руб": ("RUB",), "руб.": ("RUB",), "₺": ("TRY",), "tl": ("TRY",), "₴": ("UAH",), "₪": ("ILS",),
    "฿": ("THB",), "₫": ("VND",), "đ": ("VND",), "rp": ("IDR",), "rp.": ("IDR",), "rm": ("MYR",), "₱": ("PHP",),
    "₦": ("NGN",), "dh": ("AED", "MAD"), "dhs": ("AED",), "ksh": ("KES",),
}  # fmt: skip

_THREE_PLACES = frozenset({"KWD", "BHD", "OMR", "TND", "JOD", "IQD", "LYD"})  # 1.299 of these is no thousand
_CODE = re.compile(r"[a-z]{3}")
_WHOLE = re.compile(
    r"(?P<before>[^\d.,\s-]+\.?)?\s*(?P<number>\d[\d.,'’\s]*?)(?:[.,]-{1,2})?\s*(?P<after>[^\d.,\s-]+\.?)?"
)
_SPACES = re.compile(r"['’\s]")
_GROUPED = re.compile(r"\d{1,3}(?:(['’\s.,])\d{2,3})?(?:\1\d{2,3})*(?<=\d{3})")


class Price(NamedTuple):
    """An amount in units of `currency` (ISO 4217), which is None where neither text nor shop names one."""

    amount: float
    currency: str | None


def parse_price(text: str, currency: str = "", decimal: DecimalMark | None = None) -> Price | None:
    """The price that all of `text` is; None when it is none.

    `currency` is what the shop says beside the text; a code or an unmistakable sign in the text wins. `decimal` is the
    mark before the cents in this shop, where one mark alone could be either: 1.299 is 1299 in a shop that writes 12,50.
    """
    found = _WHOLE.fullmatch(text.strip())
    if not found or (found["before"] and found["after"]):
        return None
    word = (found["before"] or found["after"] or "").casefold()
    stated = currency.upper() or None
    if word:
        meanings = SIGNS.get(word) or ((word.upper(),) if _CODE.fullmatch(word) else ())
        if not meanings:
            return None
        stated = stated if stated in meanings else meanings[0]
    amount = _amount(found["number"].strip(), decimal, stated)
    return None if amount is None else Price(amount, stated)


def shared_sign(text: str) -> tuple[str, tuple[str, ...]] | None:
    """A sign in the price that several currencies have, and those, the one it is taken for first."""
    found = _WHOLE.fullmatch(text.strip())
    word = (found["before"] or found["after"] or "").casefold() if found else ""
    meanings = SIGNS.get(word, ())
    return (word, meanings) if len(meanings) > 1 else None


def decimal_mark(texts: list[str]) -> DecimalMark | None:
    """The mark before the cents that these prices must have; None where none of them tells."""
    seen: set[str] = {mark for text in texts for mark in re.findall(r"\d([.,])\d{1,2}(?!\d|[.,]\d)", text)}
    return "," if seen == {","} else "." if seen == {"."} else None


def _amount(number: str, decimal: DecimalMark | None, currency: str | None) -> float | None:
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        whole, cents = number, ""
    else:
        mark, other = number[last], "," if number[last] == "." else "."
        if number.count(mark) > 1 or (other not in number and _is_thousand(number, last, decimal, currency)):
            whole, cents = number, ""
        else:
            whole, cents = number[:last], number[last + 1 :]
    if not (whole.isdigit() or _GROUPED.fullmatch(whole)) or (cents and not cents.isdigit()):
        return None
    digits = "".join(character for character in whole if character.isdigit())
    return float(f"{digits}.{cents or 0}") if len(digits) <= 15 else None


def _is_thousand(number: str, at: int, decimal: DecimalMark | None, currency: str | None) -> bool:
    """Whether the only mark of `number` parts thousands, not cents."""
    before, after = _SPACES.sub("", number[:at]), number[at + 1 :]
    if len(after) != 3 or len(before) > 3 or before == "0":
        return False
    if decimal is not None:
        return number[at] != decimal
    return number[at] == "," or (currency is not None and currency not in _THREE_PLACES)
