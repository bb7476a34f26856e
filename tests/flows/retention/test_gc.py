"""What `etalage gc` keeps, what it removes, and that a kill at any step leaves nothing half-removed for good."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

from bento.packing.build import prefix_of
from bento.process.serve import bento_folder
from catalog.errors import NotReady
from flows.durable import write_durably
from flows.lineage.retired import read_retired, retired_ids
from flows.packaging import is_packaged, packaged, tag_of
from flows.promotion import INTENT, promote, recover, roll_back
from flows.releases import ReleaseStore
from flows.retention.belongings import gather
from flows.retention.disposal import collect
from flows.retention.keeping import KEEP, fates
from search.in_use import FOLDER as SERVING
from search.in_use import alone, hold, is_served
from tests.flows.worlds import FileAlias, a_release, a_store

RELEASES = ("r1", "r2", "r3", "r4", "r5", "r6")
STEPS = (
    "forgotten", "manifest kept", "manifest unlinked", "collection dropped", "Bento removed", "folder removed",
)  # fmt: skip

KILLED = """
import os, signal, sys
from pathlib import Path
from flows.retention.disposal import collect
from flows.durable import one_writer
from flows.releases import ReleaseStore
from tests.flows.worlds import FileAlias

home, step, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def reached(name):
    global times
    times -= name == step
    if not times:
        os.kill(os.getpid(), signal.SIGKILL)

with one_writer(home):
    collect(ReleaseStore(home), FileAlias(home / "alias.json"), 0, by="a test", reached=reached)
"""


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no Milvus server."""
    monkeypatch.delenv("ETALAGE_MILVUS_URI", raising=False)


def a_bento(home: Path, release: str) -> None:
    folder = bento_folder(tag_of(release), home)
    (folder / "src").mkdir(parents=True)
    for name in ("bento.yaml", "src/code.py"):
        (folder / name).write_text("x" * 100)


def a_home(home: Path, *promoted: str) -> tuple[ReleaseStore, FileAlias]:
    """Six whole releases with Bentos, made one after the other; those of `promoted` were champion, in that order."""
    store, alias = a_store(home, *RELEASES)
    for release in RELEASES:
        a_bento(home, release)
    for release in promoted:
        promote(store, alias, release, by="a test")
    return store, alias


def state(home: Path) -> dict[str, object]:
    """All that is left, told from the disk."""
    store = ReleaseStore(home)
    return {
        "releases": store.ids(),
        "folders": sorted(path.name for path in store.releases.iterdir()),
        "collections": [stored.release for stored in FileAlias(home / "alias.json").releases()],
        "Bentos": sorted(packaged(home)),
        "retired": retired_ids(home),
        "champion": store.champion(),
        "locks": sorted(path.name for path in (home / SERVING).glob("*")),
    }


def whole(home: Path, *releases: str) -> None:
    """Exactly these are left, each with all its parts."""
    left = state(home)
    assert (left["releases"], left["folders"]) == (list(releases), list(releases))
    assert (left["collections"], left["Bentos"]) == (list(releases), list(releases))


def stays(store: ReleaseStore, alias: FileAlias, keep: int) -> dict[str, str]:
    """Release -> why, of those that stay."""
    return {fate.name: fate.why for fate in fates(gather(store, alias), keep) if fate.stays}


