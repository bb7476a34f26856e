"""What `etalage monitor` shows on a terminal."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.monitoring.results import MonitorReport

STYLES = {"alarm": "red", "unknown": "dim", "quiet": ""}


def show_report(report: MonitorReport, page: Path) -> None:
    """Every check, the topics in vain, and where the page is."""
    console = Console(highlight=False)
    table = Table("", "about", "check", "found", "limit", "p", "then", "now", box=None)
    for row in report.rows():
        cells = (row["outcome"], row["about"], row["check"], row["found"] or row["note"], row["limit"], row["p"])
        table.add_row(*map(escape, (*cells, row["then"], row["now"])), style=STYLES[row["outcome"]])
    console.print(table)
    if report.topics:
        topics = Table("in vain", "words", "queries", "no result", "low confidence", box=None)
        for topic in report.topics:
            counts = (topic.queries, topic.zero_result, topic.low_confidence)
            topics.add_row(escape(topic.typical), escape(", ".join(topic.words)), *(f"{count:,}" for count in counts))
        console.print(topics)
    sentences = (
        *report.notes,
        f"Now: {report.current_is}. Then: {report.reference_is}.",
        report.sentence(),
        f"The whole report: {page}",
    )
    for sentence in sentences:
        console.print(escape(sentence), soft_wrap=True)
