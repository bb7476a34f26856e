"""`etalage search`: one query to a release, in this process."""

from collections.abc import Sequence
from pathlib import Path

from catalog.errors import InvalidQuery
from flows.filters import typed_filters
from flows.releases import ReleaseStore
from search.query import USUAL, Answer, Query, WeightedTerm, check


def ask(
    home: Path,
    text: str | None,
    images: Sequence[bytes],
    more: Sequence[str],
    less: Sequence[str],
    k: int,
    filters: Sequence[str],
    legs: Sequence[str],
    release: str | None,
    understand: bool = True,
    explain: bool = False,
) -> Answer:
    """The answer of the champion, or of `release`; `more` and `less` are terms that pull and push.

    Raises InvalidQuery before anything is loaded where it can.
    """
    if text is None and not images and not more:
        raise InvalidQuery('Nothing to look for: etalage search "red dress", or --image photo.jpg.')
    terms = [*(WeightedTerm(words, USUAL) for words in more), *(WeightedTerm(words, -USUAL) for words in less)]
    query = Query(
        text=text,
        images=tuple(images),
        k=k,
        filters=typed_filters(filters),
        legs=tuple(legs) or None,
        terms=tuple(terms),
        understand=understand,
        explain=explain,
    )
    check(query)
    store = ReleaseStore(home)
    manifest = store.get(release) if release else store.champion_manifest()
    from flows.opening import open_engine  # Milvus and ONNX Runtime take seconds: not for a wrong question

    return open_engine(store, manifest.release).search(query)
