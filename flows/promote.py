"""The flow `promote`: package a release, prove that it answers, and make it the champion.

etalage promote r3f
etalage promote r3f --force --reason "..." --by "A. Person"
"""

from catalog.errors import GateRefused
from flows import promotion
from flows.assembly import seal
from flows.durable import one_writer
from flows.environment import home_folder
from flows.errors import RefusedByGates
from flows.notifying.hooks import TOLD
from flows.opening import milvus, open_engine, prove
from flows.orchestration import RETRIED, flow, say, task
from flows.packaging import package
from flows.releases import ChampionRecord, ReleaseStore
from flows.verdict import verdict_of
from search.release import Forced, ReleaseManifest, write_manifest


@task(name="recover", **RETRIED)
def recover() -> None:
    """Finish or undo a promotion that was cut short."""
    store = ReleaseStore(home_folder())
    if (store.home / promotion.INTENT).exists():
        sentence = promotion.recover(store, milvus())
        if sentence:
            say(sentence)


def vouch(release: str) -> None:
    """Seal a release of an earlier version: it is a person who promotes or rolls back, and so vouches for its files."""
    if seal(ReleaseStore(home_folder()), release):
        say(f"The manifest of release {release} has digests of its files from now on.")


@task(name="package", **RETRIED)
def package_release(release: str) -> str:
    """Build the release's Bento where it is missing. Returns its tag."""
    store = ReleaseStore(home_folder())
    tag = package(store.folder(release), store.home)
    say(f"Bento {tag} is built.")
    return tag


@task(name="prove", **RETRIED)
def prove_release(release: str) -> None:
    """Open the release as the service will, re-encode its probes, ask it something."""
    prove(open_engine(ReleaseStore(home_folder()), release))


@task(name="move-champion", **RETRIED)
def move_champion(release: str, by: str, reason: str, forced: bool) -> ChampionRecord:
    """Move alias and champion record together."""
    champion = promotion.promote(ReleaseStore(home_folder()), milvus(), release, by=by, reason=reason, forced=forced)
    say(f"Release {release} answers since {champion.since}.")
    return champion


def make_champion(release: str, *, by: str, reason: str, forced: bool) -> ChampionRecord:
    """Package, prove, move: the end of a retrain and the whole of a promotion. The caller holds the lock."""
    package_release(release)
    prove_release(release)
    return move_champion(release, by, reason, forced)


@flow(name="promote", flow_run_name="promote-{release}", **TOLD)
def promote(release: str, force: bool = False, reason: str = "", by: str = "somebody") -> ChampionRecord:
    """Make `release` (an id, or the start of one) the champion. With `force` although the gates refused it; recorded.

    Raises ReleaseNotFound, or RefusedByGates for a release that did not pass and is not forced.
    """
    with one_writer(home_folder()):
        recover()
        store = ReleaseStore(home_folder())
        manifest = store.get(release)
        forced = permit(store, manifest, force=force, reason=reason, by=by)
        vouch(manifest.release)
        return make_champion(manifest.release, by=by, reason=reason, forced=forced)


def permit(store: ReleaseStore, manifest: ReleaseManifest, *, force: bool, reason: str, by: str) -> bool:
    """Whether a promotion is forced; refuses what neither passed nor is forced, and writes down who forces (promise 3).

    A release that was forced once stays so: rolling back from it and forward again needs no second reason.
    """
    verdict = verdict_of(manifest)
    if verdict is not None and verdict.passed:
        return False
    if manifest.forced is None and not force:
        if verdict is None:
            raise GateRefused(f"The gates were never asked about release {manifest.release}: run `etalage retrain`.")
        raise RefusedByGates(verdict)
    if force:
        if not reason.strip() or not by.strip():
            raise GateRefused("Forcing a refused release needs a reason and a name.")
        forced = manifest.model_copy(update={"forced": Forced(by=by, reason=reason)})
        write_manifest(forced, store.folder(manifest.release))
    return True
