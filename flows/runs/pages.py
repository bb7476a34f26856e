"""Where the page of a run lies, and how many are kept.

    HOME/runs/<run>.html                              one for each run, the KEPT newest
    reports/retrain.html                              the newest, in the workspace
    HOME/releases/<release>/reports/retrain.html      that of the run that judged the release

The reports of a release are no part of what its manifest seals: its bytes can be made again, and the page tells times.
"""

from pathlib import Path

from catalog.workspace import RUN_PAGE
from flows.durable import remove_durably, write_durably
from flows.releases import REPORTS_FOLDER, ReleaseStore

RUNS = "runs"
KEPT = 30


def leave(store: ReleaseStore, run: str, html: str, release: str | None) -> Path:
    """Write the page of `run`, whole or not at all, into each of its places; `release` is the one it judged."""
    path = store.home / RUNS / f"{run}.html"
    write_durably(path, html)
    write_durably(RUN_PAGE, html)
    if release is not None and store.has(release):
        write_durably(store.folder(release) / REPORTS_FOLDER / RUN_PAGE.name, html)
    for old in left(store.home)[:-KEPT]:
        remove_durably(old)
    return path


def left(home: Path) -> list[Path]:
    """The pages of all runs that are kept, oldest first."""
    return sorted((home / RUNS).glob("*.html"))


def newest(home: Path) -> Path | None:
    """The page of the last run that left one."""
    pages = left(home)
    return pages[-1] if pages else None


def page_of(store: ReleaseStore, release: str | None) -> Path | None:
    """The page of the run that judged `release`, or None where it has none."""
    path = None if release is None else store.folder(release) / REPORTS_FOLDER / RUN_PAGE.name
    return path if path is not None and path.is_file() else None
