"""The kinds of evaluation queries: what is asked, which legs answer, and which metric speaks first.

A kind is measured through several systems. `engine` is the SearchEngine with the legs written here (None = all that
the query kind uses). Derived grades come from attributes, and an index that holds the attributes answers by reading
them off. So kinds with derived grades are asked of an index without attributes, categories and terms: with all legs
(`engine`), of the title + photo vectors alone (`dense`) and of the photos alone (`image`). `as_served` asks the index
as it is served, attributes and all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evaluation.metrics import Metric

Legs = tuple[str, ...]

ENGINE = "engine"
AS_SERVED = "as_served"
RANDOM = "random"
BM25_TITLES = "bm25_titles"
BM25_PLAIN = "bm25_plain"
FROZEN = "frozen"
# Kinds in words that no table has are for judging alone: what was chosen by them could not be judged by them.
FOR_JUDGING = ("other_words_en", "other_words_zh")
BASELINES = (RANDOM, BM25_PLAIN, BM25_TITLES, FROZEN)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask the engine: by which legs (None = all that the query uses); `hidden`: without attributes."""

    legs: Legs | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class QueryKind:
    """One kind of query. `derived`: its grades are computed from attributes, nobody judged them.

    `systems` are the ways to ask the engine, by name; `without` says why a catalogue may have no such query.
    """

    asks: str
    without: str
    primary: Metric
    systems: Mapping[str, Way]
    derived: bool = False


_ALL_LEGS: Mapping[str, Way] = MappingProxyType({ENGINE: Way()})
_HIDDEN: Mapping[str, Way] = MappingProxyType(
    {
        ENGINE: Way(hidden=True),
        "dense": Way(("dense",), hidden=True),
        "image": Way(("image",), hidden=True),
        AS_SERVED: Way(),
    }
)

KINDS: Mapping[str, QueryKind] = MappingProxyType(
    {
        "title_to_photo": QueryKind(
            "A title, against the photos alone: finds its own photo.",
            "no held-out product has both a title and a photo",
            "recall@10",
            MappingProxyType({ENGINE: Way(("image",))}),
        ),
        "title_to_product": QueryKind(
            "A title with a third of its words dropped: finds its product.",
            "no held-out product has a title",
            "recall@10",
            _ALL_LEGS,
        ),
        "photo_to_title": QueryKind(
            "A photo, against the titles alone: finds its own title.",
            "no held-out product has both a title and a photo",
            "recall@10",
            MappingProxyType({ENGINE: Way(("text",))}),
        ),
        "photo_to_product": QueryKind(
            "A cropped, mirrored, re-lit photo: finds its product.",
            "no held-out product has a photo",
            "recall@10",
            _ALL_LEGS,
        ),
        "attribute_en": QueryKind(
            "An English phrase of attributes: finds the products that have them all.",
            "no facets of held-out products can be said in English and tell products apart",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "attribute_zh": QueryKind(
            "A Chinese phrase of attributes: finds the products that have them all.",
            "no facets of held-out products can be said in Chinese and tell products apart",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "other_words_en": QueryKind(
            "The same in other people's English words: finds the products that have them all.",
            "the held-out facets have no other English words in evaluation/queries/other_words.csv",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "other_words_zh": QueryKind(
            "The same in other people's Chinese words: finds the products that have them all.",
            "the held-out facets have no other Chinese words in evaluation/queries/other_words.csv",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "photo_to_alike": QueryKind(
            "A photo: finds other products of the same category, colour and gender.",
            "no held-out product with a photo shares category, colour and gender with another",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "photo_and_words": QueryKind(
            "A photo and another value of one attribute (like this, in red): finds products like it that have it.",
            "no held-out product with a photo has a neighbour in its category that differs in a facet",
            "nDCG@10",
            _HIDDEN,
            derived=True,
        ),
        "shop": QueryKind(
            "The shop's own judgements.",
            "the shop gave no judgements of held-out products",
            "nDCG@10",
            _ALL_LEGS,
        ),
    }
)
