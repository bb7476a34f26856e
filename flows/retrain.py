"""The flow `retrain`: from a snapshot to a gated release, and the champion if the gates pass.

    etalage retrain

validate -> reproduce the champion's scores -> train -> evaluate (DVC milestones) -> release folder -> index -> compare
-> gates -> package -> promote. Whatever it comes to, it leaves a page (flows/runs).
Every step after the milestones may be done twice: killed anywhere, run it again and it ends in the same place.
"""

from typing import Any

from catalog.errors import EtalageError
from catalog.params import load_section, params_document
from catalog.tables import read_terms
from catalog.workspace import EVALUATE_PAGE, GATE_REPORT, MISFILED_PAGE
from evaluation.gates.compare import Comparison
from evaluation.gates.decide import decide
from evaluation.gates.evidence import Counts, Evidence, Fidelity, gather
from evaluation.gates.record import EvaluationBroken
from evaluation.gates.rules import GateRules, ReproduceRules
from evaluation.queries.kinds import ENGINE, KINDS
from flows import assembly, comparing, dvc, indexing, milestones
from flows.candidate import Candidate, require_candidate
from flows.continuity import against_champion
from flows.durable import one_writer, write_json_durably
from flows.environment import home_folder
from flows.errors import RefusedByGates, WithdrawnRelease
from flows.first_steps import (
    find_snapshot,
    look_at_export,
    look_at_questions,
    look_at_training,
    look_back,
    validate,
)
from flows.milestones import Measured
from flows.moving import demand_fidelity, moved, settle
from flows.notifying.hooks import TOLD
from flows.opening import milvus
from flows.orchestration import RETRIED, WAITING, flow, flow_run, say, show_link, show_table, task
from flows.outcome import RetrainOutcome, settled
from flows.packaging import is_packaged
from flows.promote import make_champion, move_champion, package_release, permit, recover
from flows.refreshing.folder import keep_as_made
from flows.refreshing.ledger import ledger_made
from flows.refreshing.steps import Refresh
from flows.releases import ReleaseStore
from flows.reproducing import demand_same_report, reproduce_champion
from flows.revision import data_md5
from flows.runs.closing import leave_page, link_known
from flows.runs.run import Run
from flows.standing import Standing, stand
from flows.verdict import Verdict
from models.params import EmbedParams
from search.collection import AS_MADE
from search.release import ReleaseManifest
from search.stored import collection_name


@task(name="reach", task_run_name="reach-{milestone}", **WAITING)
def reach(milestone: str) -> None:
    """A milestone: DVC runs what is stale on the way to it."""
    say(milestones.reach(milestone).sentence())


@task(name="index", **RETRIED)
def index(release: str, serving: bool = False) -> tuple[str, Counts, Fidelity]:
    """Fill the release's collection, count it and compare it with exact search. Returns its name and both.

    One that is `serving` and was refreshed is not filled anew: what refreshes did to it is undone.
    """
    collections = milvus()
    products, rows = indexing.snapshot_rows()
    if serving and collections.has_release(release) and collections.held(release).freshness != AS_MADE:
        Refresh(ReleaseStore(home_folder()), collections, rows.snapshot).run(data_md5())
        name = collection_name(release)
    else:
        name = indexing.fill(collections, rows, release)
        pictures = load_section("embed", EmbedParams).pictures
        made = ledger_made(products, rows, read_terms(), pictures)  # so that the first refresh need not read it all
        keep_as_made(ReleaseStore(home_folder()).folder(release), made)
    counts = indexing.count(collections, products, release)
    fidelity = indexing.fidelity(collections, products, rows, release)
    collections.close()
    say(f"Collection {name}: {counts.collection_rows} products, overlap@10 with exact search {fidelity.overlap:.3f}.")
    return name, counts, fidelity


@task(name="reproduce", **RETRIED)
def reproduce(champion: str, rules: ReproduceRules) -> None:
    """The champion is asked again what it was asked then, before anything is compared with it."""
    say(f"Champion {champion}: {reproduce_champion(ReleaseStore(home_folder()), champion, rules)}")


