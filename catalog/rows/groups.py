"""The product group a title suggests: variants in other colours, sizes or for another gender share it."""

import re
from collections.abc import Mapping
from functools import cache

from catalog.words.thesaurus import role_of, thesaurus
from catalog.words.tokens import language_of, normalise, tokenize

_ROLES = ("colour", "gender")
_NUMBER = re.compile(r"\d+[a-z]{0,3}")  # 42, 32b, 500ml
_SIZES = frozenset({"xs", "s", "m", "l", "xl", "xxl", "xxxl", "small", "medium", "large", "size"})
_SIZES_ZH = ("小号", "中号", "大号", "加大码", "均码")


def group_key(title: str, attributes: Mapping[str, str]) -> str:
    """Words of the title without colours, sizes, gender words and numbers, in their order.

    Colour and gender words are those of the thesaurus plus the product's own values. Empty when nothing is left:
    then the product is a group of its own.
    """
    own = {word for field, value in attributes.items() if role_of(field) in _ROLES for word in tokenize(value)}
    words, long_names = _variant_words()
    rest = tokenize(long_names.sub(" ", normalise(title)))
    return " ".join(
        word for word in rest if not (word in own or word in words or word in _SIZES or _NUMBER.fullmatch(word))
    )


@cache
def _variant_words() -> tuple[frozenset[str], re.Pattern[str]]:
    """Colour and gender words of one folded token, and a pattern of those of several words or Han characters."""
    one, han, several = set(), list(_SIZES_ZH), []
    for word in thesaurus().all_words(_ROLES):
        tokens = tokenize(word)
        if len(tokens) == 1:
            one.update(tokens)
        if len(word) > 1 and language_of(word) != "en":
            han.append(word)
        elif len(tokens) > 1:
            several.append(word)
    # one \b for all of them, so that most places of a title are left at once
    return frozenset(one), re.compile(rf"\b(?:{_any_of(several)})\b|{_any_of(han)}")


def _any_of(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
