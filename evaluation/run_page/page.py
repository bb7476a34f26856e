"""The page of a run as one HTML document: no script, and nothing that comes from elsewhere."""

from collections.abc import Mapping
from pathlib import Path

from evaluation.pages.figures import system_label
from evaluation.pages.heat_colours import DARK, FAR, LIGHT, SIDE, STEPS, colours
from evaluation.pages.template import template
from evaluation.run_page.content import Missing, RunPage, Tile
from evaluation.run_page.costs import duration
from evaluation.run_page.heat import HeatMap

TEMPLATE = Path(__file__).with_name("run.html.j2")
PARTS: Mapping[str, str] = {
    "changes": "What changed",
    "scores": "Scores",
    "gates": "Gates",
    "slices": "Slices",
    "curves": "Training",
    "catalogue": "The catalogue as a map",
    "queries": "Queries with pictures",
    "costs": "Time and cost",
}


def render(page: RunPage) -> str:
    """The page."""
    return template(TEMPLATE).render(
        page=page,
        parts=PARTS,
        tiles=tiles(page),
        missing=lambda part: isinstance(part, Missing),
        label=system_label,
        duration=duration,
        spoken=spoken,
        light=colours(LIGHT),
        dark=colours(DARK),
        steps=STEPS,
        side=SIDE,
        far=FAR,
        side_class=side_class,
        columns=_columns(page.slices),
    )


def tiles(page: RunPage) -> list[Tile]:
    """The few numbers that matter: against the champion, gates, products, what the evaluation puts first, time."""
    found = []
    if not isinstance(page.scores, Missing):
        overall = page.scores.overall
        if overall is None:
            found.append(Tile("no champion", "to compare with", page.scores.alone))
        else:
            row = overall.row
            remark = f"{row.low:+.3f} to {row.high:+.3f}, n = {row.n:,}"
            found.append(Tile(f"{row.difference:+.3f}", "against the champion, mean over all kinds", remark))
    if not isinstance(page.gates, Missing):
        refused, rules = page.gates.of("failed"), len(page.gates.reasons)
        remark = f"{len(page.gates.of('warned'))} warn, {len(page.gates.of('insufficient'))} could not be asked"
        if refused:
            found.append(Tile(f"{len(refused)} of {rules}", "rules of the gates refuse", remark))
        else:
            found.append(Tile(f"{len(page.gates.of('passed'))}", "rules of the gates pass", remark))
    if not isinstance(page.changes, Missing) and not page.changes.note:
        data = page.changes
        found.append(
            Tile(f"{data.now:,}", "products", f"{data.new:,} new, {data.gone:,} gone, {data.changed:,} changed")
        )
    found += page.headlines
    peak = page.costs.peak_mb
    remark = ", ".join(filter(None, (page.costs.money(page.costs.seconds), f"{peak:,.0f} MB at most" if peak else "")))
    return [*found, Tile(duration(page.costs.seconds), "from start to end", remark)]


def spoken(name: str) -> str:
    """A kind of query or a slice as words."""
    return name.replace("_", " ")


def side_class(step: int) -> str:
    """The class of a difference: b is better, w is worse."""
    return "h0" if step == 0 else f"b{step}" if step > 0 else f"w{-step}"


def _columns(part: HeatMap | Missing) -> int:
    return 0 if isinstance(part, Missing) else 1 + len(part.kinds) + part.against
