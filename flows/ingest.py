"""The flow `ingest`: a catalogue becomes the snapshot in data/, and DVC knows it.

etalage ingest sample
etalage ingest ../shop --mapping shop.yaml
"""

from catalog.ingest import IngestReport
from catalog.ingest import ingest as take_snapshot
from catalog.sources import open_source
from catalog.workspace import DATA
from flows import dvc
from flows.durable import one_writer
from flows.environment import home_folder
from flows.orchestration import RETRIED, flow, say, show_table, task


@task(name="snapshot")
def snapshot(source: str, mapping: str | None) -> IngestReport:
    """Read the source into data/: whole or not at all. Bad rows are counted, never dropped silently."""
    report = take_snapshot(open_source(source, mapping))
    rows = [{"what": "products", "count": report.products}]
    rows += [{"what": f"quarantined: {reason}", "count": count} for reason, count in report.quarantined.items()]
    rows += [{"what": f"left out: {reason}", "count": count} for reason, count in report.dropped.items()]
    rows += [{"what": "pictures", "count": report.media}, {"what": "without a picture", "count": report.without_image}]
    show_table("snapshot", rows, f"Snapshot {report.id} of {report.source}")
    return report


@task(name="version")
def version() -> None:
    """Let DVC track the snapshot: data.dvc names it."""
    dvc.add(str(DATA))


@task(name="push", **RETRIED)
def push() -> None:
    """Send the snapshot to the DVC remote."""
    dvc.push()


@flow(name="ingest", flow_run_name="ingest-{source}")
def ingest(source: str = "sample", mapping: str | None = None, push_data: bool = False) -> IngestReport:
    """Snapshot `source` (a folder, or "sample") into data/ and version it; with `push_data`, send it to the remote.

    Raises InvalidSource / InvalidParams for what cannot be read; the old snapshot then stays.
    """
    with one_writer(home_folder()):
        report = snapshot(source, mapping)
        version()
        if push_data:
            push()
    say(f"Snapshot {report.id}: {report.products} products of {report.source_rows} rows.")
    return report
