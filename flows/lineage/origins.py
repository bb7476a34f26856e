"""Where a release comes from and what became of it, gathered from its manifest, its reports and history.jsonl.

A retired release is told from what flows.lineage.retired has kept of it.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from evaluation.results import Measured
from flows.lineage.retired import Retired, evaluation_of, read_retired, retired_ids
from flows.releases import ChampionRecord, HistoryEntry, ReleaseStore, the_one
from flows.verdict import Verdict, verdict_of
from search.release import RELEASE_ID, Forced, ReleaseManifest

State = Literal["champion", "earlier champion", "rolled back", "challenger", "refused", "not judged", "retired"]


class Score(BaseModel):
    """The mean of one metric of one system over the `n` queries of a kind; `low` to `high`: its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    kind: str
    system: str
    metric: str
    mean: float
    n: int | None = None
    low: float | None = None
    high: float | None = None


class Retirement(BaseModel):
    """When, by whom and why a release was removed."""

    model_config = ConfigDict(frozen=True)

    at: str
    by: str
    reason: str


class Lineage(BaseModel):
    """All that made a release, and all that was done with it."""

    model_config = ConfigDict(frozen=True)

    release: str
    state: State
    created_at: str
    snapshot: str
    data_md5: str | None
    code_revision: str
    params: dict[str, Any]
    params_hash: str
    encoder: str
    collection: str
    milvus: str
    """embedded, or host:port of the server."""
    manifest_digest: str | None
    """Of the manifest itself; None in one of an earlier version, which nobody can hold against anything."""
    files: dict[str, str] | None
    """Path -> sha256 of all that serves."""
    evaluation_set: str | None
    """Which questions the scores are of; only scores of the same ones compare."""
    scores: tuple[Score, ...]
    scores_note: str = ""
    """Why there are no intervals, where there are none."""
    gate: Verdict | None
    forced: Forced | None
    moves: tuple[HistoryEntry, ...]
    """Promotions and rollbacks to it and away from it, oldest first."""
    retired: Retirement | None = None


def lineage_of(store: ReleaseStore, release: str) -> Lineage:
    """Of `release`, or of the only one whose id starts so. Raises ReleaseNotFound, TamperedRelease."""
    known = known_release(store, release)
    history, champion = store.history(), store.champion()
    if not store.has(known):
        retired = read_retired(store.home, known)
        assert retired is not None  # that is where its id is from
        return _of_retired(retired, history)
    manifest = store.get(known)
    report, state = evaluation_of(manifest, store.folder(known)), _state(manifest, champion)
    if report is None:
        return _lineage(manifest, state, (), None, history, "its evaluation report is gone, or of something else")
    return _lineage(manifest, state, report.measurements, report.inputs.evaluation_set, history, "")


def known_release(store: ReleaseStore, release: str) -> str:
    """A release's whole id, retired ones too; one that is there comes before a retired one.

    Of a whole id no other release is read: a damaged one hides only itself.
    """
    if RELEASE_ID.fullmatch(release) and store.has(release):
        return release
    return the_one(release, store.ids(), retired_ids(store.home))


def _of_retired(retired: Retired, history: Sequence[HistoryEntry]) -> Lineage:
    note = "" if retired.measurements else "its evaluation report was gone when it was retired"
    told = _lineage(retired.manifest, "retired", retired.measurements, retired.evaluation_set, history, note)
    return told.model_copy(update={"retired": Retirement(at=retired.at, by=retired.by, reason=retired.reason)})


def _lineage(
    manifest: ReleaseManifest,
    state: State,
    measurements: Sequence[Measured],
    evaluation_set: str | None,
    history: Sequence[HistoryEntry],
    note: str,
) -> Lineage:
    scores, disagree = _scores(manifest, measurements)
    if disagree:
        note = f"{disagree} of them are not what its evaluation report says: reports are not sealed, the manifest is"
    return Lineage(
        release=manifest.release,
        state=state,
        created_at=manifest.created_at.isoformat(timespec="seconds"),
        snapshot=manifest.snapshot,
        data_md5=manifest.data_md5,
        code_revision=manifest.code_revision,
        params=manifest.params,
        params_hash=manifest.params_hash,
        encoder=manifest.encoder,
        collection=manifest.collection,
        milvus=manifest.milvus_server or manifest.milvus_uri_kind,
        manifest_digest=manifest.digest,
        files=manifest.files,
        evaluation_set=evaluation_set,
        scores=scores,
        scores_note=note,
        gate=verdict_of(manifest),
        forced=manifest.forced,
        moves=tuple(entry for entry in history if manifest.release in (entry.release, entry.instead_of)),
    )


def _scores(manifest: ReleaseManifest, measurements: Sequence[Measured]) -> tuple[tuple[Score, ...], int]:
    """The manifest's scores with the report's intervals, and how many of them the report tells otherwise."""
    measured = {(row.kind, row.system, row.metric): row for row in measurements}
    scores, disagree = [], 0
    for kind, systems in manifest.scores.items():
        for system, metrics in systems.items():
            for metric, mean in metrics.items():
                row = measured.get((kind, system, metric))
                if row is not None and round(row.mean, 6) != round(mean, 6):
                    row, disagree = None, disagree + 1
                about: dict[str, Any] = {} if row is None else {"n": row.n, "low": row.low, "high": row.high}
                scores.append(Score(kind=kind, system=system, metric=metric, mean=mean, **about))
    return tuple(scores), disagree


def _state(manifest: ReleaseManifest, champion: ChampionRecord | None) -> State:
    release, verdict = manifest.release, verdict_of(manifest)
    if champion is not None:
        if release == champion.release:
            return "champion"
        if release in champion.withdrawn:
            return "rolled back"
        if release in champion.earlier:
            return "earlier champion"
    if verdict is None:
        return "not judged"
    return "challenger" if verdict.passed else "refused"