@task(name="compare")
def compare(champion: str, snapshot: str, rules: GateRules) -> Comparison:
    """Champion against challenger on today's questions."""
    comparison = comparing.compare_with_champion(ReleaseStore(home_folder()), champion, snapshot, rules)
    overall = comparison.differences[0]
    say(f"Against champion {champion}: {overall.difference:+.4f} overall, at least {overall.lower_bound:+.4f}.")
    return comparison


@task(name="decide")
def ask_gates(key: str, candidate: Candidate, measured: Measured, evidence: Evidence, rules: GateRules) -> Verdict:
    """Ask the gates and write reports/gate.json."""
    verdict = Verdict(
        key=key,
        release=candidate.release,
        snapshot=measured.snapshot,
        encoder=measured.encoder,
        champion=evidence.champion,
        decision=decide(evidence, rules),
    )
    write_json_durably(GATE_REPORT, {**verdict.model_dump(mode="json"), "evidence": evidence.model_dump(mode="json")})
    show_table("gates", verdict.rows(), verdict.sentence())
    show_table("metrics", _metrics(measured), f"Snapshot {measured.snapshot}, encoder {measured.encoder}")
    show_link("report", EVALUATE_PAGE, "The evaluation report: plots, slices and the worst queries")
    say(verdict.sentence())
    return verdict


@task(name="push", **RETRIED)
def push() -> None:
    """Send snapshot and artifacts to the DVC remote."""
    dvc.push()


@flow(name="retrain", **TOLD)
def retrain(
    promote: bool = True,
    force: bool = False,
    reason: str = "",
    by: str = "etalage retrain",
    push_artifacts: bool = False,
) -> RetrainOutcome:
    """Bring the workspace up to date, decide, and promote if the gates pass and `promote` says so.

    `force` promotes a refused release; it needs `reason` and `by`, which are recorded. Raises InvalidSnapshot,
    RefusedByGates or WithdrawnRelease for refusals, EvaluationBroken for a champion whose scores do not come out
    again, NotReady for stores that do not answer.
    """
    with one_writer(home_folder()):
        recover()
        store = ReleaseStore(home_folder())
        standing = stand(store)
        if standing.is_settled(promote=promote, force=force):
            link_known(store, standing.release)
            return settled(standing)
        run = Run.begin(store, flow_run())
        try:
            outcome = _go(store, run, standing, promote=promote, force=force, reason=reason, by=by)
        except EtalageError as error:
            leave_page(store, run, error)
            raise
        leave_page(store, run, outcome)
        if push_artifacts:
            push()
    say(outcome.sentence)
    return outcome


def _go(
    store: ReleaseStore, run: Run, standing: Standing, *, promote: bool, force: bool, reason: str, by: str
) -> RetrainOutcome:
    """The stages, the gates, and what follows from them."""
    champion, sound = store.champion(), False
    if standing.kind == "stale":
        snapshot = find_snapshot()
        validate(snapshot)
        continuity = look_back(snapshot, force=force)
        if champion is not None and not force:
            with run.step("look at the champion"):  # hours before the gates would refuse for it
                reproduce(champion.release, load_section("gates", GateRules).reproduce)
                look_at_questions(champion.release, snapshot, continuity)
            sound = True
        reach("train")
        look_at_training(force=force)
        reach("export")
        look_at_export(force=force)
        reach("evaluate")
        reach("misfiled")
        show_link("misfiled", MISFILED_PAGE, "Products that look like another category than theirs")
    candidate = require_candidate()
    if champion is not None and champion.release == candidate.release:
        return _keep(store, candidate.release)
    named = champion.release if champion else None
    manifest, verdict = _judge(store, run, candidate, named, sound=sound, force=force)
    if champion is not None and candidate.release in champion.withdrawn and not force:
        raise WithdrawnRelease(candidate.release)
    return _conclude(store, run, manifest, verdict, promote=promote, force=force, reason=reason, by=by)


