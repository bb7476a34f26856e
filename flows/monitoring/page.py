"""monitor.html: one page that loads nothing from elsewhere, in the look of the evaluation report."""

from pathlib import Path

from evaluation.pages.template import template
from flows.monitoring.figures import by_day
from flows.monitoring.results import Clicked, MonitorReport, Rate, SliceCount

TEMPLATE = Path(__file__).with_name("monitor.html.j2")
AREAS = {
    "queries": "What is asked",
    "answers": "How it is answered",
    "clicks": "What is clicked",
    "catalogue": "What is sold",
}


def render(report: MonitorReport) -> str:
    """The page."""
    return template(TEMPLATE).render(
        report=report,
        areas=[(title, [check for check in report.checks if check.about == about]) for about, title in AREAS.items()],
        plots=by_day(report.days),
        zero=_share(report.slices, "zero"),
        low=_share(report.slices, "low"),
        share=_of,
        per_view=_per_view,
        rate=_rate,
    )


def _share(slices: tuple[SliceCount, ...], what: str) -> str:
    """Of the champion's current answers: every one is in exactly one slice of a kind."""
    kinds = [row for row in slices if row.slice.startswith("kind=")]
    return _of(sum(getattr(row, f"current_{what}") for row in kinds), sum(row.current_n for row in kinds))


def _of(cases: int, of: int) -> str:
    return f"{100 * cases / of:.1f} %" if of else "·"


def _rate(rate: Rate) -> str:
    if not rate.of:
        return "·"
    return f"{_of(rate.cases, rate.of)} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"


def _per_view(row: Clicked, window: str) -> str:
    views, clicks = getattr(row, f"{window}_views"), getattr(row, f"{window}_clicks")
    return f"{clicks / views:.3f}" if views else "·"
