"""Spellings that are no name but nearly one: a slip of the pen, words run together or apart, other endings."""

from collections.abc import Iterator, Sequence

LEAST_LETTERS = 5  # of a word that may hold a slip: among shorter ones a slip makes another word
_HAN_ENDINGS = ("色系", "颜色", "色的", "色", "款式", "款的", "款", "式", "系", "装", "型", "的", "子", "类")


class Spellings:
    """From what was written to the keys of names: `words` are names' folded words, `han` names in Chinese."""

    def __init__(self, words: Sequence[tuple[str, ...]], han: Sequence[str], known: frozenset[str]) -> None:
        """`known` words of the catalogue are spelt as they are meant, whatever name they resemble."""
        self._known = known
        self._joined: dict[str, tuple[str, ...]] = {}
        for key in words:
            self._joined.setdefault("".join(key), key)
        self._shortened: dict[str, list[str]] = {}
        for joined in self._joined:
            if len(joined) >= LEAST_LETTERS:
                for shorter in _shortened(joined):
                    self._shortened.setdefault(shorter, []).append(joined)
        self._han: dict[str, str] = {}
        for name in han:
            for stem in _stems(name):
                self._han.setdefault(stem, name)
        self._own_han = frozenset(han)

    def of_words(self, tokens: Sequence[str]) -> tuple[str, ...] | None:
        """The name that folded `tokens` spell in another way: "sun glasses", "navyblue", "swaeter"."""
        joined = "".join(tokens)
        if joined in self._joined:
            return self._joined[joined]
        if len(tokens) > 1 or len(joined) < LEAST_LETTERS or joined in self._known:
            return None
        near = {name for shorter in _shortened(joined) for name in self._shortened.get(shorter, ())}
        fitting = sorted(name for name in near if one_slip(joined, name) and name[0] == joined[0])
        return self._joined[fitting[0]] if fitting else None

    def of_han(self, written: str) -> str | None:
        """The name that `written` is with another ending: "藏蓝" of "藏蓝色", "黑色款" of "黑色"."""
        for stem in (written, *_stems(written)):
            if stem in self._own_han:
                return stem
            if stem in self._han:
                return self._han[stem]
        return None


def one_slip(one: str, other: str) -> bool:
    """Whether one letter added, left out, changed, or two neighbours swapped make `other` of `one`."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, rest_other = one[start:], other[start:]
    return (
        rest[1:] == rest_other
        or rest == rest_other[1:]
        or rest[1:] == rest_other[1:]
        or (rest[:2] == rest_other[:2][::-1] and rest[2:] == rest_other[2:])
    )


def _shortened(word: str) -> Iterator[str]:
    """`word`, and it without each one of its letters (Garbe's symmetric delete)."""
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def _stems(name: str) -> Iterator[str]:
    """`name` without an ending that says nothing, where two characters or more are left."""
    for ending in _HAN_ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            yield name.removesuffix(ending)
