"""reports/report.html: one page that stands alone, with every number of the evaluation and the worst queries."""

from collections.abc import Sequence
from pathlib import Path

from evaluation.metrics import METRICS
from evaluation.pages.figures import bars, curves, phases, system_label
from evaluation.pages.template import template
from evaluation.pages.worst import ShownLeak, ShownQuery
from evaluation.queries.kinds import AS_SERVED, BASELINES, BM25_TITLES, ENGINE, KINDS
from evaluation.results import EvaluationReport, Measured, SliceScore

TEMPLATE = Path(__file__).with_name("report.html.j2")
DIMENSIONS = ("language", "picture", "frequency", "facets", "language x facets", "category", "leaf")


def render(
    report: EvaluationReport, worst: Sequence[ShownQuery], curves_path: Path, leaks: Sequence[ShownLeak] = ()
) -> str:
    """The page. Everything is inside: no script, no font, no picture comes from elsewhere."""
    systems = _systems(report)
    kinds = tuple(report.metrics)
    primary = [row for row in report.measurements if row.metric == KINDS[row.kind].primary]
    return template(TEMPLATE).render(
        report=report,
        kinds=[(kind, KINDS[kind], _asked(report, kind)) for kind in kinds],
        systems=systems,
        label=system_label,
        cell={(row.kind, row.system): row for row in primary},
        all_cells={(row.kind, row.system, row.metric): row for row in report.measurements},
        best={kind: _best(primary, kind) for kind in kinds},
        reasons={(row.kind, row.system): row.reason for row in report.not_comparable},
        metrics=tuple(METRICS),
        headlines=headlines(report),
        bars=bars(primary, systems, kinds),
        phases=phases(report.latency) if report.latency else "",
        curves=curves(curves_path),
        slices=[(dimension, rows) for dimension in DIMENSIONS if (rows := _in_dimension(report, dimension))],
        worst=worst,
        leaks=leaks,
    )


def _systems(report: EvaluationReport) -> tuple[str, ...]:
    """Engine first, the other ways to ask it, then the baselines from strong to weak."""
    found = {row.system for row in report.measurements}
    parts = dict.fromkeys(system for kind in KINDS.values() for system in kind.systems)
    return tuple(system for system in (*parts, *reversed(BASELINES)) if system in found)


def _best(rows: Sequence[Measured], kind: str) -> float:
    """The highest mean of a kind; where attributes are hidden, the index that shows them is no competitor."""
    return max((row.mean for row in rows if row.kind == kind and row.system != AS_SERVED), default=0.0)


def _asked(report: EvaluationReport, kind: str) -> int:
    return next(row.n for row in report.measurements if row.kind == kind)


def _in_dimension(report: EvaluationReport, dimension: str) -> list[SliceScore]:
    """Its rows; none when all queries are in one slice, which tells nothing."""
    rows = [row for row in report.slices if row.slice.startswith(f"{dimension}=")]
    if len({row.slice for row in rows}) < 2:
        return []
    return sorted(rows, key=lambda row: (list(KINDS).index(row.kind), -row.n, row.slice))


def headlines(report: EvaluationReport) -> list[tuple[str, str, str]]:
    """(what, number, remark) of the few numbers to read first."""
    lines = []
    for kind, system, what in (
        ("title_to_photo", ENGINE, "title finds its photo"),
        ("attribute_en", "dense", "English attributes, from titles and photos alone"),
        ("attribute_zh", "dense", "Chinese attributes, from titles and photos alone"),
        ("photo_to_product", ENGINE, "altered photo finds its product"),
    ):
        row = _row(report.measurements, kind, system)
        if row is not None:
            lines.append((f"{what} ({row.metric})", f"{row.mean:.3f}", _remark(report, row)))
    p95 = report.latency_p95_ms()
    if p95 is not None:
        lines.append(("slowest way to ask, p95", f"{p95:.0f} ms", "encode, retrieve, rank"))
    parity = None if report.parity is None else report.parity.overlap()
    if parity is not None:
        lines.append(
            ("what is served finds what was trained (overlap@10)", f"{parity:.3f}", "the modality that differs most")
        )
    return lines


def _row(rows: Sequence[Measured], kind: str, system: str) -> Measured | None:
    return next(
        (row for row in rows if (row.kind, row.system, row.metric) == (kind, system, KINDS[kind].primary)), None
    )


def _remark(report: EvaluationReport, row: Measured) -> str:
    bm25 = _row(report.measurements, row.kind, BM25_TITLES)
    if bm25 is not None and bm25.mean > 0 and row.system != ENGINE:
        return f"{row.mean / bm25.mean - 1:+.0%} against BM25 on titles ({bm25.mean:.3f})"
    return f"{row.low:.3f} to {row.high:.3f}, n = {row.n}"
