"""Small runs whose pages are looked at: what was measured, what the gates said, and what a test wants otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from PIL import Image

from evaluation.gates.compare import Comparison, Difference
from evaluation.gates.reasons import Reason, at_least, unasked
from evaluation.pages.shown import Shown, thumbnail
from evaluation.pages.worst import ShownQuery
from evaluation.queries.judgements import EvaluationQuery
from evaluation.queries.kinds import KINDS
from evaluation.results import EvaluationReport, Inputs, Measured, SliceScore
from evaluation.run_page.catalogue_map import CatalogueMap, Category, Landmark, Point
from evaluation.run_page.content import (
    ChangeRow,
    Changes,
    Ending,
    Gates,
    Missing,
    Queries,
    RunPage,
    SettingRow,
    ShareRow,
    Tile,
)
from evaluation.run_page.costs import Cost, Costs, ReportParams
from evaluation.run_page.heat import heat_map
from evaluation.run_page.scores import scores_of

ALPHA = 0.05
INPUTS = Inputs(
    snapshot="5" * 12, encoder="e" * 16, baseline_encoder=None, ranking="a" * 12, params="b" * 12, evaluation_set="q"
)


def a_picture() -> str:
    """A red square as a data URI."""
    stream = BytesIO()
    Image.new("RGB", (90, 90), (200, 30, 30)).save(stream, "PNG")
    return thumbnail(stream.getvalue())


def measured(kind: str, system: str, mean: float, n: int = 200) -> Measured:
    low, high = max(0.0, mean - 0.03), min(1.0, mean + 0.03)
    return Measured(kind=kind, system=system, metric=KINDS[kind].primary, n=n, mean=mean, low=low, high=high)


def a_slice(kind: str, name: str, mean: float, n: int = 40) -> SliceScore:
    return SliceScore(kind=kind, slice=name, metric="nDCG@10", n=n, mean=mean, low=mean - 0.05, high=mean + 0.05)


def a_difference(scope: str, name: str, value: float, p: float = 0.001) -> Difference:
    return Difference(
        scope=scope,  # type: ignore[arg-type]
        name=name,
        metric="nDCG@10",
        n=200,
        champion=0.6,
        challenger=0.6 + value,
        difference=value,
        low=value - 0.01,
        high=value + 0.01,
        lower_bound=value - 0.008,
        adjusted_p=p,
        champion_low=0.57,
        champion_high=0.63,
    )


def a_report(slices: Sequence[SliceScore] = ()) -> EvaluationReport:
    """Two kinds, three baselines of which one cannot be asked for photos."""
    rows = [
        measured("attribute_en", system, mean)
        for system, mean in (("engine", 0.8), ("dense", 0.7), ("frozen", 0.5), ("bm25_titles", 0.4), ("random", 0.05))
    ]
    rows += [measured("title_to_photo", system, mean) for system, mean in (("engine", 0.7), ("random", 0.02))]
    return EvaluationReport(
        inputs=INPUTS,
        catalogue=480,
        pool=48,
        metrics={},
        measurements=tuple(rows),
        margins=(),
        slices=tuple(slices),
        latency=(),
        not_comparable=(),
        unasked={},
    )


SLICES = (
    a_slice("attribute_en", "language=en", 0.9),
    a_slice("title_to_photo", "language=en", 0.35),
    a_slice("attribute_en", "language=zh", 0.6),
)
COMPARISON = Comparison(
    evaluation_set="q",
    differences=(
        a_difference("overall", "overall", 0.03),
        a_difference("kind", "attribute_en", 0.08),
        a_difference("kind", "title_to_photo", -0.04, p=0.6),
        a_difference("slice", "language=en", 0.04),
        a_difference("slice", "language=zh", -0.2),
    ),
)
PASSED: tuple[Reason, ...] = (
    at_least("floor", "title_to_photo engine recall@10", 0.7, 0.6),
    unasked("floor", "shop", "The shop gave no judgements."),
)
REFUSED: tuple[Reason, ...] = (at_least("floor", "title_to_photo engine recall@10", 0.5, 0.6), *PASSED)


def a_product(title: str = "A red mug", relevant: bool = True) -> Shown:
    return Shown("p1", title, "Mugs, Red", a_picture(), relevant)


def a_query(text: str = "red mug", value: float = 0.0) -> ShownQuery:
    product = a_product()
    query = EvaluationQuery("q1", "attribute_en", "en", text)
    return ShownQuery(query, "", value, 4, (product,), (product, replace(product, relevant=False, picture="")))


def a_map(title: str = "A red mug") -> CatalogueMap:
    points = [Point(100.0 + 5 * n, 200.0, title) for n in range(6)]
    mark = Landmark(110.0, 200.0, "Mugs", a_picture(), 1)
    return CatalogueMap([Category("Mugs", 1, 6, points), Category("others", 0, 6, points)], [mark], 12, 12, 1.0, 0.9)


CHANGES = Changes(
    champion="r1",
    then=470,
    now=480,
    new=15,
    gone=5,
    changed=7,
    rows=[ChangeRow("products of a category", "Home > Mugs", "40", "20", "-50.0%", "failed")],
    steady=12,
    categories=[ShareRow("Mugs", 0.08, 0.04), ShareRow("Shirts", 0.1, 0.12)],
    values=[("colour", "Teal", 3)],
    newest=[a_product("A new teal mug")],
    settings=[SettingRow("train.epochs", "3", "4")],
)


def promoted() -> RunPage:
    """A run with all of its parts."""
    report = a_report(SLICES)
    return RunPage(
        run="20260101T030000Z-abcdef12",
        began="2026-01-01 03:00 UTC",
        ending=Ending("promoted", "Release r2 passed the gates and answers now for snapshot 555555555555.", "good"),
        about={"release": "r2", "snapshot": "5" * 12},
        changes=CHANGES,
        scores=scores_of(report, COMPARISON, ALPHA),
        gates=Gates(True, "Release r2 passes the gates against champion r1 (2 rules).", PASSED),
        slices=heat_map(report, COMPARISON, ALPHA),
        curves=(),
        catalogue=a_map(),
        queries=Queries([a_query(value=1.0)], [a_query()]),
        costs=Costs(
            [
                Cost("validate", "unchanged", before=21.0),
                Cost("train", "ran", 300.0, 580.0, 2400.0),
                Cost("index", "ran", 30.0, 12.0),
            ],
            412.0,
            ReportParams(price_per_hour=3.0, currency="EUR"),
        ),
        headlines=[Tile("0.700", "title finds its photo (recall@10)")],
    )


def refused() -> RunPage:
    """The gates said no."""
    said = "Release r2 is refused by 1 of 3 rules: title_to_photo engine recall@10 is 0.5, must be at least 0.6."
    return replace(promoted(), ending=Ending("refused", said, "bad"), gates=Gates(False, said, REFUSED))


def unfit() -> RunPage:
    """Validation said no, before anything was trained."""
    said = "Snapshot 555555555555 is not fit to train on: 20 products, at least 50 are needed."
    report = Missing("The run did not come to this. The evaluation report is about snapshot 4, and ...")
    parts = dict.fromkeys(("scores", "slices", "curves", "catalogue", "queries"), report)
    return replace(
        promoted(),
        ending=Ending("refused", said, "bad"),
        gates=Missing(f"The gates were not asked. {said}"),
        headlines=(),
        **parts,  # type: ignore[arg-type]
    )
