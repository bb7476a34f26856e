"""The reasons of an answer's first hits: what is exact at once, then what is found by leaving out, while there is time.

    explained(parts, retrieved, ranked, {"p1": product}, by_ranker=False, most=2.0) -> {"p1": Reasons}

Words and regions are left out of the query, and the hit is scored again by all that looks at them, on the scale of the
answer (search.reasons.scale). Filters, prices and the kind of the query stay as they were.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.words.tokens import normalise, tokenize
from search.collection import ATTRIBUTES, Scored
from search.deadline import spare
from search.ranking.fusion import PRIOR
from search.reasons.attributes import shared, wanted
from search.reasons.matched import matched
from search.reasons.parts import met_by, parts_of, without
from search.reasons.photos import heat_maps
from search.reasons.reason import AttributeReason, LegReason, Reasons, WordReason
from search.reasons.scoring import Again, Parts
from search.retrieved import Retrieved
from search.understanding.understood import Facet

__all__ = ["Parts", "explained"]

Products = Mapping[str, Mapping[str, Any]]


def explained(
    parts: Parts, retrieved: Retrieved, ranked: Scored, hits: Products, by_ranker: bool, most: float
) -> dict[str, Reasons]:
    """Reasons of `hits`, product id -> product. `ranked`: all candidates before a ranker looked again.

    `most`: seconds that leaving out may take, or half of what the query has left, if that is less.
    """
    until = time.monotonic() + spare(most)
    again = Again(parts, retrieved, tuple(hits))
    legs, scores = _legs(again), dict(ranked)
    adds = {each: scores[each] - sum(leg.adds for leg in own) for each, own in legs.items()}
    attributes = _attributes(again, hits, legs)
    if retrieved.like is not None:
        return {each: Reasons(legs[each], attributes=attributes[each]) for each in hits}
    words, all_words = _words(again, hits, until)
    maps, all_maps = heat_maps(again, until)
    left_out = tuple(name for name, done in (("words", all_words), ("photos", all_maps)) if not done)
    found = {}
    for each in hits:
        picture, matches = matched(again, each)
        found[each] = Reasons(
            legs=legs[each],
            late_score=again.late.get(each),
            late_adds=adds[each] if again.late else 0.0,
            ranked=by_ranker,
            words=words[each],
            attributes=attributes[each],
            photos=maps[each],
            picture=picture,
            matches=matches,
            left_out=left_out,
        )
    return found


def _legs(again: Again) -> dict[str, tuple[LegReason, ...]]:
    """What each leg adds, the most first."""
    shares = again.retrieved.explained(again.parts.ranking)
    ranks = {
        leg: {each: rank for rank, (each, _) in enumerate(scored, start=1)}
        for leg, scored in again.retrieved.candidates.items()
    }
    found = {}
    for each in again.ids:
        asked = {**dict.fromkeys(ranks, 0.0), **shares[each]}
        legs = [
            LegReason(leg, again.given.get(leg, {}).get(each), ranks.get(leg, {}).get(each), adds)
            for leg, adds in asked.items()
            if leg != PRIOR
        ]
        first = [LegReason(PRIOR, None, None, asked[PRIOR])] if PRIOR in asked else []
        found[each] = (*first, *sorted(legs, key=lambda leg: (-leg.adds, leg.leg)))
    return found


def _attributes(
    again: Again, hits: Products, legs: Mapping[str, Sequence[LegReason]]
) -> dict[str, tuple[AttributeReason, ...]]:
    retrieved = again.retrieved

    def named(facet: Facet) -> Mapping[str, str]:
        known = {} if again.parts.reader is None else again.parts.reader.names(facet)
        same = normalise(facet[1])
        return {language: facet[1] if normalise(name) == same else name for language, name in known.items()}

    if retrieved.like is not None:
        return {each: shared(retrieved.like, product, named) for each, product in hits.items()}
    tags, asked = again.parts.collection.tags_of(list(hits)), again.asked
    adds = {each: {leg.leg: leg.adds for leg in own if leg.rank is not None} for each, own in legs.items()}
    return {
        each: wanted(asked.mentions, asked.wish, product, tags[each], adds[each].get(ATTRIBUTES), named)
        for each, product in hits.items()
    }


def _words(again: Again, hits: Products, until: float) -> tuple[dict[str, tuple[WordReason, ...]], bool]:
    """Of each hit what it loses without each part of the text, and whether there was time for all parts."""
    found: dict[str, tuple[WordReason, ...]] = dict.fromkeys(hits, ())
    if again.query.text is None:
        return found, True
    text, parts = parts_of(again.query.text, again.retrieved.understood)
    for part in parts:
        if time.monotonic() > until:
            return found, False
        rest = without(text, part)
        lost = again.without_words(rest if tokenize(rest) else "")
        for each, product in hits.items():
            reason = WordReason(part.text, part.start, part.end, lost[each], met_by(part, product))
            found[each] = (*found[each], reason)
    return found, True
