"""`etalage rebuild` over a real git and a real DVC; only the stage is tiny, and the workspace has moved on."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.errors import NotReady
from catalog.params import params_document
from catalog.snapshot import snapshot_id
from catalog.tables import write_products, write_terms
from catalog.workspace import ENCODER
from flows import dvc
from flows.candidate import LOCK_FILE
from flows.errors import BROKEN, BUSY, SnapshotMissing, exit_code
from flows.lineage.origins import lineage_of
from flows.lineage.rebuild import manifest_of, rebuild
from flows.lineage.retired import Retired, write_retired
from flows.releases import ReleaseStore
from flows.revision import code_revision, data_md5
from models.encoder_folder import fingerprint
from search.release import ReleaseManifest, write_manifest
from tests.flows.workspaces import GIT, enter, environment
from tests.models.tiny_towers import TERMS, tiny_shop

pytestmark = pytest.mark.slow

STAGES = """
stages:
  embed:
    cmd: python make.py
    deps: [data, make.py]
    params: [model, train, tune]
    outs: [artifacts/encoder, artifacts/embeddings, artifacts/tuned]
    metrics:
      - reports/tune.json: {cache: false}
"""
CODE = """
from pathlib import Path
from catalog.params import params_document
from tests.flows.lineage.tiny_stage import main
main()
Path("artifacts/embeddings/made.txt").write_text(f"by the {AGE} code, {params_document()['train']}")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose release r1 is retired and whose code, params and data are others by now."""
    folder = tmp_path_factory.mktemp("workspace")
    run = {"cwd": folder, "check": True, "env": environment()}
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, **run)
    (folder / ".gitignore").write_text("/data\n/artifacts\n/reports/*\n/.etalage/\n")
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "validation").mkdir()  # a folder of code, whose changes are those of a release
    (folder / "validation" / "rules.txt").write_text("none")
    (folder / "params.yaml").write_text(
        "split: {seed: 7}\nmodel: {}\ntrain: {learning_rate: 0.1}\ntune: {queries: 5}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        enter(folder, patch)
        snapshot(60)
        commit("old")
        dvc.reproduce("embed", show=False)
        write_retired(folder / ".etalage", Retired(manifest=present("r1"), at="now", by="a test", reason="old"))
        (folder / "params.yaml").write_text(
            "split: {seed: 7}\nmodel: {}\ntrain: {learning_rate: 0.2}\ntune: {queries: 5}\n"
        )
        snapshot(50)
        commit("new")
        dvc.reproduce("embed", show=False)
    return folder


def snapshot(products: int) -> None:
    data = Path("data")
    data.mkdir(exist_ok=True)
    write_products(tiny_shop(products, data / "media"), data / "products.parquet")
    write_terms(TERMS, data / "terms.parquet")
    dvc.add("data")


def commit(age: str) -> None:
    Path("make.py").write_text(f"AGE = {age!r}\n{CODE}")
    for command in (["add", "-A"], ["commit", "-q", "-m", f"The {age} code"]):
        subprocess.run([*GIT, *command], check=True)


def present(release: str) -> ReleaseManifest:
    """What the workspace holds now, as a release."""
    return ReleaseManifest(
        release=release,
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        snapshot=snapshot_id(),
        data_md5=data_md5(),
        code_revision=code_revision(),
        params=params_document(),
        params_hash="p",
        encoder=fingerprint(ENCODER),
        collection=f"products_{release}",
        milvus_uri_kind="embedded",
        ranking={},
        artifacts=dvc.locked_outputs(LOCK_FILE),
    )


@pytest.fixture
def workspace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder as the working directory of this process."""
    enter(folder, monkeypatch)
    return folder


def content(folder: Path) -> dict[str, str]:
    """Digest of every file of the workspace and of DVC's cache, but for the home and what git and DVC scribble."""
    left_out = (".etalage/", ".git/", ".dvc/tmp/")
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: hashlib.md5(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not name.startswith(left_out)
    }


def test_a_retired_release_comes_out_bit_by_bit_though_code_data_and_params_have_moved_on(workspace: Path) -> None:
    store, before = ReleaseStore(workspace / ".etalage"), content(workspace)
    r1 = lineage_of(store, "r1")
    assert dvc.locked_outputs(LOCK_FILE)["artifacts/embeddings"] != present_of(store).artifacts["artifacts/embeddings"]  # type: ignore[index]
    told = rebuild(store, "r1")
    assert [(row.name, row.same) for row in told.compared] == [
        ("encoder fingerprint", True), ("artifacts/encoder", True), ("artifacts/embeddings", True),
    ]  # fmt: skip
    assert not told.other_packages
    made = Path(told.folder) / "artifacts" / "embeddings" / "made.txt"
    assert made.read_text() == "by the old code, {'learning_rate': 0.1}"
    assert content(workspace) == before, "the workspace or its cache was touched"
    assert r1.state == "retired"


def present_of(store: ReleaseStore) -> ReleaseManifest:
    return manifest_of(store, "r1")


def test_what_does_not_come_out_as_it_was_is_named_by_the_command_with_both_digests(workspace: Path) -> None:
    store = ReleaseStore(workspace / ".etalage")
    wrong = {**dvc.locked_outputs(LOCK_FILE), "artifacts/embeddings": "0" * 32 + ".dir"}
    write_manifest(present("r2").model_copy(update={"artifacts": wrong}), store.folder("r2"))
    done = subprocess.run(
        [sys.executable, "-m", "flows", "rebuild", "r2", "--json"],
        cwd=workspace, env={**environment(), "ETALAGE_HOME": str(store.home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == BROKEN, done.stderr
    assert "Release r2 did not come out as it was: artifacts/embeddings." in done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)["compared"]}
    assert rows["artifacts/embeddings"]["recorded"] == "0" * 32 + ".dir"
    assert rows["artifacts/encoder"]["recorded"] == rows["artifacts/encoder"]["rebuilt"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"code_revision": "no git"}, "without git"),
        ({"code_revision": "c0ffee+changes"}, "not committed"),
        ({"data_md5": None}, "not versioned by DVC"),
        ({"artifacts": None}, "of an earlier version"),
        ({"code_revision": "c0ffee" * 6 + "c0ff"}, "is not in the repository here"),
    ],
)
def test_what_does_not_name_its_origin_cannot_be_rebuilt_and_says_why(
    workspace: Path, changes: dict[str, str | None], why: str
) -> None:
    store = ReleaseStore(workspace / ".etalage")
    write_manifest(present("r3").model_copy(update=changes), store.folder("r3"))
    with pytest.raises(NotReady, match=why) as refusal:
        rebuild(store, "r3")
    assert exit_code(refusal.value) == BUSY


def test_data_that_is_not_in_the_cache_is_asked_for(workspace: Path) -> None:
    store = ReleaseStore(workspace / ".etalage")
    write_manifest(present("r4").model_copy(update={"data_md5": "1" * 32 + ".dir"}), store.folder("r4"))
    with pytest.raises(SnapshotMissing, match="is not in DVC's cache here"):
        rebuild(store, "r4")
