"""`etalage search`: one query to a release, in this process."""

from collections.abc import Sequence
from pathlib import Path

from catalog.errors import InvalidQuery
from flows.filters import typed_filters
from flows.opening import open_engine
from flows.releases import ReleaseStore
from search.engine import Answer
from search.query import Query


def ask(
    home: Path,
    text: str | None,
    image: bytes | None,
    k: int,
    filters: Sequence[str],
    legs: Sequence[str],
    release: str | None,
) -> Answer:
    """The answer of the champion, or of `release`. Raises InvalidQuery before anything is loaded where it can."""
    if text is None and image is None:
        raise InvalidQuery('Nothing to look for: etalage search "red dress", or --image photo.jpg.')
    query = Query(text=text, image=image, k=k, filters=typed_filters(filters), legs=tuple(legs) or None)
    store = ReleaseStore(home)
    manifest = store.get(release) if release else store.champion_manifest()
    return open_engine(store, manifest.release).search(query)
