"""Pictures of a catalogue that look the same: on many products, on one product that is listed twice, placeholders.

Pure: products and the looks of their pictures in, findings out. What is found is told, and nothing is decided here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from catalog.pictures.near import groups_of_near
from catalog.pictures.perceptual_hash import Look, arrays_of
from catalog.products import Product
from catalog.words.tokens import normalise

Kind = Literal["flat", "on unlike products", "on several products"]

FEW_GROUPS = 3
"""That many product groups may show one picture without its being a placeholder."""
FEW_CATEGORIES = 2
SHOWN = 20
"""Products that are named of one finding."""


@dataclass(frozen=True)
class Lookalikes:
    """Pictures that look the same, and who shows them. `kind` "flat": of one colour."""

    kind: Kind
    pictures: tuple[str, ...]
    """Media ids."""
    products: tuple[str, ...]
    """Ids of the first SHOWN products."""
    count: int
    """Products that show one of them."""
    groups: int
    """Product groups that do."""


@dataclass(frozen=True)
class PictureFindings:
    """What is to be told of a catalogue's pictures; most products first."""

    placeholders: tuple[Lookalikes, ...] = ()
    """Pictures that show no product: of one colour, or on products that have nothing in common."""
    repeated: tuple[Lookalikes, ...] = ()
    """Other pictures that several product groups show."""
    twice: tuple[tuple[str, ...], ...] = ()
    """Products (ids) that look the same, are called the same and have the same attributes."""

    def by_kind(self) -> dict[str, tuple[object, ...]]:
        """All findings, under the words that a report counts them by."""
        return {
            "placeholder pictures": self.placeholders,
            "pictures on several product groups": self.repeated,
            "products listed twice": self.twice,
        }

    @property
    def placeholder_pictures(self) -> frozenset[str]:
        """Media ids of the placeholders."""
        return frozenset(picture for found in self.placeholders for picture in found.pictures)


def find_lookalikes(products: Sequence[Product], looks: Mapping[str, Look]) -> PictureFindings:
    """What looks the same; `looks` has the look of every picture of `products`, by media id."""
    shown_by: dict[str, list[Product]] = {}
    for product in products:
        for picture in dict.fromkeys(product.images):
            shown_by.setdefault(picture, []).append(product)
    placeholders: list[Lookalikes] = []
    repeated: list[Lookalikes] = []
    twice: list[tuple[str, ...]] = []
    for pictures in _groups([picture for picture in looks if picture in shown_by], looks):
        shown = list({product.id: product for picture in pictures for product in shown_by[picture]}.values())
        kind = _kind(shown, flat=looks[pictures[0]].flat)
        if kind is not None:
            ids = tuple(product.id for product in shown)
            groups = len({product.group_id for product in shown})
            found = Lookalikes(kind, tuple(pictures), ids[:SHOWN], len(ids), groups)
            (repeated if kind == "on several products" else placeholders).append(found)
        if kind in (None, "on several products"):
            twice.extend(_twice(shown))
    return PictureFindings(_most_first(placeholders), _most_first(repeated), tuple(sorted(set(twice))))


def without_pictures(product: Product, unwanted: Set[str]) -> Product:
    """The product without the `unwanted` pictures; one that has no title keeps them, since it would be nothing."""
    images = tuple(picture for picture in product.images if picture not in unwanted)
    return replace(product, images=images) if product.title and images != product.images else product


def _groups(pictures: Sequence[str], looks: Mapping[str, Look]) -> list[list[str]]:
    """Pictures that look the same; one of one colour is like none, as its hash says nothing."""
    telling = [picture for picture in pictures if not looks[picture].flat]
    alone = [[picture] for picture in pictures if looks[picture].flat]
    if not telling:
        return alone
    numbers = groups_of_near(*arrays_of([looks[picture] for picture in telling]))
    together: dict[int, list[str]] = {}
    for picture, number in zip(telling, numbers.tolist(), strict=True):
        together.setdefault(number, []).append(picture)
    return [*alone, *together.values()]


def _kind(shown: Sequence[Product], *, flat: bool) -> Kind | None:
    if flat:
        return "flat"
    groups = {product.group_id: product for product in shown}
    if len(groups) < 2:
        return None
    if len(groups) > FEW_GROUPS and _unlike(list(groups.values())):
        return "on unlike products"
    return "on several products"


def _unlike(products: Sequence[Product]) -> bool:
    """Whether they are of many categories; where those are not known, whether no word is in half of the titles."""
    leaves = {product.category[-1] for product in products if product.category}
    if len(leaves) >= 2:
        return len(leaves) > FEW_CATEGORIES
    words = Counter(word for product in products for word in set(normalise(product.title).split()))
    return bool(words) and not leaves and 2 * max(words.values()) < len(products)


def _twice(products: Sequence[Product]) -> list[tuple[str, ...]]:
    alike: dict[object, list[str]] = {}
    for product in products:
        title = normalise(product.title)
        if title:
            key = (title, normalise(product.brand or ""), tuple(sorted(product.attributes.items())))
            alike.setdefault(key, []).append(product.id)
    return [tuple(sorted(ids)) for ids in alike.values() if len(ids) > 1]


def _most_first(found: Sequence[Lookalikes]) -> tuple[Lookalikes, ...]:
    return tuple(sorted(found, key=lambda each: (-each.count, each.pictures)))
