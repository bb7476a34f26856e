"""The attributes leg: how well the tags of a product fit what was understood of the query. Soft: it never cuts.

    wish = wish_of(understood.mentions, values)
    wish.score(["category=dresses", "colour=red"]) -> 0 to 1

score(p) = sum over mentions m of weight(m) * fit(m, p) / sum of the weights

fit is what p's values say of the mention's meanings, against the likeliest one, and 1 - that for a negated mention; a
product that does not tell the field fits by half. A category weighs more than all other mentions together: a red shoe
is no red dress. A product that tells none of the fields is not in this leg at all; other legs judge it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalog.products import CATEGORY
from search.collection import ATTRIBUTES, DECIMALS, DENSE, LEXICAL, Collection, Scored, Vector
from search.filters import AnyOf, Filter, encode, facet_tag
from search.understanding.understood import Facet, Mention

UNTOLD = 0.5
_LIKELY = 0.5  # share of the likeliest meaning's confidence that a meaning needs to be looked for
_LOOKED_FOR = 200  # values of one field at most


@dataclass(frozen=True, slots=True)
class _Part:
    weight: float
    tags: Mapping[str, float]  # tag -> confidence, the likeliest at 1
    fields: frozenset[str]  # encoded
    negated: bool

    def fit(self, tags: Sequence[str], told: frozenset[str]) -> float:
        if told.isdisjoint(self.fields):
            return UNTOLD
        fit = 0.0
        for tag in tags:
            if tag in self.tags:
                fit += self.tags[tag]
        fit = min(1.0, fit)
        return 1.0 - fit if self.negated else fit


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a product's tags. `narrowings`: filters that find fitting products, narrowest first."""

    parts: tuple[_Part, ...]
    narrowings: tuple[Filter, ...]

    def score(self, tags: Sequence[str]) -> float | None:
        """0 to 1, None where the tags tell nothing of what is wanted."""
        told = _fields_of(tuple(tags))
        if all(told.isdisjoint(part.fields) for part in self.parts):
            return None
        whole = sum(part.weight for part in self.parts)
        return round(sum(part.weight * part.fit(tags, told) for part in self.parts) / whole, DECIMALS)

    def parts_of_score(self, tags: Sequence[str]) -> list[tuple[float, float]]:
        """Of each mention its fit, and its share of the score: weight x fit / sum of the weights."""
        told = _fields_of(tuple(tags))
        whole = sum(part.weight for part in self.parts)
        fits = [part.fit(tags, told) for part in self.parts]
        return [(fit, part.weight * fit / whole) for part, fit in zip(self.parts, fits, strict=True)]


def wish_of(mentions: Sequence[Mention], values: Mapping[str, Sequence[str]]) -> Wish | None:
    """None without a mention. `values`: field -> all values that products have, by frequency."""
    if not mentions:
        return None
    plain = sum(_sure(mention) for mention in mentions if mention.field != CATEGORY)
    parts = tuple(_part(mention, plain) for mention in mentions)
    looked = [(mention.field, clause) for mention in mentions for clause in _clauses(mention, values)]
    narrowings = [Filter(tuple(clause for _, clause in looked))]
    narrowings.append(Filter(tuple(clause for field, clause in looked if field == CATEGORY)))
    return Wish(parts, tuple(narrow for narrow in dict.fromkeys(narrowings) if narrow))


def with_attributes(
    collection: Collection,
    asked: Mapping[str, Vector | str],
    candidates: Mapping[str, Scored],
    wish: Wish,
    vector: Vector,
    limit: int,
    narrow: Filter,
) -> dict[str, Scored]:
    """The legs' candidates, and beside them the best of each leg that fit the wish; then the leg `attributes` over all.

    Ties of this leg are thus told apart by the other legs, and not cut by chance. Where no leg with a vector is asked,
    `vector` [D] of the query says which of the fitting products are looked at.
    """
    found = {leg: dict(scored) for leg, scored in candidates.items()}
    looked: dict[str, Vector | str] = {leg: query for leg, query in asked.items() if leg != LEXICAL} or {DENSE: vector}
    for leg, query in looked.items():
        for narrowing in wish.narrowings:
            more = collection.search(leg, query, limit, Filter((*narrow.clauses, *narrowing.clauses)))
            found.setdefault(leg, {}).update(more)
            if len(more) == limit:
                break
    ids = sorted({product_id for scored in found.values() for product_id in scored})
    tags = {product_id: tuple(own) for product_id, own in collection.tags_of(ids).items()}
    scores = {own: wish.score(own) for own in set(tags.values())}  # many products tell the same
    fitting = {product_id: score for product_id, own in tags.items() if (score := scores[own]) is not None}
    return {**{leg: _ordered(found[leg]) for leg in candidates}, ATTRIBUTES: _ordered(fitting)}


@lru_cache(maxsize=16_384)
def _fields_of(tags: tuple[str, ...]) -> frozenset[str]:
    """The fields that a product tells; every query asks the same products of them."""
    return frozenset(tag.partition("=")[0] for tag in tags)


def _part(mention: Mention, plain: float) -> _Part:
    top = mention.confidence
    sure = _sure(mention)
    tags = {facet_tag(m.field, m.value): m.confidence / top for m in mention.meanings}
    fields = frozenset(encode(meaning.field) for meaning in mention.meanings)
    return _Part(sure * (1.0 + plain) if mention.field == CATEGORY else sure, tags, fields, mention.negated)


def _sure(mention: Mention) -> float:
    return sum(meaning.confidence for meaning in mention.meanings)


def _clauses(mention: Mention, values: Mapping[str, Sequence[str]]) -> Iterable[AnyOf]:
    """What a fitting product has in the mention's field: a likely value, or one that is not refused."""
    likely = {
        m.value for m in mention.meanings if m.field == mention.field and m.confidence >= _LIKELY * mention.confidence
    }
    if mention.negated:
        likely = {value for value in values.get(mention.field, ()) if value not in likely}
    if likely:
        yield AnyOf(mention.field, tuple(sorted(likely))[:_LOOKED_FOR])


def _ordered(scored: Mapping[str, float]) -> Scored:
    return [(product_id, -under) for under, product_id in sorted((-score, own) for own, score in scored.items())]


def values_by_field(facets: Sequence[Facet]) -> dict[str, tuple[str, ...]]:
    """Field -> its values, in the order of `facets`."""
    found: dict[str, list[str]] = {}
    for field, value in facets:
        found.setdefault(field, []).append(value)
    return {field: tuple(values) for field, values in found.items()}
