"""Click-through by slice, from the shop's table of interactions (data/interactions.parquet): views and clicks.

An interaction names a user, a product, an action, a time and perhaps the words that led to it: so slices are the
product's category, the language of the words, and whether there were any. The kind of the query and the place of the
hit are not in it: those are known of what was reported to POST /feedback (flows/monitoring/feedback.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from catalog.actions import BUY, CART, CLICK, VIEW
from catalog.products import Interaction, Product
from catalog.words.tokens import language_of
from evaluation.audits.shifts import Shift, share_shift
from flows.monitoring.checks import Check, too_few
from flows.monitoring.params import MonitorParams
from flows.monitoring.results import Clicked
from flows.monitoring.spans import Span

ALL = "all"
_MOST_SLICES = 25

Actions = Mapping[str, Counter[str]]


def clicked(
    interactions: Sequence[Interaction], products: Iterable[Product], reference: Span, current: Span
) -> tuple[Clicked, ...]:
    """Counts by slice, the most viewed first."""
    categories = {product.id: product.category[0] for product in products if product.category}
    then, now = (_by_slice(interactions, categories, span) for span in (reference, current))
    rows = [
        Clicked(
            slice=name,
            reference_views=then[name][VIEW],
            reference_clicks=then[name][CLICK],
            current_views=now[name][VIEW],
            current_clicks=now[name][CLICK],
            current_carts=now[name][CART],
            current_buys=now[name][BUY],
        )
        for name in sorted(then.keys() | now.keys())
    ]
    rows.sort(key=lambda row: (row.slice != ALL, -(row.reference_views + row.current_views), row.slice))
    return tuple(rows[:_MOST_SLICES])


def click_checks(rows: Sequence[Clicked], params: MonitorParams) -> tuple[Check, ...]:
    """Whether clicks per view fell: over all, and in every slice with enough of both."""
    checks = []
    for row in rows:
        check = Check(
            about="clicks", name=f"clicks of {row.slice}", measures="clicks per view fell by", unit="share",
            limit=params.limits.clicks,
        )  # fmt: skip
        then, now = (
            (clicks, views + clicks)
            for clicks, views in (
                (row.reference_clicks, row.reference_views),
                (row.current_clicks, row.current_views),
            )
        )
        known = row.reference_views and row.reference_clicks and row.current_views
        if not known or min(then[1], now[1]) < params.minimum.events:
            if row.slice == ALL:
                checks.append(too_few(check, then[1], now[1], params.minimum.events, "views and clicks"))
            continue
        per_view = (row.reference_clicks / row.reference_views, row.current_clicks / row.current_views)
        p = share_shift(then, now, "less").p  # a click is no part of the views, so its share is of both
        checks.append(check.tested(Shift(1 - per_view[1] / per_view[0], p), then[1], now[1]))
    return tuple(checks)


def _by_slice(interactions: Iterable[Interaction], categories: Mapping[str, str], span: Span) -> Actions:
    slices: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in interactions:
        at = _at(each)
        if at is None or not span.has(at):
            continue
        names = [ALL, "found by=words" if each.query else "found by=other ways"]
        if each.query:
            names.append(f"language={language_of(each.query)}")
        if each.product_id in categories:
            names.append(f"category={categories[each.product_id]}")
        for name in names:
            slices[name][each.action] += 1
    return slices


def _at(interaction: Interaction) -> datetime | None:
    """When it was, UTC; None for what is no time in ISO 8601, which validation refuses before anybody trains on it."""
    try:
        time = datetime.fromisoformat(interaction.at)
    except (TypeError, ValueError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
