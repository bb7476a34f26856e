"""The search logic of a release beside a collection that was refreshed: with tokens of what changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catalog.errors import NotReady, TamperedRelease
from models.late.changed import ChangedTokens
from models.late.tokens import ProductTokens, saved_ids
from search.collection import AS_MADE, Freshness
from search.contents import differences
from search.logic import SearchLogic
from search.refreshes import TOKENS, contents, read_record, refresh_folder


def refreshed(logic: SearchLogic, release: Path, freshness: Freshness) -> SearchLogic:
    """`logic` of the release in the folder `release`, beside a collection of that `freshness`.

    Raises NotReady where the tokens of the collection's products are not here, TamperedRelease where they are not what
    their record says.
    """
    if logic.late is None or freshness == AS_MADE:
        return logic
    tokens = {number: _tokens(release, number) for number in set(freshness) if number}
    if not freshness.coming:
        return replace(logic, tokens=_beside(tokens[freshness.number], frozenset()))
    # Which of two states a product will be shown in is not known until the refresh has ended.
    hidden = [frozenset(saved_ids(folder)) for folder in tokens.values() if folder is not None]
    return replace(logic, tokens=_beside(None, frozenset().union(*hidden)))


def _beside(folder: Path | None, hidden: frozenset[str]) -> Callable[[ProductTokens], ChangedTokens]:
    changed = None if folder is None else ProductTokens.load(folder)
    return lambda base: ChangedTokens(base, changed, hidden)


def _tokens(release: Path, number: int) -> Path | None:
    """Folder of the tokens of a refresh; None where no product's differ from the release's."""
    folder = refresh_folder(release, number)
    record = read_record(folder)
    if record is None:
        raise NotReady(
            f"The collection of release {release.name} was refreshed, and what its products look like to late "
            f"interaction since is not here: {folder} is missing. Set ETALAGE_HOME to where `etalage refresh` ran."
        )
    if wrong := differences(record.files, contents(folder)):
        raise TamperedRelease(
            f"Refresh {number} of release {record.release} is not what its record says: {wrong}; "
            f"remove {folder}, and run `etalage refresh` again."
        )
    return folder / TOKENS if (folder / TOKENS).is_dir() else None
