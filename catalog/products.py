"""The product contract: frozen types for one product and the words used about it.

Everything but `id` and `title` may be missing. `title` may be empty only where a picture is present.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Modality = Literal["text", "image", "audio", "video"]
Split = Literal["train", "ranking", "validation", "test"]

MAX_ID = 128  # characters
CATEGORY = "category"  # the facet name of the leaf of the category path

_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be found.

    `images`, `audio` and `videos` hold media ids (see catalog.media), never bytes.
    `group_id` names the product group: variants share it, and splits never cut through it.
    `price` is in units of `currency` (ISO 4217); `updated_at` is ISO 8601 with a time zone.
    """

    id: str
    group_id: str
    title: str
    description: str = ""
    brand: str | None = None
    category: tuple[str, ...] = ()  # path, widest first
    attributes: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES)
    price: float | None = None
    currency: str | None = None
    language: str | None = None  # BCP 47, of title and description
    stock: int | None = None
    rating: float | None = None
    updated_at: str | None = None
    images: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()

    def facets(self) -> dict[str, str]:
        """Attributes plus the category leaf: what attribute queries and terms speak about."""
        facets = dict(self.attributes)
        if self.category:
            facets[CATEGORY] = self.category[-1]
        return facets


@dataclass(frozen=True, slots=True)
class Term:
    """A localised name of one facet value: Term("colour", "Red", "zh", "红色").

    `field` is an attribute name or "category"; several terms may name the same value.
    """

    field: str
    value: str
    language: str
    term: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A graded answer: how well `product_id` answers `query` (grade 0 = not at all)."""

    query: str
    product_id: str
    grade: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One action of a shop's user; `action` is view, click, cart or buy; `at` is ISO 8601."""

    user_id: str
    product_id: str
    action: str
    at: str
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A source row that did not become a product, and why.

    `source_row` counts from 1, the first row after a header; `reason` is a short word of catalog.ingesting.ingest;
    `detail` is one sentence for the person who mends the source. `key` names the row whatever its place in the source
    is (catalog.ingesting.corrections), and `cells` are what it says, as text to be mended (catalog.rows.cells).
    """

    source_row: int
    id: str
    reason: str
    detail: str
    key: str = ""
    cells: Mapping[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Correction:
    """One cell that a person corrected: in the row `key` the `field` says `before` in the source, and `after` here."""

    key: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MissingPicture:
    """A picture that a product's row names by URL and that could not be had; the product stays without it.

    `reason` is a short word of catalog.pictures.reading; `detail` is one sentence.
    """

    source_row: int
    product_id: str
    url: str
    reason: str
    detail: str