def _keep(store: ReleaseStore, release: str) -> RetrainOutcome:
    """The champion is what this run gives: a lost collection or Bento is made again, a moved one filled there, and one
    that was refreshed brought back to the catalogue that it was made of."""
    _, _, fidelity = index(release, serving=True)
    manifest = store.get(release)
    if moved(manifest):
        demand_fidelity(release, fidelity, load_section("gates", GateRules).fidelity)
        move_champion(release, by="etalage retrain", reason="", forced=False)  # its alias, in the other Milvus
        settle(store, manifest)
    if not is_packaged(release, store.home):
        package_release(release)
    return RetrainOutcome(
        status="unchanged", sentence=f"Release {release} already serves snapshot {manifest.snapshot}.", release=release
    )


def _judge(
    store: ReleaseStore, run: Run, candidate: Candidate, champion: str | None, *, sound: bool, force: bool
) -> tuple[ReleaseManifest, Verdict]:
    """Release folder, collection, comparison, gates, manifest. `sound`: the champion's scores came out again."""
    rules = load_section("gates", GateRules)
    measured = milestones.read_measured(milestones.ensure_data())
    assembly.assemble(store, candidate)
    with run.step("index"):
        collection, counts, fidelity = index(candidate.release)
    with run.step("ask the champion"):
        snapshot = measured.snapshot
        comparison = None if champion is None else compared(champion, snapshot, rules, sound=sound, force=force)
    evidence = gather(
        measured.evaluation,
        champion=champion,
        comparison=comparison,
        fidelity=fidelity,
        counts=counts,
        validation_passed=measured.validation.success,
        training=milestones.training_split(),
        continuity=against_champion(store, measured.snapshot, rules.continuity),
    )
    key = candidate.decision_key(params_document().get("gates"), champion)
    verdict = ask_gates(key, candidate, measured, evidence, rules)
    return assembly.write_release(store, candidate, measured, verdict, collection), verdict


def compared(champion: str, snapshot: str, rules: GateRules, *, force: bool, sound: bool = False) -> Comparison | None:
    """The comparison, once the champion's scores came out again; they did where it is `sound`. Raises EvaluationBroken.

    A forced run goes on without one: the gates miss that evidence and refuse, so that the force and its reason are
    recorded. It is the way on where a damaged champion cannot be restored.
    """
    try:
        if not sound:
            reproduce(champion, rules.reproduce)
        demand_same_report(ReleaseStore(home_folder()), champion)
    except EvaluationBroken as error:
        if not force:
            raise
        say(str(error))
        return None
    return compare(champion, snapshot, rules)


def _conclude(
    store: ReleaseStore,
    run: Run,
    manifest: ReleaseManifest,
    verdict: Verdict,
    *,
    promote: bool,
    force: bool,
    reason: str,
    by: str,
) -> RetrainOutcome:
    """Package and promote what passed or is forced. Raises RefusedByGates for the rest."""
    release = manifest.release
    if not verdict.passed and not force:
        raise RefusedByGates(verdict)
    forced = permit(store, manifest, force=force, reason=reason, by=by)
    if not promote:
        with run.step("package"):
            package_release(release)
        sentence = f"Release {release} is ready and was not promoted: `etalage promote {release}` does."
        return RetrainOutcome(status="challenger", sentence=sentence, release=release, verdict=verdict)
    with run.step("package and promote"):
        make_champion(release, by=by, reason=reason, forced=forced)
    how = f"was forced by {by}" if forced else "passed the gates"
    sentence = f"Release {release} {how} and answers now for snapshot {verdict.snapshot}."
    return RetrainOutcome(
        status="forced" if forced else "promoted", sentence=sentence, release=release, verdict=verdict
    )


def _metrics(measured: Measured) -> list[dict[str, Any]]:
    """The primary metric of every kind of query, for the engine and each baseline."""
    metrics = measured.evaluation.metrics
    return [
        {"query kind": kind, "metric": KINDS[kind].primary, "system": system}
        | {"mean": round(values[KINDS[kind].primary], 4)}
        for kind, systems in metrics.items()
        for system, values in sorted(systems.items(), key=lambda item: (item[0] != ENGINE, item[0]))
        if KINDS[kind].primary in values
    ]
