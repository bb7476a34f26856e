"""The flow `ingest`: a catalogue becomes the snapshot in data/, and DVC knows it.

etalage ingest sample
etalage ingest ../shop --mapping shop.yaml
etalage ingest products_export.csv --media pictures
"""

from dataclasses import replace
from pathlib import Path

from catalog.fetching.downloads import Downloads
from catalog.fetching.settings import media_settings
from catalog.ingesting.ingest import IngestReport
from catalog.ingesting.ingest import ingest as take_snapshot
from catalog.ingesting.params import IngestParams
from catalog.params import load_section
from catalog.pictures.report import write_pictures_report
from catalog.sources import open_source
from catalog.workspace import DATA
from flows import dvc
from flows.durable import one_writer, write_durably
from flows.environment import home_folder
from flows.ingesting.origin import Ingested, remember
from flows.ingesting.pictures_page import write_pictures_page
from flows.orchestration import RETRIED, flow, say, show_table, task
from flows.scheduling.events import NEW_SNAPSHOT, emit, has_server

ANNOUNCED = "announced"
"""File in ETALAGE_HOME: the last snapshot that a server was told of."""

REMEMBERED = "ingest"
"""Folder in ETALAGE_HOME: what ingests remember."""


@task(name="snapshot")
def snapshot(
    source: str,
    mapping: str | None,
    kind: str | None,
    media: str | None,
    query: str | None,
    quarantine: str | None = None,
    keep_corrections: bool = True,
    anew: bool = False,
) -> IngestReport:
    """Read the source into data/: whole or not at all. Bad rows are counted, never dropped silently.

    Pictures that it names by URL are downloaded, where the environment does not forbid it. What the last ingest left
    stays where nothing of the source changed since, unless all is to be read `anew`.
    """
    params, fetching = load_section("ingest", IngestParams), media_settings()
    opened = open_source(source, mapping, kind, Path(media) if media else None, query)
    with Downloads(fetching, fetching.cache or home_folder() / "downloads") as downloads:
        report = take_snapshot(
            opened,
            fetcher=downloads if fetching.download else None,
            drop_placeholders=params.placeholders == "drop",
            quarantine=Path(quarantine) if quarantine else None,
            keep_corrections=keep_corrections,
            memory=home_folder() / REMEMBERED,
            anew=anew,
        )
    report = replace(report, downloads=dict(sorted(downloads.counts.items())))
    write_pictures_report(report.snapshot, report.findings)
    write_pictures_page(report.snapshot, report.findings)
    remember(home_folder(), Ingested(report.snapshot, source, mapping, kind, media, query))
    rows = [{"what": "products", "count": report.products}]
    rows += [{"what": f"quarantined: {reason}", "count": count} for reason, count in report.quarantined.items()]
    rows += [{"what": f"left out: {reason}", "count": count} for reason, count in report.dropped.items()]
    rows += [{"what": "pictures", "count": report.media}, {"what": "without a picture", "count": report.without_image}]
    rows += [{"what": what, "count": len(found)} for what, found in report.findings.by_kind().items() if found]
    rows += [{"what": f"downloads: {what}", "count": count} for what, count in report.downloads.items()]
    if report.recognised:
        say("Nothing of the source changed since it was ingested, so it was not read again; --anew reads it.")
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


@task(name="announce", **RETRIED)
def announce(report: IngestReport) -> None:
    """Tell a Prefect server of the new snapshot: a deployment waits for that."""
    emit(NEW_SNAPSHOT, report.snapshot, {"products": report.products, "source": report.source})
    write_durably(home_folder() / ANNOUNCED, report.snapshot + "\n")


def is_news(home: Path, snapshot: str, changed: bool) -> bool:
    """Whether a server does not know of `snapshot` yet: it `changed`, or who changed it was killed before telling."""
    path = home / ANNOUNCED
    return changed or not path.is_file() or path.read_text(encoding="utf-8").strip() != snapshot


@flow(name="ingest", flow_run_name="ingest-{source}")
def ingest(
    source: str = "sample",
    mapping: str | None = None,
    push_data: bool = False,
    kind: str | None = None,
    media: str | None = None,
    query: str | None = None,
    quarantine: str | None = None,
    keep_corrections: bool = True,
    anew: bool = False,
) -> IngestReport:
    """Snapshot `source` (see catalog.sources.open_source) into data/ and version it; with `push_data`, send it to the
    remote. `kind` forces a kind of source, `media` is a folder of pictures, `query` what a database is asked;
    `quarantine` is a table of rows that a person corrected, and `keep_corrections` says whether those of before hold;
    `anew` reads again what is known to be unchanged.

    Another snapshot than before, or than the last that was announced, is announced to the Prefect server, where one is
    named. Raises InvalidSource /
    InvalidParams for what cannot be read; the old snapshot then stays.
    """
    with one_writer(home_folder()):
        report = snapshot(source, mapping, kind, media, query, quarantine, keep_corrections, anew)
        version()
        if push_data:
            push()
        if has_server() and is_news(home_folder(), report.snapshot, report.changed):
            announce(report)
    say(f"Snapshot {report.id}: {report.products} products of {report.source_rows} rows.")
    return report
