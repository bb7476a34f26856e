"""What a retrain has to do, told from dvc.lock and the store alone."""

import shutil
from pathlib import Path

import pytest

from bento.process.serve import bento_folder
from catalog.errors import InvalidParams
from catalog.params import params_document
from evaluation.gates.decide import Decision
from evaluation.gates.reasons import Reason
from flows.candidate import read_candidate
from flows.errors import RefusedByGates, WithdrawnRelease
from flows.moving import settle
from flows.outcome import settled
from flows.packaging import tag_of
from flows.promotion import promote, roll_back
from flows.releases import ReleaseStore
from flows.standing import Standing, stand
from flows.verdict import Verdict
from tests.flows.worlds import FileAlias, a_release, a_store

LOCK = """\
schema: '2.0'
stages:
  export:
    outs:
    - {path: artifacts/encoder, md5: e1.dir}
  embed:
    outs:
    - {path: artifacts/embeddings, md5: m1.dir}
  rank:
    outs:
    - {path: artifacts/ranking, md5: k1}
  evaluate:
    outs:
    - {path: artifacts/evaluation, md5: v1.dir}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All stages are done. There is no dvc.yaml, so DVC has nothing to call stale."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("gates: {}\n")
    (tmp_path / "data.dvc").write_text("outs:\n- {md5: d1.dir, path: data}\n")
    (tmp_path / "dvc.lock").write_text(LOCK)
    monkeypatch.setenv("ETALAGE_MILVUS_URI", str(tmp_path / "milvus.db"))
    (tmp_path / "milvus.db").mkdir()
    return tmp_path


def the_release() -> str:
    candidate = read_candidate()
    assert candidate is not None
    return candidate.release


def a_verdict(release: str, champion: str | None, passed: bool) -> Verdict:
    """The verdict on the workspace's candidate, by today's rules, against `champion`."""
    reason = Reason(
        rule="floor",
        name="title_to_photo engine recall@10",
        value=0.5,
        limit=0.6,
        distance=-0.1,
        outcome="passed" if passed else "failed",
        sentence="title_to_photo engine recall@10 is 0.5, must be at least 0.6 and misses it by 0.1.",
    )
    candidate = read_candidate()
    assert candidate is not None
    return Verdict(
        key=candidate.decision_key(params_document()["gates"], champion),
        release=release,
        snapshot="5" * 12,
        encoder="e" * 16,
        champion=champion,
        decision=Decision(passed=passed, reasons=(reason,)),
    )


def judged(home: Path, *, passed: bool, packaged: bool = True) -> tuple[ReleaseStore, FileAlias, str]:
    """The candidate as a release with a verdict, and an older champion r0."""
    store, alias = a_store(home, "r0")
    promote(store, alias, "r0", by="a test")
    release = the_release()
    a_release(store, release, 1, gate=a_verdict(release, "r0", passed).model_dump(mode="json"))
    alias.add(release)
    if packaged:
        folder = bento_folder(tag_of(release), home)
        folder.mkdir(parents=True)
        (folder / "bento.yaml").write_text("")
    return store, alias, release


def test_the_id_of_a_release_follows_content_and_nothing_else(workspace: Path) -> None:
    first = the_release()
    assert first == the_release()
    assert first[0] == "r" and len(first) == 11

    for old, new in (("e1", "e2"), ("m1", "m2"), ("k1", "k2")):
        (workspace / "dvc.lock").write_text(LOCK.replace(old, new))
        assert the_release() != first
    (workspace / "dvc.lock").write_text(LOCK.replace("v1", "v2"))
    assert the_release() == first  # measuring again makes no other release
    (workspace / "data.dvc").write_text("outs:\n- {md5: d2.dir, path: data}\n")
    assert the_release() != first


def test_a_stage_that_never_finished_leaves_no_candidate(workspace: Path) -> None:
    (workspace / "dvc.lock").write_text(LOCK[: LOCK.index("  evaluate")])
    assert read_candidate() is None
    assert stand(ReleaseStore(workspace / "home")).kind == "stale"


def test_a_finished_workspace_without_the_release_is_unfinished(workspace: Path) -> None:
    standing = stand(ReleaseStore(workspace / "home"))
    assert (standing.kind, standing.release) == ("unfinished", the_release())


def test_when_the_champion_is_what_a_run_would_give_there_is_nothing_to_do(workspace: Path) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")

    standing = stand(store)

    assert standing.kind == "serving"
    assert standing.sentence == (
        f"Nothing changed: release {release} already serves snapshot 555555555555; nothing was recomputed."
    )
    assert settled(standing).status == "unchanged"


def test_a_champion_that_lost_its_bento_is_unfinished(workspace: Path) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")
    shutil.rmtree(bento_folder(tag_of(release), store.home))

    assert stand(store).kind == "unfinished"


def test_a_champion_that_lost_its_milvus_is_unfinished(workspace: Path) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")
    (workspace / "milvus.db").rmdir()

    assert stand(store).kind == "unfinished"


def test_a_champion_that_is_in_another_milvus_than_the_setting_names_is_unfinished(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")
    monkeypatch.setenv("ETALAGE_MILVUS_URI", "http://milvus:19530")

    standing = stand(store)
    assert (standing.kind, standing.release) == ("unfinished", release)
    assert "another Milvus" in standing.sentence

    settle(store, store.get(release))
    assert stand(store).kind == "serving"


def test_a_refused_release_is_refused_again_without_a_run_and_force_gets_past(workspace: Path) -> None:
    store, _, release = judged(workspace / "home", passed=False)

    standing = stand(store)

    assert (standing.kind, standing.release) == ("refused", release)
    assert standing.is_settled(promote=True, force=False)
    assert not standing.is_settled(promote=True, force=True)
    with pytest.raises(RefusedByGates, match=r"Nothing was recomputed.*misses it by 0.1"):
        settled(standing)


def test_new_rules_ask_the_gates_again(workspace: Path) -> None:
    store, _, _ = judged(workspace / "home", passed=False)
    (workspace / "params.yaml").write_text("gates: {parity: 0.9}\n")

    assert stand(store).kind == "unfinished"


def test_new_measurements_ask_the_gates_again(workspace: Path) -> None:
    store, _, _ = judged(workspace / "home", passed=False)
    (workspace / "dvc.lock").write_text(LOCK.replace("v1", "v2"))

    assert stand(store).kind == "unfinished"


def test_another_champion_asks_the_gates_again(workspace: Path) -> None:
    store, alias, _ = judged(workspace / "home", passed=False)
    a_release(store, "r00", 2)
    alias.add("r00")
    promote(store, alias, "r00", by="a test")

    assert stand(store).kind == "unfinished"


def test_what_passed_and_waits_is_settled_only_without_promotion(workspace: Path) -> None:
    store, _, _ = judged(workspace / "home", passed=True)
    standing = stand(store)

    assert standing.kind == "waiting"
    assert standing.is_settled(promote=False, force=False)
    assert not standing.is_settled(promote=True, force=False)


def test_what_was_rolled_back_is_not_promoted_by_a_schedule(workspace: Path) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")
    roll_back(store, alias, by="a test")

    standing = stand(store)

    assert standing.kind == "withdrawn"
    with pytest.raises(WithdrawnRelease, match=f"etalage promote {release}"):
        settled(standing)


def test_a_promotion_cut_short_is_never_nothing_to_do(workspace: Path) -> None:
    store, alias, release = judged(workspace / "home", passed=True)
    promote(store, alias, release, by="a test")
    (store.home / "promotion.json").write_text("{}")

    assert stand(store).kind == "unfinished"


def test_a_wrong_params_file_is_told_before_anything_runs(workspace: Path) -> None:
    (workspace / "params.yaml").write_text("gates: {partiy: 0.9}\n")
    with pytest.raises(InvalidParams, match=r"gates\.partiy"):
        stand(ReleaseStore(workspace / "home"))


def test_kinds_with_nothing_to_do_are_settled() -> None:
    kinds = {
        kind: Standing(kind, "").is_settled(promote=True, force=False) for kind in ("stale", "unfinished", "serving")
    }  # type: ignore[arg-type]
    assert kinds == {"stale": False, "unfinished": False, "serving": True}
