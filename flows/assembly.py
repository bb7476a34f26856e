"""The folder of a release: what the stages made, copied once, whole or not at all.

releases/<release>/encoder/ ranking/ reports/ lie there before manifest.json does: only the manifest, written when
the gates have answered, makes it a release.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from catalog.copying import copy_folder
from catalog.digests import digest_of
from catalog.params import params_document
from catalog.syncing import sync
from catalog.workspace import CURVES, ENCODER, EVALUATION, RANKING, REPORTS, RUN_PAGE
from flows.candidate import Candidate
from flows.durable import write_durably
from flows.milestones import Measured
from flows.opening import milvus
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER, ReleaseStore
from flows.revision import code_revision, data_md5
from flows.verdict import Verdict
from models.encoder_folder import BASELINE
from search.contents import digests, sealed
from search.logic import SearchLogic
from search.release import ENCODER as ENCODER_FOLDER
from search.release import RANKING as RANKING_FOLDER
from search.release import ReleaseManifest, write_manifest
from search.settings import SearchSettings


def assemble(store: ReleaseStore, candidate: Candidate) -> Path:
    """Copy encoder and ranking into the release's folder, unless they are there; the reports are today's each time."""
    folder = store.folder(candidate.release)
    if not folder.exists():
        draft = store.releases / f".{candidate.release}.new"
        shutil.rmtree(draft, ignore_errors=True)
        # The frozen baseline is for evaluation; a release does not serve it.
        copy_folder(ENCODER, draft / ENCODER_FOLDER, BASELINE)
        copy_folder(RANKING, draft / RANKING_FOLDER)
        _copy_reports(draft)
        draft.rename(folder)
        sync(store.releases)
    else:
        _copy_reports(folder)
    return folder


def write_release(
    store: ReleaseStore,
    candidate: Candidate,
    measured: Measured,
    verdict: Verdict,
    collection: str,
) -> ReleaseManifest:
    """Write the manifest: with it the folder is a release. The same verdict again leaves the one that is there."""
    before = store.get(candidate.release) if store.has(candidate.release) else None
    gate = verdict.model_dump(mode="json")
    server = SearchSettings().server
    if before is not None and (before.gate, before.collection, before.milvus_server) == (gate, collection, server):
        return before
    params = params_document()
    folder = store.folder(candidate.release)
    sealed_before = before.files if before else None  # kept: another verdict must not bless a file that was changed
    manifest = ReleaseManifest(
        release=candidate.release,
        created_at=before.created_at if before else datetime.now(UTC).replace(microsecond=0),
        snapshot=measured.snapshot,
        data_md5=data_md5(),
        code_revision=code_revision(),
        params=params,
        params_hash=digest_of(params),
        encoder=measured.encoder,
        collection=collection,
        milvus_uri_kind=milvus().kind,
        milvus_server=server,
        ranking=SearchLogic.load(RANKING).ranking.model_dump(mode="json"),
        files=digests(folder) if sealed_before is None else sealed_before,
        scores={kind: dict(by_system) for kind, by_system in measured.evaluation.metrics.items()},
        artifacts=None if candidate.artifacts is None else dict(candidate.artifacts),
        gate=gate,
        status="challenger" if verdict.passed else "refused",
    )
    write_durably(folder / REPORTS_FOLDER / "gate.json", verdict.model_dump_json(indent=2) + "\n")
    write_manifest(manifest, folder)
    return manifest


def seal(store: ReleaseStore, release: str) -> bool:
    """Give a manifest of an earlier version the digests of its files as they are, and its own; whether it had none."""
    manifest, folder = store.get(release), store.folder(release)
    if manifest.files is not None and manifest.digest is not None:
        return False
    write_manifest(sealed(manifest, folder), folder)
    return True


def _copy_reports(folder: Path) -> None:
    """Small reports, and the evaluation's tables, into `folder`/reports. The page of a run comes at its end: the one
    that is there now is an earlier run's."""
    target = folder / REPORTS_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(REPORTS.iterdir()):
        if path != RUN_PAGE and path.is_file() and path.suffix in (".json", ".html", CURVES.suffix):
            shutil.copyfile(path, target / path.name)
    copy_folder(EVALUATION, target / EVALUATION_FOLDER)
