"""Where a workspace stands before anything is run: is there something to do, and what is it?

Answered from `dvc status`, dvc.lock and the release store alone: no Prefect, no Milvus, no model, about three seconds.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.params import params_document
from flows import dvc
from flows.candidate import LAST_STAGE, read_candidate
from flows.errors import WorkspaceBusy
from flows.moving import moved
from flows.packaging import is_packaged
from flows.parameters import check_params
from flows.promotion import INTENT
from flows.refreshing.freshness import cut_short, held_snapshot
from flows.releases import ReleaseStore
from flows.revision import demand_snapshot
from flows.verdict import Verdict, verdict_of
from search.settings import SearchSettings

Kind = Literal["stale", "unfinished", "waiting", "serving", "refused", "withdrawn"]


@dataclass(frozen=True)
class Standing:
    """`stale`: stages to run. `unfinished`: no stage, but steps after them. The others: nothing would be recomputed.

    `waiting`: passed the gates and was not promoted. `serving`: what a run would give is the champion.
    `refused`: the gates refused exactly this. `withdrawn`: it was rolled back, and only a named person brings it back.
    """

    kind: Kind
    sentence: str
    release: str | None = None
    verdict: Verdict | None = None

    def is_settled(self, *, promote: bool, force: bool) -> bool:
        """Whether a run that wants this would only repeat what is known."""
        if self.kind == "waiting":
            return not promote
        if self.kind in ("refused", "withdrawn"):
            return not force
        return self.kind == "serving"


def stand(store: ReleaseStore) -> Standing:
    """Where the workspace in the working directory stands against `store`."""
    if (store.home / INTENT).exists():
        return Standing("unfinished", "A promotion was cut short; the next retrain, promote or rollback ends it.")
    params = params_document()
    check_params(params)
    demand_snapshot()
    try:
        stale = dvc.stale(LAST_STAGE) if Path("dvc.yaml").is_file() else {}
    except WorkspaceBusy as error:  # perhaps what a killed run left behind: the flow waits for it
        return Standing("stale", str(error))
    candidate = None if stale else read_candidate()
    if candidate is None:
        return Standing("stale", f"To be brought up to date: {', '.join(stale) or 'all stages'}.")
    release = candidate.release
    if not store.has(release):
        return Standing("unfinished", f"Release {release} has not been finished.", release)
    manifest = store.get(release)
    champion = store.champion()
    verdict = verdict_of(manifest)
    if champion is not None and champion.release == release:
        if not is_packaged(release, store.home) or _store_is_gone():
            return Standing("unfinished", f"Release {release} serves but its Bento or collection is gone.", release)
        if moved(manifest):
            return Standing(
                "unfinished", f"Release {release} serves, and is to be filled into another Milvus.", release
            )
        if (sentence := cut_short(store, release)) is not None:
            return Standing("unfinished", sentence, release)
        if (held := held_snapshot(store, release)) != manifest.snapshot:
            sentence = f"Release {release} serves, and holds snapshot {held} since its last refresh."
            return Standing("unfinished", sentence, release)
        nothing = (
            f"Nothing changed: release {release} already serves snapshot {manifest.snapshot}; nothing was recomputed."
        )
        return Standing("serving", nothing, release, verdict)
    if champion is not None and release in champion.withdrawn:
        return Standing("withdrawn", f"Release {release}, which this would give, was rolled back.", release, verdict)
    key = candidate.decision_key(params.get("gates"), champion.release if champion else None)
    if verdict is None or verdict.key != key:
        return Standing("unfinished", f"Release {release} waits for the gates.", release, verdict)
    if not verdict.passed:
        return Standing("refused", verdict.sentence(), release, verdict)
    if not is_packaged(release, store.home):
        return Standing("unfinished", f"Release {release} waits for its Bento.", release, verdict)
    sentence = f"Nothing was recomputed: release {release} passed the gates and waits for its promotion."
    return Standing("waiting", sentence, release, verdict)


def _store_is_gone() -> bool:
    """Whether the embedded Milvus was deleted. A server is not asked here: that takes seconds."""
    uri = SearchSettings().uri
    return "://" not in uri and not Path(uri).exists()
