"""Checks of the catalogue: the products that are in data/ now against those that the champion was made of.

Both are known in full, so there is no chance to rule out: what counts is how far they are apart.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from catalog.errors import EtalageError
from catalog.products import Product
from catalog.tables import read_products, read_snapshot
from evaluation.audits.picture_shift import LEAST, picture_shift
from evaluation.audits.shifts import number_shift, total_variation
from evaluation.gates.continuity import Tables
from evaluation.queries.slices import leaf
from flows import dvc
from flows.lineage.differences import count_changes
from flows.lineage.snapshots import looks_now, looks_of, products_of
from flows.monitoring.checks import Check, too_few
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import Mix, NewValue
from search.release import ReleaseManifest

Effect = Callable[[Sequence[Product], Sequence[Product]], float]
NONE = "none"
_MOST_VALUES = 20


def read_catalogues(manifest: ReleaseManifest) -> tuple[Tables, Tables] | str:
    """The champion's snapshot and the one in data/, products with the looks of their pictures; or the sentence that
    says why there are none."""
    try:
        now = Tables(read_products(), looks=looks_now())
        if read_snapshot().id == manifest.snapshot:
            return now, now
        cache = dvc.cache_folder()
        return Tables(products_of(manifest.data_md5, cache), looks=looks_of(manifest.data_md5, cache)), now
    except EtalageError as error:
        return str(error)


def catalogue_checks(then: Sequence[Product], now: Sequence[Product], params: MonitorParams) -> tuple[Check, ...]:
    """What is sold now against what the champion knows."""
    limits, minimum, sizes = params.limits, params.minimum.products, (len(then), len(now))
    compared: tuple[tuple[str, str, float, Effect], ...] = (
        ("products", "share new or changed", limits.products_changed, _changed),
        ("categories", "share in another category", limits.categories, _apart(leaf)),
        ("brands", "share of another brand", limits.brands, _apart(brand)),
        ("languages of products", "share in another language", limits.product_languages, _apart(language)),
        ("without a picture", "share rose by", limits.without_picture, _rise(_has_no_picture)),
        ("without a description", "share rose by", limits.without_description, _rise(_has_no_description)),
        ("new values", "share of products with one", limits.new_values, _with_new_values),
    )
    checks = []
    for name, measures, limit, effect in compared:
        check = Check(about="catalogue", name=name, measures=measures, unit="share", limit=limit)
        few = min(sizes) < minimum
        checks.append(too_few(check, *sizes, minimum, "products") if few else check.counted(effect(then, now), *sizes))
    return (*checks, _prices(then, now, params))


def picture_check(then: Tables, now: Tables, params: MonitorParams) -> Check:
    """Whether the pictures still look like those that the champion learned from.

    No alarm to retrain on: gates.continuity refuses pictures of another look until a person says that they are meant.
    """
    check = Check(
        about="catalogue", name="pictures", measures="told apart by colours", unit="area", limit=params.limits.pictures,
        retrain=False,
    )  # fmt: skip
    if any(not side.looks and any(product.images for product in side.products) for side in (then, now)):
        return check.unknown("a snapshot is older than the looks of its pictures: ingest again, and retrain")
    found = picture_shift((then.products, then.looks), (now.products, now.looks))
    if found is None:
        return too_few(check, len(then.looks), len(now.looks), 2 * LEAST, "pictures")
    before, after, apart = found
    return check.counted(apart, before, after)


def new_values(then: Sequence[Product], now: Sequence[Product]) -> tuple[NewValue, ...]:
    """Values of facets that are sold now and were not, the most frequent first."""
    known = {item for product in then for item in product.facets().items()}
    found = Counter(item for product in now for item in product.facets().items() if item not in known)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(NewValue(field=field, value=value, products=count) for (field, value), count in ordered)


def mixes(then: Sequence[Product], now: Sequence[Product]) -> tuple[Mix, ...]:
    """Categories, brands and languages of both, as shares."""
    parts = (("category", leaf), ("brand", brand), ("language of products", language))
    return tuple(Mix.of(what, Counter(map(part, then)), Counter(map(part, now)), _MOST_VALUES) for what, part in parts)


def brand(product: Product) -> str:
    """Its brand."""
    return product.brand or NONE


def language(product: Product) -> str:
    """Of title and description."""
    return product.language or NONE


def _changed(then: Sequence[Product], now: Sequence[Product]) -> float:
    changes = count_changes(list(then), list(now))
    return (changes.new + changes.changed) / len(now)


def _apart(part: Callable[[Product], str]) -> Effect:
    return lambda then, now: total_variation(Counter(map(part, then)), Counter(map(part, now)))


def _rise(is_case: Callable[[Product], bool]) -> Effect:
    return lambda then, now: sum(map(is_case, now)) / len(now) - sum(map(is_case, then)) / len(then)


def _has_no_picture(product: Product) -> bool:
    return not product.images


def _has_no_description(product: Product) -> bool:
    return not product.description


def _with_new_values(then: Sequence[Product], now: Sequence[Product]) -> float:
    new = {(value.field, value.value) for value in new_values(then, now)}
    return sum(not new.isdisjoint(product.facets().items()) for product in now) / len(now)


def _prices(then: Sequence[Product], now: Sequence[Product], params: MonitorParams) -> Check:
    """Of the currency that most products have now; a change of currency is a change of every price."""
    check = Check(
        about="catalogue", name="prices", measures="distributions apart by", unit="distance", limit=params.limits.prices
    )
    currencies = Counter(product.currency or "" for product in now if product.price is not None)
    currency = min(currencies, key=lambda name: (-currencies[name], name), default="")
    prices = [
        [product.price for product in products if product.price is not None and (product.currency or "") == currency]
        for products in (then, now)
    ]
    sizes = (len(prices[0]), len(prices[1]))
    if min(sizes) < params.minimum.products:
        return too_few(check, *sizes, params.minimum.products, f"prices in {currency or 'one currency'}")
    return check.counted(number_shift(prices[0], prices[1]).effect, *sizes)
