"""Words of a text: normal form, tokens for the lexical leg, and which language it is in."""

import logging
import re
import threading
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

TextLanguage = Literal["en", "zh", "mixed"]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # inside [] of a regular expression
_FEW_CHARACTERS = 32
_RUN = re.compile(rf"t恤(?P<tee>衫?)|(?P<han>[{HAN}]+)|(?P<word>[^\W_{HAN}]+(?:'[^\W_{HAN}]+)*)")
_HAN_CHARACTER = re.compile(rf"[{HAN}]")
_LATIN_WORD = re.compile(r"[a-z\u00c0-\u024f]{2,}", re.IGNORECASE)
_ONE_LETTER_HYPHEN = re.compile(r"\b([a-z])-(?=[a-z]{2})")  # t-shirt, v-neck
_ONE_LETTER_SPACE = re.compile(r"\b(t) (?=shirt)|\b([uv]) (?=neck)")  # t shirt, v neck
_QUOTES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'") | dict.fromkeys("\u2010\u2011", "-"))

# English words whose singular the endings below would miss, and two spellings of one word.
_IRREGULAR = {
    "men": "man", "mens": "man", "women": "woman", "womens": "woman", "children": "child", "childrens": "child",
    "scarves": "scarf", "shelves": "shelf", "knives": "knife", "leaves": "leaf", "halves": "half", "loaves": "loaf",
    "feet": "foot", "gray": "grey", "color": "colour", "colors": "colour", "jewelry": "jewellery", "lens": "lens",
    "colored": "coloured", "canvas": "canvas", "pyjama": "pajama", "pyjamas": "pajama", "cookies": "cookie",
    "movies": "movie", "tennis": "tennis", "iris": "iris", "axis": "axis", "this": "this",
}  # fmt: skip


def normalise(text: str) -> str:
    """NFKC, lower case, straight quotes and hyphens, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTES).lower().split())


def tokenize(text: str) -> list[str]:
    """Tokens for the lexical leg, the same for products and queries.

    English: "T-Shirts", "t shirt" and "tshirt" meet in `tshirt`, "women's" and "women" in `woman`; accents are dropped.
    Chinese: every run of Han characters is cut to words and, inside long words, their parts.
    """
    return list(_tokens_of_few(text) if len(text) <= _FEW_CHARACTERS else _tokens(text))


def _tokens(text: str) -> tuple[str, ...]:
    text = _ONE_LETTER_HYPHEN.sub(r"\1", normalise(text))
    text = _ONE_LETTER_SPACE.sub(lambda found: found.group().strip(), text)
    tokens: list[str] = []
    for run in _RUN.finditer(text):
        if run.lastgroup == "tee":
            tokens.append("t恤")
        elif run.lastgroup == "han":
            tokens.extend(_cut_han(run.group()))
        else:
            tokens.append(fold(_without_accents(run.group())))
    return tuple(tokens)


# A query is read in pieces of a few words, each of them several times, and the next queries say the same words again.
_tokens_of_few = lru_cache(maxsize=16384)(_tokens)


def language_of(text: str) -> TextLanguage:
    """`zh` with Han characters, `mixed` when Latin words of two letters or more stand beside them, else `en`."""
    if not _HAN_CHARACTER.search(text):
        return "en"
    return "mixed" if _LATIN_WORD.search(unicodedata.normalize("NFKC", text)) else "zh"


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def fold(word: str) -> str:
    """Fold possessive and plural of one English word to its singular."""
    word = word.removesuffix("'s").replace("'", "")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "sis")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]


def han_words(run: str, longest: int) -> list[tuple[int, int]]:
    """(start, end) of every word of the dictionary in a run of Han characters, of 2 to `longest` characters."""
    graph: dict[int, list[int]] = _segmenter().get_DAG(run)
    return [(start, last + 1) for start, lasts in graph.items() for last in lasts if 1 <= last - start < longest]


def common_han_words(count: int) -> list[str]:
    """The `count` most frequent words of the dictionary with 2 to 4 characters, the most frequent first."""
    frequent = ((frequency, word) for word, frequency in _segmenter().FREQ.items() if 2 <= len(word) <= 4 and frequency)
    return [word for _, word in sorted(frequent, key=lambda known: (-known[0], known[1]))[:count]]


@lru_cache(maxsize=65536)
def _cut_han(run: str) -> tuple[str, ...]:
    return tuple(_segmenter().lcut_for_search(run))


_segmenter_lock = threading.Lock()
_loaded: list[Any] = []


def _segmenter() -> Any:
    """jieba with its dictionary loaded here: quiet, and no cache file is read from or left in the temp folder."""
    with _segmenter_lock:
        if not _loaded:
            import jieba

            logging.getLogger("jieba").setLevel(logging.WARNING)
            segmenter = jieba.Tokenizer()
            segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
            segmenter.initialized = True
            _loaded.append(segmenter)
        return _loaded[0]


def holds(words: Sequence[str], part: Sequence[str]) -> bool:
    """Whether `part` stands in `words` as it is, one word after the other.

    >>> holds(("red", "neck", "tie"), ("neck", "tie"))
    True
    """
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))
