"""One need in five phrasings: what a steady search must answer alike, however it is said.

plain        the shop's words in a judging template
reordered    the shop's words in another order, in a training template
sentence     the plain phrase inside a sentence that no template has
other words  a training template in which the thesaurus names at least one facet
misspelt     the plain phrase with two neighbouring letters of one word changed places

Everything follows from the facets and the seed. Two of the five are in templates that training uses too, though not
of these products: the measurement is of steadiness, not of unseen words.
"""

import random
import re
from collections.abc import Mapping, Sequence

from catalog.words.phrases import phrase_of
from catalog.words.terms import TermIndex
from catalog.words.tokens import normalise

PHRASINGS = ("plain", "reordered", "sentence", "other words", "misspelt")

Facets = Sequence[tuple[str, str]]

_DRAWS = 60  # of a template before a phrasing is given up
_SENTENCES: Mapping[str, Sequence[str]] = {
    "en": ("hello, could you recommend a nice {} please", "my sister wants to get {} as a present", "any good {} here"),
    "zh": ("你好，请问有{}卖吗", "麻烦给我介绍一款{}", "送朋友的{}哪款好"),
}
# what a slip of the fingers hits: not the first letter of an English word, any two Chinese characters
_SLIPS = {"en": re.compile(r"(?<=[a-z])[a-z](?=[a-z]{2})"), "zh": re.compile(r"[\u3400-\u9fff](?=[\u3400-\u9fff])")}


def phrasings(plain: str, facets: Facets, terms: TermIndex, language: str, seed: str) -> dict[str, str] | None:
    """Phrasing -> text of one need that `plain` says in `language`; None where it cannot be said in five ways."""
    rng = random.Random(f"phrasings:{seed}")
    wanted = frozenset(facets)
    found = {"plain": plain, "sentence": rng.choice(_SENTENCES[language]).format(plain)}
    for _ in range(_DRAWS):
        phrase = phrase_of(dict(facets), terms, language, rng, style="train")
        if phrase is None or normalise(phrase.text) in map(normalise, found.values()):
            continue
        says_all = wanted <= frozenset(terms.values_named(phrase.text))
        found.setdefault("reordered" if says_all else "other words", phrase.text)
    slipped = _slipped(plain, language, rng)
    if slipped is not None:
        found["misspelt"] = slipped
    return {name: found[name] for name in PHRASINGS} if len(found) == len(PHRASINGS) else None


def _slipped(text: str, language: str, rng: random.Random) -> str | None:
    places = [at for at in (match.start() for match in _SLIPS[language].finditer(text)) if text[at] != text[at + 1]]
    if not places:
        return None
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
