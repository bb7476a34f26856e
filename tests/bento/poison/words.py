"""Texts: whatever is text is answered, half characters and control characters are not text."""

from tests.bento.hostile import body, fields
from tests.bento.poison.case import Poison, Row, table

SOUND = {
    "Arabic": "فستان أحمر",
    "Hebrew with points": "שִׂמְלָה אֲדֻמָּה",
    "a right-to-left override": "red \u202essserd\u202c dress",
    "isolates that never close": "\u2066\u2067\u2068red dress",
    "emoji": "👗❤️",
    "a family of emoji": "👨‍👩‍👧‍👦" * 50,
    "flags": "🇫🇷🇨🇳" * 100,
    "composed": "robe d'été",
    "decomposed": "robe d'e\u0301te\u0301",
    "full width": "ｒｅｄ　ｄｒｅｓｓ",
    "mathematical letters": "𝐫𝐞𝐝 𝒅𝒓𝒆𝒔𝒔",
    "a ligature that unfolds to eighteen characters, all over": "\ufdfa" * 2000,
    "company signs that unfold": "㍿" * 2000,
    "Hangul in its parts": "\u1105\u1175\u11ab" * 100,
    "a dotted capital I": "KIRMIZI ELBİSE İİİ",
    "sharp s": "STRAẞE straße",
    "look-alikes": "rеd drеss",
    "soft hyphens": "r\u00ade\u00add",
    "only characters without width": "\u200b\u200c\u200d\u2060\ufeff",
    "only combining marks": "\u0301" * 100,
    "only variation selectors": "\ufe0f\U000e0100",
    "invisible tags": "red" + "".join(chr(0xE0000 + ord(c)) for c in "dress"),
    "no characters": "\ufffe\uffff\U0001ffff",
    "line and paragraph separators": "red\u2028dress\u2029",
    "only punctuation": "!?.,;:-_()[]{}",
    "only quotes": "'\"`´’”«»" * 100,
    "only minus signs": "-" * 2000,
    "only digits": "9" * 2000,
    "only the word not": "not " * 500,
    "only the word under": "under " * 300,
    "a price without end": "jeans under " + "9" * 1900,
    "a price of many commas": "jeans under " + "1," * 900,
    "a price that is no number": "jeans under 1e999, over NaN",
    "a range turned round": "jeans between 500 and 5",
    "a price of another script": "jeans under ٥٠٠",
    "a pattern that backtracks": "(a+)+" * 300 + "!",
    "spaces": "red" + " " * 1990 + "dress",
    "SQL": "red'; DROP TABLE products; --",
    "Milvus": 'red" or id != "" or facets like "%',
    "a shell": "$(reboot) `reboot` | reboot",
    "a template": "{{7*7}} ${jndi:ldap://127.0.0.1/a} %s%n%x",
    "markup": "<script>alert(1)</script><!--",
    "a path": "../../../../etc/passwd",
    "Chinese up to the limit": "红" * 2000,
    "characters of four bytes up to the limit": "𠮷" * 2000,
    "Chinese without a break": "红色连衣裙不要蓝色" * 200,
    "escaped as a pair": "\U0001f457 dress",
}

UNSOUND: list[Row] = [
    ("a high half", 400, lambda: fields(text="red \ud83d")),
    ("a low half", 400, lambda: fields(text="\udc57 red")),
    ("halves in the wrong order", 400, lambda: fields(text="\udc57\ud83d")),
    ("halves with a letter between", 400, lambda: fields(text="\ud83dx\udc57")),
    ("a half as three raw bytes", 400, lambda: body(b'{"text": "red \xed\xa0\xbd"}')),
    ("an overlong slash", 400, lambda: body(b'{"text": "red \xc0\xaf"}')),
    ("a character beyond the last", 400, lambda: body(b'{"text": "red \xf5\x80\x80\x80"}')),
    ("a character cut in two", 400, lambda: body('{"text": "红'.encode()[:-1] + b'"}')),
    ("a NUL", 400, lambda: fields(text="red\0")),
    ("a raw NUL", 400, lambda: body(b'{"text": "red\0"}')),
    ("a raw line break", 400, lambda: body(b'{"text": "red\ndress"}')),
    ("a backspace", 400, lambda: fields(text="red\b\b\bblue")),
    ("a bell", 400, lambda: fields(text="\a")),
    ("a delete", 400, lambda: fields(text="red\x7f")),
    ("a control character of the upper half", 400, lambda: fields(text="red\x85\x9b")),
    ("a control character in a term", 400, lambda: fields(text="red", terms=[{"text": "wo\x1bol"}])),
    ("a control character in a leg", 400, lambda: fields(text="red", legs=["dense\0"])),
    ("a half in the name of a field", 400, lambda: fields(**{"text": "red", "\ud800": 1})),
    ("a control character in the name of a field", 400, lambda: fields(**{"text": "red", "k\0": 1})),
    ("nothing", 400, lambda: fields(text="")),
    ("a space without a break", 400, lambda: fields(text="\u00a0\u2003\u3000")),
    ("one character too many", 400, lambda: fields(text="a" * 2001)),
    ("a line of a quarter of a megabyte", 400, lambda: fields(text="a" * 250_000)),
    ("five megabytes", 413, lambda: fields(text="red " * 1_300_000)),
    ("five megabytes of Chinese", 413, lambda: fields(text="红色" * 800_000)),
    ("false", 422, lambda: fields(text=False)),
    ("an object", 422, lambda: fields(text={"$regex": ".*"})),
    ("a list of texts", 422, lambda: fields(text=["red"] * 1000)),
]


def entries() -> list[Poison]:
    """Every text."""
    sound = [
        Poison(f"text: {name}", (200,), lambda text=text: fields(text=text, k=3), hits=3)
        for name, text in SOUND.items()
    ]
    return sound + table((f"text: {name}", status, request) for name, status, request in UNSOUND)
