"""Which catalogue a release holds by now: the one that it was made of, or that of its last refresh."""

from flows.releases import ReleaseStore
from flows.revision import data_md5
from search.refreshes import last_done, records

_MARK = "+"
"""Between a release and the number of its refresh; no release's id has one."""


def served_as(store: ReleaseStore, release: str) -> str:
    """What a service of `release` has to serve now, as one name: another one after each refresh."""
    record = last_done(store.folder(release))
    return release if record is None else f"{release}{_MARK}{record.number}"


def release_of(served: str) -> str:
    """The release in a name that `served_as` gave."""
    return served.partition(_MARK)[0]


def held_snapshot(store: ReleaseStore, release: str) -> str:
    """Id of the snapshot that the collection of `release` holds."""
    record = last_done(store.folder(release))
    return store.get(release).snapshot if record is None else record.snapshot


def behind(store: ReleaseStore, release: str) -> str | None:
    """A sentence where data/ is another catalogue than the one that `release` holds; None where it is the same."""
    record = last_done(store.folder(release))
    held = store.get(release).data_md5 if record is None else record.data_md5
    now = data_md5()
    if now is None or held is None or now == held:
        return None
    return (
        f"Release {release} holds snapshot {held_snapshot(store, release)}, and data.dvc names another: "
        "`etalage refresh` brings it in."
    )


def cut_short(store: ReleaseStore, release: str) -> str | None:
    """A sentence where a refresh of `release` has begun and not ended."""
    done = last_done(store.folder(release))
    last = records(store.folder(release))[-1:]
    if not last or last[0].status == "done" or (done is not None and done.number > last[0].number):
        return None
    return f"A refresh of release {release} was cut short: `etalage refresh` ends it."
