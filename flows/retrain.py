"""The flow `retrain`: from a snapshot to a gated release, and the champion if the gates pass.

    etalage retrain

validate -> train -> evaluate (DVC milestones) -> release folder -> index -> compare -> gates -> package -> promote.
Every step after the milestones may be done twice: killed anywhere, run it again and it ends in the same place.
"""

from typing import Any

from catalog.params import load_section, params_document
from catalog.workspace import EVALUATE_PAGE, GATE_REPORT
from evaluation.compare import Comparison
from evaluation.evidence import Counts, Evidence, Fidelity, gather
from evaluation.gates import decide
from evaluation.kinds import ENGINE, KINDS
from evaluation.rules import GateRules
from flows import assembly, comparing, dvc, indexing, milestones
from flows.candidate import Candidate, require_candidate
from flows.durable import one_writer, write_json_durably
from flows.environment import home_folder
from flows.errors import RefusedByGates, WithdrawnRelease
from flows.milestones import Measured
from flows.opening import milvus
from flows.orchestration import RETRIED, WAITING, flow, say, show_link, show_table, task
from flows.outcome import RetrainOutcome, settled
from flows.packaging import is_packaged
from flows.promote import make_champion, package_release, permit, recover
from flows.releases import ReleaseStore
from flows.standing import stand
from flows.verdict import Verdict
from search.release import ReleaseManifest


@task(name="find-snapshot", **WAITING)
def find_snapshot() -> str:
    """data/ as it is, or brought back by DVC. Returns the snapshot's id."""
    return milestones.ensure_data()


@task(name="validate", **WAITING)
def validate(snapshot: str) -> None:
    """The milestone `validate`: an unfit snapshot stops the run here."""
    say(milestones.validate(snapshot).sentence())


@task(name="reach", task_run_name="reach-{milestone}", **WAITING)
def reach(milestone: str) -> None:
    """A milestone: DVC runs what is stale on the way to it."""
    say(milestones.reach(milestone).sentence())


@task(name="index", **RETRIED)
def index(release: str) -> tuple[str, Counts, Fidelity]:
    """Fill the release's collection, count it and compare it with exact search. Returns its name and both."""
    collections = milvus()
    products, rows = indexing.snapshot_rows()
    name = indexing.fill(collections, rows, release)
    counts = indexing.count(collections, products, release)
    fidelity = indexing.fidelity(collections, products, rows, release)
    collections.close()
    say(f"Collection {name}: {counts.collection_rows} products, overlap@10 with exact search {fidelity.overlap:.3f}.")
    return name, counts, fidelity


@task(name="compare")
def compare(champion: str | None, snapshot: str, rules: GateRules) -> Comparison | None:
    """Champion against challenger on today's questions; None where nothing was promoted yet."""
    if champion is None:
        return None
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


@flow(name="retrain")
def retrain(
    promote: bool = True,
    force: bool = False,
    reason: str = "",
    by: str = "etalage retrain",
    push_artifacts: bool = False,
) -> RetrainOutcome:
    """Bring the workspace up to date, decide, and promote if the gates pass and `promote` says so.

    `force` promotes a refused release; it needs `reason` and `by`, which are recorded. Raises InvalidSnapshot,
    RefusedByGates or WithdrawnRelease for refusals, NotReady for stores that do not answer.
    """
    with one_writer(home_folder()):
        recover()
        store = ReleaseStore(home_folder())
        standing = stand(store)
        if standing.is_settled(promote=promote, force=force):
            return settled(standing)
        if standing.kind == "stale":
            snapshot = find_snapshot()
            validate(snapshot)
            reach("train")
            reach("evaluate")
        candidate = require_candidate()
        champion = store.champion()
        if champion is not None and champion.release == candidate.release:
            outcome = _keep(store, candidate.release)
        else:
            manifest, verdict = _judge(store, candidate, champion.release if champion else None)
            withdrawn = champion is not None and candidate.release in champion.withdrawn
            if withdrawn and not force:
                raise WithdrawnRelease(candidate.release)
            outcome = _conclude(store, manifest, verdict, promote=promote, force=force, reason=reason, by=by)
        if push_artifacts:
            push()
    say(outcome.sentence)
    return outcome


def _keep(store: ReleaseStore, release: str) -> RetrainOutcome:
    """The champion is what this run gives: nothing to decide; a lost collection or Bento is made again."""
    index(release)
    if not is_packaged(release, store.home):
        package_release(release)
    snapshot = store.get(release).snapshot
    return RetrainOutcome(
        status="unchanged", sentence=f"Release {release} already serves snapshot {snapshot}.", release=release
    )


def _judge(store: ReleaseStore, candidate: Candidate, champion: str | None) -> tuple[ReleaseManifest, Verdict]:
    """Release folder, collection, comparison, gates, manifest."""
    rules = load_section("gates", GateRules)
    measured = milestones.read_measured(milestones.ensure_data())
    assembly.assemble(store, candidate)
    collection, counts, fidelity = index(candidate.release)
    evidence = gather(
        measured.evaluation,
        champion=champion,
        comparison=compare(champion, measured.snapshot, rules),
        fidelity=fidelity,
        counts=counts,
        parity=measured.parity,
        validation_passed=measured.validation.success,
    )
    key = candidate.decision_key(params_document().get("gates"), champion)
    verdict = ask_gates(key, candidate, measured, evidence, rules)
    return assembly.write_release(store, candidate, measured, verdict, collection), verdict


def _conclude(
    store: ReleaseStore,
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
        package_release(release)
        sentence = f"Release {release} is ready and was not promoted: `etalage promote {release}` does."
        return RetrainOutcome(status="challenger", sentence=sentence, release=release, verdict=verdict)
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
