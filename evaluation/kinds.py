"""The kinds of evaluation queries: what is asked, which legs answer, and which metric speaks first.

A kind is measured through several systems. `engine` is the SearchEngine with the legs written here (None = all that
the query kind uses). Attribute queries are also asked of the title + photo vectors alone (`dense`) and of the photos
alone (`image`), because the lexical leg indexes the very attributes that their derived grades come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evaluation.params import Metric

Legs = tuple[str, ...]

ENGINE = "engine"
RANDOM = "random"
BM25_TITLES = "bm25_titles"
FROZEN = "frozen"
BASELINES = (RANDOM, BM25_TITLES, FROZEN)


@dataclass(frozen=True, slots=True)
class QueryKind:
    """One kind of query. `derived`: its grades are computed from attributes, nobody judged them."""

    asks: str
    primary: Metric
    systems: Mapping[str, Legs | None]
    derived: bool = False


def _kind(asks: str, primary: Metric, legs: Legs | None = None, derived: bool = False, **more: Legs) -> QueryKind:
    return QueryKind(asks, primary, MappingProxyType({ENGINE: legs, **more}), derived)


KINDS: Mapping[str, QueryKind] = MappingProxyType(
    {
        "title_to_photo": _kind("A title, against the photos alone: finds its own photo.", "recall@10", ("image",)),
        "title_to_product": _kind("A title with a third of its words dropped: finds its product.", "recall@10"),
        "photo_to_title": _kind("A photo, against the titles alone: finds its own title.", "recall@10", ("text",)),
        "photo_to_product": _kind("A cropped, mirrored, re-lit photo: finds its product.", "recall@10"),
        "attribute_en": _kind(
            "An English phrase of attributes: finds the products that have them all.",
            "nDCG@10",
            derived=True,
            dense=("dense",),
            image=("image",),
        ),
        "attribute_zh": _kind(
            "A Chinese phrase of attributes: finds the products that have them all.",
            "nDCG@10",
            derived=True,
            dense=("dense",),
            image=("image",),
        ),
        "photo_and_words": _kind(
            "A photo and one other attribute value (like this, in red): finds products of its category that have it.",
            "nDCG@10",
            derived=True,
            dense=("dense",),
            image=("image",),
        ),
        "shop": _kind("The shop's own judgements.", "nDCG@10"),
    }
)
