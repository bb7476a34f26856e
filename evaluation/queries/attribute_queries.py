"""Queries of words with derived grades: phrases of attributes, in the shop's own terms and in other words.

They are phrased in the "judge" style of catalog.words.phrases, which shares no template with training. The sample takes
turns over combinations of fields, so that no combination fills it.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, get_args

from catalog.products import CATEGORY, Product
from catalog.words.phrases import Phrase, attribute_phrases
from catalog.words.terms import TermIndex
from evaluation.queries.facets import Facet, FacetIndex
from evaluation.queries.judgements import EvaluationQuery
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.queries.known_items import Judged, sampled
from evaluation.queries.other_words import all_known, other_terms
from evaluation.queries.slices import shared_slices

Fields = tuple[str, ...]
NeedKind = Literal["attribute", "other_words"]  # in the shop's own terms, or in other people's words
Draft = tuple[Phrase, list[Product]]  # and the products that have all that it mentions

DRAWS = 4  # phrases drawn from each product before the sample is taken
LANGUAGES = ("en", "zh")


def attribute_queries(
    index: FacetIndex, terms: TermIndex, fields: frozenset[str], head: frozenset[str], *, seed: int, count: int
) -> Iterator[Judged]:
    """Up to `count` queries in each language in the shop's own terms, and as many in other people's words."""
    for language in LANGUAGES:
        for kind in get_args(NeedKind):
            name = f"{kind}_{language}"
            for phrase, full in attribute_needs(index, terms, fields, language, kind, seed=seed, count=count):
                more = () if kind == "attribute" else (f"thesaurus={_knows(phrase.text, language)}",)
                grades = index.grades(phrase.facets)
                yield judged(name, language, phrase.text, phrase.facets, full, head, grades, more=more)


def attribute_needs(
    index: FacetIndex, terms: TermIndex, fields: frozenset[str], language: str, kind: NeedKind, *, seed: int, count: int
) -> list[Draft]:
    """Up to `count` needs that can be said in `language`, in the words that `kind` names; no two of the same facets."""
    drafts: defaultdict[Fields, list[Draft]] = defaultdict(list)
    seen: set[tuple[Facet, ...]] = set()
    for product in sampled(index.askers, seed):
        facets = {field: value for field, value in product.facets().items() if field in fields}
        for draw in range(DRAWS):
            rng = random.Random(f"{seed}:{language}:{draw}:{product.id}")
            said = (facets, terms) if kind == "attribute" else other_terms(facets, terms, language, rng)
            phrase = attribute_phrases(*said, language, rng, style="judge")
            if phrase is None or (key := tuple(sorted(phrase.facets))) in seen:
                continue
            seen.add(key)
            full = index.having(phrase.facets)
            if index.tells_apart(full):
                drafts[tuple(field for field, _ in key)].append((phrase, full))
    return _in_turns(drafts, count)


def _knows(text: str, language: str) -> str:
    return "all words" if all_known(text, language) else "not all words"


def _in_turns(drafts: Mapping[Fields, Sequence[Draft]], count: int) -> list[Draft]:
    """`count` drafts, one of each combination of fields in turn, so no combination fills the sample.

    Phrases without a category ("red product") are rare in shops: beside phrases with one, all of them are one turn.
    """
    turns: defaultdict[Fields, list[Draft]] = defaultdict(list)
    categories = any(CATEGORY in fields for fields in drafts)
    for fields in sorted(drafts):
        turns[fields if CATEGORY in fields or not categories else ()].extend(drafts[fields])
    longest = max(map(len, turns.values()), default=0)
    in_order = [row[turn] for turn in range(longest) for _, row in sorted(turns.items()) if turn < len(row)]
    return in_order[:count]


def judged(
    kind: str,
    language: str | None,
    text: str | None,
    facets: Sequence[Facet],
    full: Sequence[Product],
    head: frozenset[str],
    grades: Mapping[str, int],
    photo_of: Product | None = None,
    more: tuple[str, ...] = (),
) -> Judged:
    """A query that wants `facets`, `full` the products that have them all; with the photo of a product, which is then
    not among the answers. `more` slices follow its own."""
    name = "|".join(
        [*(f"{field}={value}" for field, value in sorted(facets)), photo_of.id if photo_of else "", language or ""]
    )
    query = EvaluationQuery(
        query_id=f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:16]}",
        kind=kind,
        language=language,
        text=text,
        image=photo_of.images[0] if photo_of else None,
        legs=KINDS[kind].systems[ENGINE].legs,
        without=photo_of.id if photo_of else None,
        slices=(
            *shared_slices(full, head),
            *((f"language={language}", f"language x facets={language} x {len(facets)}") if language else ()),
            "facets=" + "+".join(sorted(field for field, _ in facets)),
            *more,
        ),
    )
    return query, dict(grades)
