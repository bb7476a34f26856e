"""Is this the shop that the champion knows? Today's snapshot against the champion's, table by table.

Every table can be fit by itself and still have lost something: a category, a language, a field, the names of a
language, half of the judgements, the unit of its prices, or the look of its pictures. What is told are shares of then,
so that a shop may grow as it likes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from statistics import median

from pydantic import BaseModel, ConfigDict

from catalog.pictures.perceptual_hash import Look
from catalog.products import Judgement, Product, Term
from evaluation.audits.picture_shift import picture_shift
from evaluation.gates.rules import What

SAME = 0.1  # share of the champion's products that another catalogue holds at most, by chance of their ids
FIELDS = ("description", "brand", "category", "price", "currency", "stock", "rating", "images")  # beside attributes


class Change(BaseModel):
    """`then` and `now`, counted or shares of the products, and `share`: what is left of then. Of a price `share` is the
    factor between the same products, of a currency the share of the same products that changed theirs, and of pictures
    how well those of then and now are told apart (evaluation.audits.picture_shift)."""

    model_config = ConfigDict(frozen=True)

    what: What
    name: str = ""
    then: float
    now: float
    share: float


class Continuity(BaseModel):
    """What changed since the champion's snapshot; `unknown` says why nothing can be told, where that is so.

    `another`: because it is not the same catalogue that is there today.
    """

    model_config = ConfigDict(frozen=True)

    changes: tuple[Change, ...] = ()
    unknown: str | None = None
    another: bool = False

    def of(self, what: What) -> list[Change]:
        """The changes of one sort, the greatest loss first."""
        return sorted((change for change in self.changes if change.what == what), key=lambda change: change.share)


@dataclass(frozen=True)
class Tables:
    """The part of a snapshot that is compared. `source`: what it says that it came from; `looks`: by media id."""

    products: Sequence[Product]
    terms: Sequence[Term] = ()
    judgements: Sequence[Judgement] = ()
    source: str = ""
    looks: Mapping[str, Look] = field(default_factory=dict)


def continuity(then: Tables, now: Tables, minimum: int) -> Continuity:
    """All changes; categories and fields only where `minimum` products had them then, and so many had both prices."""
    if is_another(then, now):
        told = f"Today's snapshot is of another catalogue ({now.source}) than the champion's ({then.source})."
        return Continuity(unknown=told, another=True)
    changes = [
        _left("products", "", len(then.products), len(now.products)),
        *_categories(then.products, now.products, minimum),
        *_languages(then.products, now.products, minimum),
        *_fields(then.products, now.products, minimum),
        *_terms(then, now),
        *_sale(then.products, now.products, minimum),
        *_pictures(then, now),
    ]
    if then.judgements:
        changes.append(_left("judgements", "", len(then.judgements), len(now.judgements)))
    return Continuity(changes=tuple(changes))


def is_another(then: Tables, now: Tables) -> bool:
    """Whether it comes from elsewhere and holds almost none of the products: nothing was lost then, it never had them.

    Both, since a shop may move its export, and an export may lose its ids.
    """
    kept = {product.id for product in then.products} & {product.id for product in now.products}
    return then.source != now.source and len(kept) < SAME * len(then.products)


def _left(what: What, name: str, then: float, now: float) -> Change:
    return Change(what=what, name=name, then=then, now=now, share=now / then)


def _categories(then: Sequence[Product], now: Sequence[Product], minimum: int) -> Iterator[Change]:
    """Every level of the category path, as a path: two leaves of one name are two categories."""
    before, after = (Counter(path for product in own for path in _paths(product)) for own in (then, now))
    for path, count in sorted(before.items()):
        if count >= minimum:
            yield _left("category", " > ".join(path), count, after[path])


def _paths(product: Product) -> list[tuple[str, ...]]:
    return [product.category[: level + 1] for level in range(len(product.category))]


def _languages(then: Sequence[Product], now: Sequence[Product], minimum: int) -> Iterator[Change]:
    before, after = (Counter(product.language for product in own if product.language) for own in (then, now))
    for language, count in sorted(before.items()):
        if count >= minimum:
            yield _left("language", language, count, after[language])


def _fields(then: Sequence[Product], now: Sequence[Product], minimum: int) -> Iterator[Change]:
    before, after = (Counter(name for product in own for name in _filled(product)) for own in (then, now))
    for name, count in sorted(before.items()):
        if count >= minimum:
            yield _left("field", name, count / len(then), after[name] / max(1, len(now)))


def _filled(product: Product) -> set[str]:
    known = {name for name in FIELDS if getattr(product, name) not in (None, "", ())}
    return known | set(product.attributes)


def _terms(then: Tables, now: Tables) -> Iterator[Change]:
    """For each language, the share of facet values that have a name in it, counted as often as products have them.

    Of the fields that were there then: one that is new takes no name from the others.
    """
    fields = {field for product in then.products for field in product.facets()}
    for language in sorted({term.language for term in then.terms}):
        before, after = (_named(own, language, fields) for own in (then, now))
        if before:
            yield _left("terms", language, before, after)


def _named(tables: Tables, language: str, fields: Set[str]) -> float:
    named = {(term.field, term.value) for term in tables.terms if term.language == language}
    facets = [facet for product in tables.products for facet in product.facets().items() if facet[0] in fields]
    return sum(facet in named for facet in facets) / max(1, len(facets))


def _sale(then: Sequence[Product], now: Sequence[Product], minimum: int) -> Iterator[Change]:
    """Prices and currencies of the products that are in both."""
    before = {product.id: product for product in then}
    pairs = [(before[product.id], product) for product in now if product.id in before]
    priced = [(old.price, new.price) for old, new in pairs if old.price and new.price]
    if len(priced) >= minimum:
        old_median, new_median = (median(side) for side in zip(*priced, strict=True))
        factor = median(new / old for old, new in priced)
        yield Change(what="price", then=old_median, now=new_median, share=factor)
    named = [(old.currency, new.currency) for old, new in pairs if old.currency and new.currency]
    if len(named) >= minimum:
        changed = _share(old != new for old, new in named)
        yield Change(what="currency", then=0.0, now=changed, share=changed)


def _pictures(then: Tables, now: Tables) -> Iterator[Change]:
    found = picture_shift((then.products, then.looks), (now.products, now.looks))
    if found is not None:
        before, after, apart = found
        yield Change(what="pictures", then=before, now=after, share=apart)


def _share(cases: Iterable[bool]) -> float:
    known = list(cases)
    return sum(known) / len(known)
