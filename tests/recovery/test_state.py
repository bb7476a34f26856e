"""The comparison notices what it is for: each planted difference is one line, and nothing else is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.promotion import promote
from flows.releases import ReleaseStore
from search.filters import KEY
from search.milvus.store import MilvusStore
from search.release import write_manifest
from tests.bento.running import make_shop
from tests.bento.world import catalogue
from tests.recovery.service import wrong_answers
from tests.recovery.state import differences, state_of, timeless

RELEASE = "r1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a promoted release in a real store, tables, and what DVC writes."""
    folder = tmp_path_factory.mktemp("made")
    shop = make_shop(folder / ".etalage", RELEASE, catalogue())
    promote(ReleaseStore(folder / ".etalage"), shop.store, RELEASE, by="a test")
    shop.store.close()
    for name, text in {
        "data/products.parquet": "rows",
        "data.dvc": "outs: [{md5: abc, path: data}]",
        "dvc.lock": "stages: {embed: {outs: [{path: artifacts/embeddings, md5: def}]}}",
        "artifacts/embeddings/fused.npy": "vectors",
        "params.yaml": "train: {}",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """Another one."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_a_copy_is_equal(made: Path, copy: Path):
    assert differences(state_of(made), state_of(copy)) == []


def _store(folder: Path) -> MilvusStore:
    return MilvusStore(str(folder / ".etalage" / "milvus" / "etalage.db"))


def _another_score(folder: Path) -> None:
    store = ReleaseStore(folder / ".etalage")
    write_manifest(store.get(RELEASE).model_copy(update={"scores": {"x": 1}}), store.folder(RELEASE))


def _a_lost_row(folder: Path) -> None:
    store = _store(folder)
    with store._session() as client:
        name = client.list_collections()[0]
        client.load_collection(name)
        key = client.query(name, filter="", limit=1, output_fields=[KEY])[0][KEY]
        client.delete(name, ids=[key])


def _write(name: str, text: str) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return plant


PLANTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of a table": (_write("data/products.parquet", "rowz"), "other: data: products.parquet"),
    "what DVC names": (_write("data.dvc", "outs: [{md5: abd, path: data}]"), "other: data.dvc"),
    "a vector": (_write("artifacts/embeddings/fused.npy", "vectorz"), "other: embeddings: fused.npy"),
    "a draft": (_write(".etalage/releases/r1/manifest.json.new", ""), "too much: there: .etalage/releases/r1/manifest"),
    "a draft of a Bento": (_write(".etalage/bentoml/tmp/x/code.py", ""), "too much: there: .etalage/bentoml/tmp/x"),
    "a param": (_write("params.yaml", "train: {seed: 2}"), "other: params.yaml"),
    "a row of a collection": (_a_lost_row, "other: collection: products_r1"),
    "a score of a manifest": (_another_score, "other: release: r1 scores"),
    "a promotion that was cut short": (_write(".etalage/promotion.json", "{}"), "other: release: unfinished promotion"),
    "a move too many": (
        lambda folder: (folder / ".etalage" / "history.jsonl").write_text(
            2 * (folder / ".etalage" / "history.jsonl").read_text()
        ),
        "other: release: history",
    ),
    "a cut object in the cache": (
        _write(".dvc/cache/files/md5/ab/" + "c" * 30, "x"),
        "too much: broken in DVC's cache",
    ),
}


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_difference_is_noticed(made: Path, copy: Path, plant: str):
    expected, (change, line) = state_of(made), PLANTED[plant]
    change(copy)
    found = differences(expected, state_of(copy))
    assert any(each.startswith(line) for each in found), found
    assert differences(state_of(made), expected) == []


def test_what_is_measured_of_the_run_is_no_difference():
    measured = [{"rule": "latency", "value": 3.0}, {"rule": "memory", "value": 3.0}]
    told = {"at": "now", "decision": {"reasons": [*measured, {"rule": "counts", "value": 1}]}}
    later = json.loads(json.dumps(told).replace("now", "later").replace("3.0", "4.0"))
    assert timeless(told) == timeless(later) == {"decision": {"reasons": [{"rule": "counts", "value": 1}]}}


def test_an_answer_of_no_whole_state_and_an_earlier_one_after_a_later_one_are_wrong():
    old, new = {"q": "old", "p": "same"}, {"q": "new", "p": "same"}
    assert wrong_answers([("q", "old"), ("p", "same"), ("q", "new"), ("p", "same"), ("q", "new")], [old, new]) == []
    assert wrong_answers([("q", "half")], [old, new]) == ["'q' was answered half"]
    assert wrong_answers([("q", "new"), ("q", "old")], [old, new]) == [
        "'q' was answered by an earlier state again: old"
    ]
