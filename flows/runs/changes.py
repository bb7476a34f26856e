"""What is not as it was when the champion was made: the catalogue, told by what continuity and the monitor count, and
the settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.errors import EtalageError
from catalog.media import MediaStore
from catalog.products import Product
from evaluation.gates.continuity import Change, Continuity, Tables, continuity
from evaluation.gates.decide import asked_of_changes
from evaluation.gates.rules import ContinuityRules
from evaluation.pages.shown import Shown, Thumbnails, show_product
from evaluation.run_page.content import ChangeRow, Changes, Missing, SettingRow, ShareRow
from flows.continuity import Served, tables_now, tables_then
from flows.lineage.differences import count_changes, differing, flat
from flows.monitoring.catalogue import mixes, new_values

ROWS = 16
CATEGORIES = 12
VALUES = 10
NEWEST = 10


def changes_since(
    served: Served | None,
    snapshot: str,
    rules: ContinuityRules,
    settings: tuple[Mapping[str, Any], Mapping[str, Any]] | None,
    media: MediaStore,
) -> Changes | Missing:
    """Today's data/ against what was `served`, and the settings (then, now), where those of then are known."""
    if served is None:
        return Missing("There was no champion when the run began, so there is nothing to hold this snapshot against.")
    told = () if settings is None else settings_changed(*settings)
    if served.snapshot == snapshot:
        return Changes(served.release, "The catalogue is the one that the champion served.", settings=told)
    try:
        then, now = tables_then(served), tables_now()
    except EtalageError as error:
        return Changes(served.release, str(error), settings=told)
    found = continuity(then, now, rules.minimum)
    if found.unknown is not None:
        return Changes(served.release, found.unknown, settings=told)
    return compared(served.release, then, now, found, rules, told, media)


def compared(
    champion: str,
    then: Tables,
    now: Tables,
    found: Continuity,
    rules: ContinuityRules,
    settings: Sequence[SettingRow],
    media: MediaStore,
) -> Changes:
    """Both snapshots, table by table."""
    counts = count_changes(list(then.products), list(now.products))
    rows, steady = _rows(found, rules)
    categories = next(mix for mix in mixes(then.products, now.products) if mix.what == "category")
    known = {product.id for product in then.products}
    return Changes(
        champion=champion,
        then=len(then.products),
        now=len(now.products),
        new=counts.new,
        gone=counts.gone,
        changed=counts.changed,
        rows=rows[:ROWS],
        more=max(0, len(rows) - ROWS),
        steady=steady,
        categories=[ShareRow(row.value, row.reference, row.current) for row in categories.shares[:CATEGORIES]],
        values=[(each.field, each.value, each.products) for each in new_values(then.products, now.products)[:VALUES]],
        newest=_shown([product for product in now.products if product.id not in known], media),
        settings=settings,
    )


def settings_changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[SettingRow]:
    """Settings whose values differ; one that is not set is as one that is not there."""
    rows = [SettingRow(each.name, _value(each.before), _value(each.after)) for each in differing(flat(then), flat(now))]
    return [row for row in rows if row.then != row.now]


def _shown(products: Sequence[Product], media: MediaStore) -> list[Shown]:
    """The first of them by id that have a picture here."""
    there, thumbnails = set(media.ids()), Thumbnails(media)
    seen = [product for product in sorted(products, key=lambda product: product.id) if {*product.images[:1]} & there]
    return [show_product(product, thumbnails) for product in seen[:NEWEST]]


def _rows(found: Continuity, rules: ContinuityRules) -> tuple[list[ChangeRow], int]:
    """What moved, the farthest first, the worst of each sort with what the gates say of it; and how many did not."""
    outcomes = {what: reason.outcome for what, reason in asked_of_changes(found, rules)}
    worst = {what: found.of(what)[0] for what in outcomes}
    moved = sorted(filter(_far, found.changes), key=lambda change: (-_far(change), change.what, change.name))
    rows = [_row(change, outcomes[change.what] if worst.get(change.what) is change else "") for change in moved]
    return rows, len(found.changes) - len(moved)


def _far(change: Change) -> float:
    """How far it moved, as a share of then; of pictures, how much better than by chance they are told apart."""
    if change.what == "pictures":
        return change.share - 0.5
    return abs(change.now - change.then) / abs(change.then) if change.then else abs(change.now)


def _row(change: Change, outcome: str) -> ChangeRow:
    then, now = change.then, change.now
    match change.what:
        case "price":
            then_now, moved = (f"{then:,.2f}", f"{now:,.2f}"), f"x {change.share:.3g}"
        case "pictures":
            then_now, moved = (f"{then:,.0f}", f"{now:,.0f}"), f"told apart {change.share:.2f}"
        case "products" | "category" | "language" | "judgements":
            then_now, moved = (f"{then:,.0f}", f"{now:,.0f}"), f"{change.share - 1:+.1%}"
        case _:
            then_now, moved = (f"{then:.1%}", f"{now:.1%}"), f"{100 * (now - then):+.1f} points"
    return ChangeRow(_WHAT[change.what], change.name, *then_now, moved, outcome)


_WHAT = {
    "products": "products",
    "category": "products of a category",
    "language": "products in a language",
    "field": "products that fill a field",
    "terms": "facet values that have a name in",
    "judgements": "judgements",
    "price": "median price of the same products",
    "currency": "same products in another currency",
    "pictures": "look of pictures (0.5: as it was)",
}


def _value(value: Any) -> str:
    return "not set" if value in (None, "") else str(value)
