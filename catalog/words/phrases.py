"""Attribute phrases: what a shopper types to find a product by its facets, in English and Chinese.

    draw = random.Random(7)
    attribute_phrases({"category": "Dresses", "colour": "Red", "gender": "Women"}, terms, "en", draw)
    -> Phrase("red dress for women", "en", (("colour", "Red"), ("category", "Dresses"), ("gender", "Women")))

Two styles that share no template. "train" is rich: many word orders, synonyms of general shop words, openings such as
"looking for". "judge" is plain: the shop's own terms in a few word orders. So a good score on "judge" phrases is not
a memory of the training phrases.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from catalog.products import CATEGORY
from catalog.words.terms import TermIndex
from catalog.words.thesaurus import role_of, thesaurus

__all__ = ["JUDGE", "TRAIN", "Phrase", "Style", "TermIndex", "attribute_phrases", "phrase_of", "said_slots", "sayable"]

Style = Literal["train", "judge"]
Template = tuple[str, ...]

# A template is a row of parts; a part whose slot is empty drops out, so every template says every facet it is given.
#   noun: the category      colour: the colour      who: "women"      own: "women's"      extra: all other facets
TRAIN: Mapping[str, Sequence[Template]] = {
    "en": (
        ("{colour}", "{extra}", "{noun}", "for {who}"),
        ("{own}", "{colour}", "{extra}", "{noun}"),
        ("{own}", "{extra}", "{colour}", "{noun}"),
        ("{extra}", "{own}", "{colour}", "{noun}"),
        ("{extra}", "{noun}", "for {who}", "in {colour}"),
        ("{noun}", "for {who}", "in {colour}", "{extra}"),
        ("{noun}", "{own}", "{colour}", "{extra}"),
        ("{who}", "{colour}", "{extra}", "{noun}"),
        ("{who}", "{noun}", "{colour}", "{extra}"),
        ("{extra}", "{who}", "{noun}", "{colour}"),
        ("{noun}", "{colour}", "for {who}", "{extra}"),
        ("{own}", "{noun}", "in {colour}", "{extra}"),
    ),
    "zh": (
        ("{colour}", "{own}", "{extra}", "{noun}"),
        ("{own}", "{colour}", "{extra}", "{noun}"),
        ("{extra}", "{own}", "{colour}", "{noun}"),
        ("{colour}", "{extra}", "{noun}", " {own}"),
        ("{own}", "{extra}", "{noun}", " {colour}"),
        ("{noun}", " {colour}", " {own}", " {extra}"),
        ("{own}", " {colour}", " {extra}", " {noun}"),
        ("适合{who}的", "{colour}", "{extra}", "{noun}"),
        ("{who}穿的", "{extra}", "{colour}", "{noun}"),
        ("{extra}", "{colour}的", "{own}", "{noun}"),
        ("{own}", "{extra}", "{noun}", "，{colour}的"),
    ),
}
JUDGE: Mapping[str, Sequence[Template]] = {
    "en": (
        ("{own}", "{extra}", "{noun}", "in {colour}"),
        ("{colour}", "{own}", "{extra}", "{noun}"),
        ("{extra}", "{colour}", "{noun}", "for {who}"),
    ),
    "zh": (
        ("{own}", "{extra}", "{colour}", "{noun}"),
        ("{colour}", "{extra}", "{own}", "{noun}"),
        ("{extra}", "{colour}", "{own}", "{noun}"),
    ),
}
_OPENINGS = {
    "en": ("looking for", "show me", "i want", "find", "need", "buy", "do you have"),
    "zh": ("想买", "找", "有没有", "我要", "推荐", "看看", "想要一款"),
}
_ANYTHING = {"en": ("product", "item", "piece"), "zh": ("商品", "产品", "单品")}
_JOINT = {"en": " ", "zh": ""}

# English people words: as whom a thing is for, and as whose it is. Keyed by the thesaurus' first word.
_PEOPLE = {
    "men": (("men", "man", "guys", "gents"), ("men's", "mens", "men", "male")),
    "women": (("women", "woman", "ladies"), ("women's", "womens", "ladies", "female")),
    "boys": (("boys", "a boy"), ("boys'", "boys", "boy's")),
    "girls": (("girls", "a girl"), ("girls'", "girls", "girl's")),
    "kids": (("kids", "children"), ("kids'", "kids", "children's")),
    "baby": (("babies", "a baby"), ("baby", "infant")),
}
_PEOPLE_ZH = {
    "men": ("男士", "男生", "男性"),
    "women": ("女士", "女生", "女性"),
    "boys": ("男童", "男孩"),
    "girls": ("女童", "女孩"),
    "kids": ("儿童", "孩子"),
    "baby": ("婴儿", "宝宝"),
}

_MOST_WORDS = 5  # a value with more words is a sentence, not a facet to say
_HOW_MANY = (0.18, 0.40, 0.27, 0.15)  # chance to say 1, 2, 3, 4 facets
_SYNONYM = 0.3  # chance of another word than the shop's, in training phrases
_WEIGHTS = {"colour": 3.0, "gender": 2.0}  # how much more often than another facet
_OPENING = 0.12
_SHUFFLED = 0.12


@dataclass(frozen=True, slots=True)
class Phrase:
    """A query and the facets it mentions: (field, value) pairs as the products carry them."""

    text: str
    language: str
    facets: tuple[tuple[str, str], ...]


def attribute_phrases(
    facets: Mapping[str, str],
    terms: TermIndex,
    language: str,
    rng: random.Random,
    style: Style = "train",
    most: int = 4,
) -> Phrase | None:
    """A phrase that mentions 1 to `most` of `facets`, drawn with `rng`; mostly the category is one of them.

    `facets` is what Product.facets() gives; any field works. None when no facet has a name in `language`.
    """
    known = _known(facets, terms, language, style)
    if not known:
        return None
    count = rng.choices(range(1, len(_HOW_MANY) + 1), _HOW_MANY)[0]
    count = min(count, most, len(known))
    fields = list(known)
    chosen = [CATEGORY] if CATEGORY in known and rng.random() < 0.92 else []
    rest = sorted((field for field in fields if field not in chosen), key=lambda field: _late(field, rng))
    chosen.extend(rest[: count - len(chosen)])
    return phrase_of({field: facets[field] for field in fields if field in chosen}, terms, language, rng, style)


def phrase_of(
    facets: Mapping[str, str], terms: TermIndex, language: str, rng: random.Random, style: Style = "train"
) -> Phrase | None:
    """A phrase that mentions every one of `facets`, or None when one of them has no name in `language`."""
    slots = said_slots(facets, terms, language, rng, style)
    if slots is None:
        return None
    if style == "train" and rng.random() < _SHUFFLED:
        words = [word for slot, word in slots.items() if word and slot != "own"]
        rng.shuffle(words)
        text = " ".join(words)
    else:
        template = rng.choice((TRAIN if style == "train" else JUDGE)[language])
        parts = [part.format_map(slots) for part in template if all(slots[slot] for slot in _slots_in(part))]
        text = _JOINT[language].join(parts).strip(" ，")
        if style == "train" and rng.random() < _OPENING:
            text = rng.choice(_OPENINGS[language]) + _JOINT[language] + text
    return Phrase(" ".join(text.split()), language, tuple(facets.items()))


def said_slots(
    facets: Mapping[str, str], terms: TermIndex, language: str, rng: random.Random, style: Style = "train"
) -> dict[str, str] | None:
    """The words of `facets` by slot of a template (colour, who, own, extra, noun), "" where a slot has none.

    None when one of `facets` has no name in `language`.
    """
    known = _known(facets, terms, language, style)
    return _slots(known, language, rng, style) if facets and len(known) == len(facets) else None


def sayable(
    facets: Mapping[str, str], terms: TermIndex, language: str, style: Style = "train"
) -> dict[str, tuple[str, ...]]:
    """Facet fields that can be said in `language`, each with the names of its value, the shop's own first.

    Left out: bare numbers ("2011"), values of more than five words, values without a name in the language.
    """
    known = _known(facets, terms, language, style)
    return {field: (*names.shop, *names.other) for field, names in known.items()}


class _Names(NamedTuple):
    shop: tuple[str, ...]
    other: tuple[str, ...]  # of the thesaurus

    def draw(self, rng: random.Random) -> str:
        either = self.shop and self.other
        return rng.choice((self.other if rng.random() < _SYNONYM else self.shop) if either else self.shop + self.other)


def openings(language: str) -> tuple[str, ...]:
    """How shoppers begin to ask in `language`, and how they call a thing they do not name."""
    return (*_OPENINGS[language], *_ANYTHING[language])


def _known(facets: Mapping[str, str], terms: TermIndex, language: str, style: Style) -> dict[str, _Names]:
    if language not in TRAIN:
        raise ValueError(f"no phrases in '{language}': known languages are {', '.join(TRAIN)}")
    found = {}
    for field, value in facets.items():
        if any(character.isalpha() for character in value) and len(value.split()) <= _MOST_WORDS:
            shop = terms.names(field, value, language)
            names = _Names(shop, _synonyms(field, value, shop, terms, language) if style == "train" else ())
            if any(names):
                found[field] = names
    return found


def _synonyms(field: str, value: str, names: Sequence[str], terms: TermIndex, language: str) -> tuple[str, ...]:
    """Thesaurus words for a value, without those that name another value of the same field in this shop."""
    everywhere = (*terms.names(field, value, "en"), value, *terms.terms_of(field, value))
    words = thesaurus().words(role_of(field), everywhere, language)
    return tuple(
        word
        for word in words
        if word not in names and all(known != field or other == value for known, other in terms.is_name_of(word))
    )


def _late(field: str, rng: random.Random) -> float:
    """Sort key of a random order in which colour and gender tend to come first, as in what people type."""
    return -float(rng.random() ** (1 / _WEIGHTS.get(role_of(field) or "", 1.0)))


def _slots(known: Mapping[str, _Names], language: str, rng: random.Random, style: Style) -> dict[str, str]:
    slots = dict.fromkeys(("who", "own", "colour", "extra", "noun"), "")
    extra = []
    for field, names in known.items():
        role = role_of(field)
        name = names.shop[0] if style == "judge" else names.draw(rng)
        person = _person((*names.shop, *names.other)) if role == "gender" else None
        if field == CATEGORY:
            slots["noun"] = name
        elif role == "colour" and not slots["colour"]:
            slots["colour"] = name
        elif person and not slots["who"]:
            slots["who"], slots["own"] = _who_and_own(person, name, names, language, rng, style)
        else:
            extra.append(name)
    if style == "train":
        rng.shuffle(extra)
    slots["extra"] = _JOINT[language].join(extra)
    if not slots["noun"]:
        anything = _ANYTHING[language]
        slots["noun"] = anything[0] if style == "judge" else rng.choice(anything)
    return slots


def _person(names: Sequence[str]) -> str | None:
    """Key into the people words, or None for "unisex" and unknown groups, which are said as adjectives."""
    words = thesaurus().words("gender", names, "en")
    return words[0] if words and words[0] in _PEOPLE else None


def _who_and_own(
    person: str, name: str, names: _Names, language: str, rng: random.Random, style: Style
) -> tuple[str, str]:
    if language == "zh":
        who = (*names.shop[:1], *_PEOPLE_ZH[person])
        return (name, name) if style == "judge" else (rng.choice(who), name)
    whose = _PEOPLE[person]
    return (whose[0][0], whose[1][0]) if style == "judge" else (rng.choice(whose[0]), rng.choice(whose[1]))


def _slots_in(part: str) -> list[str]:
    return [name.split("}")[0] for name in part.split("{")[1:]]
