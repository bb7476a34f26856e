"""Faults in what lies on disk: the collection, the release's folder, its record, the snapshot."""

import sys

import polars as pl

from benchmarks.faults.fault import BROKEN, BUSY, REFUSED, Fault
from benchmarks.faults.workspace import Workspace, released
from evaluation.scores import PER_QUERY_FILE
from search.contents import digests
from search.release import ENCODER, read_manifest, write_manifest

# A challenger that costs no training: other weights than are ever chosen. (Another margin in choosing them may choose
# the same, and then there is no challenger.)
_CHALLENGER = (("retrain", "--set", "tune.weights={product: {dense: 0.55, image: 0.45}}"),)
_SEARCH = (("search", "red dress"),)

_HALVE = """
from pathlib import Path
from search.filters import KEY
from search.milvus.session import embedded
with embedded(Path(".etalage/milvus/etalage.db"), 30) as client:
    (name,) = [name for name in client.list_collections() if name.startswith("products_")]
    client.load_collection(name)
    found = client.query(name, filter="", output_fields=[KEY], limit=10_000)
    client.delete(name, ids=[row[KEY] for row in found[::2]])
"""


def half_a_collection(world: Workspace) -> None:
    """Every second product of the champion's collection is gone."""
    done = world.run([sys.executable, "-c", _HALVE])
    if done.code:
        raise RuntimeError(done.output[-2000:])


def changed_encoder(world: Workspace) -> None:
    """A weight of the champion's encoder is another one."""
    graph = released(world) / ENCODER / "text.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 0x10
    graph.write_bytes(data)


def another_encoder(world: Workspace) -> None:
    """The same, and the manifest sealed anew by whoever did it."""
    changed_encoder(world)
    folder = released(world)
    write_manifest(read_manifest(folder).model_copy(update={"files": digests(folder)}), folder)


def other_questions(world: Workspace) -> None:
    """The champion's scores say that they are of another evaluation set."""
    _rewrite(world, pl.col("evaluation_set").str.reverse().alias("evaluation_set"))


def lowered_record(world: Workspace) -> None:
    """The champion's scores are lower than they were, so that any challenger looks better."""
    _rewrite(world, (pl.col("recall@10") * 0.5).alias("recall@10"))


def data_changed_by_hand(world: Workspace) -> None:
    """Titles in data/ were edited after the ingest."""
    path = world.work / "data" / "products.parquet"
    table = pl.read_parquet(path).with_columns(pl.col("title").str.to_uppercase())
    path.unlink()
    table.write_parquet(path)


def _rewrite(world: Workspace, column: pl.Expr) -> None:
    path = released(world) / "reports" / "evaluation" / PER_QUERY_FILE
    pl.read_parquet(path).with_columns(column).write_parquet(path)


FAULTS = (
    Fault("half-written collection", half_a_collection, "NotReady", r"gave \d+ of \d+ products", BUSY, _SEARCH),
    Fault("a changed encoder", changed_encoder, "TamperedRelease", "text.onnx was changed", BROKEN, _SEARCH),
    Fault("an encoder that did not build the index", another_encoder, "EncoderMismatch", "was built by", BUSY, _SEARCH),
    Fault("champion scored on other queries", other_questions, "EvaluationBroken", "questions of", BROKEN, _CHALLENGER),
    Fault("champion's record lowered", lowered_record, "EvaluationBroken", "recall@10 of", BROKEN, _CHALLENGER),
    Fault("data changed by hand", data_changed_by_hand, "validation", "changed after ingest", REFUSED),
)
