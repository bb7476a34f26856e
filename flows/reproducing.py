"""Before a champion is compared with: does it still score what its record says, out of its own collection?

A task of the flow and no DVC stage, as the comparison is: the champion is outside of the workspace.
"""

from pathlib import Path

from catalog.errors import InvalidSnapshot, ReleaseNotFound
from catalog.media import MediaStore
from catalog.workspace import EVALUATE_REPORT
from evaluation.gates.record import EvaluationBroken, Record, broken, read_record
from evaluation.gates.reproduce import reproduce
from evaluation.gates.rules import ReproduceRules
from evaluation.results import Inputs, read_report
from evaluation.runs import photos_of
from flows.moving import moved
from flows.opening import milvus
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER, ReleaseStore
from flows.revision import CHANGED, NO_GIT, code_revision
from models.encoder import Encoder
from search.contents import check_contents
from search.logic import SearchLogic
from search.release import ENCODER, RANKING, ReleaseManifest
from search.rows import Rows


def reproduce_champion(store: ReleaseStore, champion: str, rules: ReproduceRules) -> str:
    """A sentence on what was asked again. Raises EvaluationBroken for a number that does not come out again.

    Also raises TamperedRelease where the champion's files are not what its manifest says.
    """
    manifest, folder = store.get(champion), store.folder(champion)
    record = own_record(store, champion)
    if moved(manifest):
        return "its collection is in another Milvus, so nothing was asked; its record agrees with itself."
    rows = _rows(champion)
    if rows.snapshot != manifest.snapshot:
        held = f"its collection holds snapshot {rows.snapshot} by now"
        return f"{held}, so nothing was asked; its record agrees with itself."
    media = MediaStore()
    encoder, logic = Encoder.load(folder / ENCODER), SearchLogic.load(folder / RANKING)
    try:
        found = reproduce(record, rows, encoder, logic, photos_of(media), frozenset(media.ids()), rules)
    except EvaluationBroken as error:
        raise by_other_code(error, manifest.code_revision, code_revision()) from None
    return found.sentence()


def by_other_code(error: EvaluationBroken, then: str, now: str) -> EvaluationBroken:
    """`error`, which names the code too where today's is not known to be the one that measured the champion."""
    if then == now and not now.endswith(CHANGED) and now != NO_GIT:
        return error
    return EvaluationBroken(f"{error} It was measured by code {then}, and today's is {now}: the cause may be there.")


def demand_same_report(store: ReleaseStore, champion: str) -> None:
    """Today's evaluation report against the champion's. Raises EvaluationBroken where they should ask the same."""
    report = store.folder(champion) / REPORTS_FOLDER / EVALUATE_REPORT.name
    demand_same_questions(store.get(champion), _inputs(champion, report), read_report().inputs, code_revision())


def own_record(store: ReleaseStore, champion: str) -> Record:
    """What it was asked and scored, where that agrees with itself and with its manifest. Takes no asking.

    Raises EvaluationBroken where it does not, TamperedRelease where the files are not what the manifest says.
    """
    manifest, folder = store.get(champion), store.folder(champion)
    check_contents(manifest, folder)
    return read_record(champion, folder / REPORTS_FOLDER / EVALUATION_FOLDER, manifest.scores)


def demand_same_questions(champion: ReleaseManifest, then: Inputs, now: Inputs, code: str) -> None:
    """The same snapshot, params and code ask the same questions: fewer of them, or other grades, are a fault."""
    known = code != NO_GIT and not code.endswith(CHANGED)
    same = (then.snapshot, then.params, champion.code_revision) == (now.snapshot, now.params, code)
    if known and same and then.evaluation_set != now.evaluation_set:
        raise broken(
            champion.release,
            f"was asked evaluation set {then.evaluation_set}, and the same snapshot, params and code ask "
            f"{now.evaluation_set} today",
        )


def _inputs(release: str, report: Path) -> Inputs:
    try:
        return read_report(report).inputs
    except InvalidSnapshot:
        raise broken(release, f"has no readable {report.name}") from None


def _rows(release: str) -> Rows:
    collections = milvus()
    try:
        return collections.rows(release)
    except ReleaseNotFound:
        raise broken(release, "has lost its collection") from None
    finally:
        collections.close()
