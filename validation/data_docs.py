"""Data Docs: one HTML page for each table and an index, which stand alone: no script, nothing loaded from anywhere.

Great Expectations renders the results; pages/ replaces its page frame, which loads styles and scripts from outside.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context
from markupsafe import escape

from catalog.workspace import DATA_DOCS
from validation.checks import Checked
from validation.report import Finding

PAGES = Path(__file__).with_name("pages")
_VALUES = (str, int, float, bool, type(None))  # what a cell may hold beside rendered content


@dataclass(frozen=True)
class TableSummary:
    """One line of the index."""

    name: str
    rows: int
    expectations: int
    held: int
    stopped: int
    warned: int


class StandAlonePageView(DefaultJinjaPageView):  # type: ignore[misc]  # GX has no types we read
    """Great Expectations' page view with our page frame found before its own."""

    def __init__(self) -> None:
        super().__init__()
        self.env.loader = ChoiceLoader([FileSystemLoader(PAGES), self.env.loader])

    @pass_context
    def render_content_block(self, jinja_context: Any, content_block: Any, *more: Any, **named: Any) -> Any:
        """As Great Expectations renders a block, but values of the catalogue become text: it prints them as markup."""
        if isinstance(content_block, str):
            return escape(content_block)
        if isinstance(content_block, list):
            content_block = [escape(str(item)) if isinstance(item, _VALUES) else item for item in content_block]
        return super().render_content_block(jinja_context, content_block, *more, **named)

    def index(self, **values: Any) -> str:
        """The index page, from pages/index.j2."""
        return str(self.env.get_template("index.j2").render(**values))


def write_data_docs(checked: Checked, folder: Path = DATA_DOCS) -> Path:
    """Write the pages into `folder`, in place of what was there, and return the index. Same snapshot, same bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, page in render_data_docs(checked).items():
        (folder / name).write_text(page, encoding="utf-8")
    return folder / "index.html"


def render_data_docs(checked: Checked) -> dict[str, str]:
    """File name -> HTML."""
    view, report = StandAlonePageView(), checked.report
    names = list(checked.results)
    pages = {}
    for table, result in checked.results.items():
        findings = [finding for finding in report.findings if finding.table == table]
        broken = [finding for finding in findings if not finding.success]
        pages[f"{table}.html"] = view.render(
            ValidationResultsPageRenderer().render(result),
            title=f"{table}: snapshot {report.snapshot}",
            report=report,
            table=table,
            tables=names,
            rows=f"{findings[0].rows:,}",
            broken=broken,
            state=_state(broken),
            verdict=f"{len(findings) - len(broken)} of {len(findings)} expectations hold.",
        )
    pages["index.html"] = view.index(
        title=f"Snapshot {report.snapshot}" if report.snapshot else "A snapshot that cannot be read",
        report=report,
        state="stop" if report.failures else "warn" if report.warnings else "held",
        tables=[_summary(name, report.findings) for name in names],
    )
    return pages


def _state(broken: Sequence[Finding]) -> str:
    severities = {finding.severity for finding in broken}
    return "stop" if "stop" in severities else "warn" if severities else "held"


def _summary(table: str, findings: Sequence[Finding]) -> TableSummary:
    own = [finding for finding in findings if finding.table == table]
    failed = [finding.severity for finding in own if not finding.success]
    return TableSummary(
        name=table,
        rows=own[0].rows,
        expectations=len(own),
        held=len(own) - len(failed),
        stopped=failed.count("stop"),
        warned=failed.count("warn"),
    )