def test_champion_previous_and_the_latest_stay_and_the_rest_goes_with_all_its_parts(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r1", "r2", "r3")
    assert stays(store, alias, 1) == {
        "r3": "champion", "r2": "rollback returns to it", "r1": "the latest beside them",
    }  # fmt: skip  # r1 answered only today, r4 to r6 were made in January and never judged
    collect(store, alias, 1, by="a test")
    whole(tmp_path, "r1", "r2", "r3")
    assert retired_ids(tmp_path) == ["r4", "r5", "r6"]


def test_what_may_answer_without_being_forced_is_kept_before_what_the_gates_refused(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path)
    passed = {"decision": {"passed": True, "reasons": []}}
    a_release(store, "r2", number=1, gate=passed)
    assert list(stays(store, alias, 2)) == ["r2", "r6"]


def test_by_default_three_stay_beside_champion_and_previous_one(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r1", "r2")
    assert KEEP == 3
    collect(store, alias, by="a test")
    whole(tmp_path, "r1", "r2", "r4", "r5", "r6")


def test_after_gc_a_rollback_goes_to_the_release_that_was_kept_and_then_no_further(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r1", "r2", "r3", "r4")
    collect(store, alias, 0, by="a test")
    whole(tmp_path, "r3", "r4")
    champion = store.champion()
    assert champion is not None and champion.earlier == ("r3",)
    assert roll_back(store, alias, by="a test").release == "r3"
    assert stays(store, alias, 0) == {"r3": "champion"}


def test_what_was_rolled_back_stays_withdrawn_when_it_is_gone(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r1", "r2")
    roll_back(store, alias, by="a test")
    collect(store, alias, 0, by="a test")
    whole(tmp_path, "r1")
    champion = store.champion()
    assert champion is not None and champion.withdrawn == ("r2",)


def test_what_is_served_stays_until_its_last_process_has_ended_however_it_ends(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    code = (
        "import sys; from pathlib import Path; from search.in_use import hold\n"
        "held = hold(Path(sys.argv[1]), 'r1'); print('held', flush=True); sys.stdin.read()"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "held\n"
    for worker in workers:
        collect(store, alias, 0, by="a test")
        whole(tmp_path, "r1", "r5", "r6")
        assert stays(store, alias, 0)["r1"] == "it is being served"
        worker.kill()
        worker.wait()
    collect(store, alias, 0, by="a test")
    whole(tmp_path, "r5", "r6")
    assert state(tmp_path)["locks"] == []


def test_what_began_to_be_served_after_the_decision_stays(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    held = []

    def reached(step: str) -> None:
        if step == "forgotten":
            held.append(hold(tmp_path, "r2"))

    told = {fate.name: fate for fate in collect(store, alias, 0, by="a test", reached=reached)}
    held[0].close()
    assert (told["r2"].stays, told["r2"].why) == (True, "it is being served")
    whole(tmp_path, "r2", "r5", "r6")


def test_nobody_begins_to_serve_what_is_being_removed_and_a_lock_that_was_removed_holds_nothing(tmp_path: Path) -> None:
    with alone(tmp_path, "r1") as free:
        assert free
        with pytest.raises(NotReady, match="is being removed"):
            hold(tmp_path, "r1")
    assert not is_served(tmp_path, "r1")
    with hold(tmp_path, "r1"), alone(tmp_path, "r1") as free:
        assert not free
    with alone(tmp_path, "r1") as free:
        assert free


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 3])
def test_killed_at_any_step_the_next_run_ends_as_an_undisturbed_one(tmp_path: Path, step: str, times: int) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for home in (undisturbed, killed):
        a_home(home, "r2", "r6")
    times = 1 if step == "forgotten" else times
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(killed), step, str(times)], env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == -signal.SIGKILL

    store, alias = ReleaseStore(killed), FileAlias(killed / "alias.json")
    for release in store.ids():  # never half of one taken for a whole one
        assert alias.has_release(release) and is_packaged(release, killed), (step, release)
    promote(store, alias, "r6", by="a test")  # nothing a promotion needs is broken meanwhile
    collect(store, alias, 0, by="a test")
    collect(*a_pair(undisturbed), 0, by="a test")
    ours, theirs = state(killed), state(undisturbed)
    for told in (ours, theirs):
        told["champion"] = told["champion"].model_copy(update={"since": ""})  # type: ignore[attr-defined]
    assert ours == theirs
    whole(killed, "r2", "r6")
    assert collect(store, alias, 0, by="a test")[0].stays  # and a third run has nothing to do
    assert state(killed)["retired"] == ["r1", "r3", "r4", "r5"]


def a_pair(home: Path) -> tuple[ReleaseStore, FileAlias]:
    return ReleaseStore(home), FileAlias(home / "alias.json")


def test_what_killed_runs_left_behind_goes_and_nothing_else(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    (store.folder("rx") / "encoder").mkdir(parents=True)  # retrain, killed before its manifest
    alias.add("rx")
    alias.add("ry")  # a collection without a release
    a_bento(tmp_path, "rz")
    (store.releases / ".rw.new").mkdir()
    (store.folder("r6") / "refreshes" / ".1.new").mkdir(parents=True)
    (tmp_path / "bentoml" / "tmp" / "bentoml_bento_x").mkdir(parents=True)
    (tmp_path / "milvus" / "etalage.db" / "collections" / "products_rv").mkdir(parents=True)
    stage = Path(mkdtemp(prefix=prefix_of(tmp_path)))
    of_another_home = Path(mkdtemp(prefix=prefix_of(tmp_path / "other")))
    for name in ("champion.json.new", "keys.json.new", "releases/r6/manifest.json.new", "something of a person"):
        (tmp_path / name).write_text("x")
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "a.jsonl").write_text("{}\n")

    gone = {fate.name: fate.why for fate in collect(store, alias, 9, by="a test") if not fate.stays}
    assert gone == {
        "rx": "it was never finished, or only half removed",
        "ry": "no release has it",
        "rz": "no release has it",
        "champion.json.new": "a killed run left it",
        "releases/.rw.new": "a killed run left it",
        "releases/r6/manifest.json.new": "a killed run left it",
        "releases/r6/refreshes/.1.new": "a killed run left it",
        "bentoml/tmp/bentoml_bento_x": "a killed run left it",
        "milvus/etalage.db/collections/products_rv": "a killed run left it",
        str(stage): "a killed run left it",
    }
    whole(tmp_path, *RELEASES)
    assert not stage.exists() and list((tmp_path / "bentoml" / "tmp").iterdir()) == []
    assert list((store.folder("r6") / "refreshes").iterdir()) == []
    of_another_home.rmdir()
    assert (tmp_path / "keys.json.new").exists() and (tmp_path / "something of a person").exists()
    assert (tmp_path / "journal" / "a.jsonl").exists() and retired_ids(tmp_path) == []


def test_on_a_shared_server_only_collections_of_this_home_go(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    alias.kind = "server"  # type: ignore[misc]
    collect(store, alias, 0, by="a test")
    for release in ("r1", "rx", "foreign"):
        alias.add(release)  # r1 is retired here
    (store.folder("rx")).mkdir()
    told = {fate.name: (fate.stays, fate.why) for fate in collect(store, alias, 0, by="a test")}
    assert told["foreign"] == (True, "not of this home")
    assert [stored.release for stored in alias.releases()] == ["r5", "r6", "foreign"]


def test_a_release_in_another_milvus_stays_and_says_where(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    a_release(store, "r1", milvus_uri_kind="server", milvus_server="milvus.example:19530")
    assert stays(store, alias, 0)["r1"] == "its collection is in another Milvus, milvus.example:19530"


def test_the_release_of_a_promotion_that_was_cut_short_stays(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r1", "r2")
    intents = []

    def stop(step: str) -> None:
        if step == "intent written":
            intents.append((tmp_path / INTENT).read_text())

    promote(store, alias, "r3", by="a test", reached=stop)
    roll_back(store, alias, by="a test")
    write_durably(tmp_path / INTENT, intents[0])
    assert stays(store, alias, 0)["r3"] == "its promotion was cut short"
    recover(store, alias)


def test_of_a_retired_release_its_manifest_is_kept_with_who_when_and_why(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    before = store.get("r1")
    collect(store, alias, 0, by="A. Person")
    kept = read_retired(tmp_path, "r1")
    assert kept is not None
    assert kept.manifest == before.model_copy(update={"status": "retired"})
    assert (kept.by, kept.reason) == ("A. Person", "not the champion nor the one before it")
    assert read_retired(tmp_path, "r6") is None


def test_deciding_changes_nothing(tmp_path: Path) -> None:
    store, alias = a_home(tmp_path, "r5", "r6")
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    assert not all(fate.stays for fate in fates(gather(store, alias), 0))
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before
