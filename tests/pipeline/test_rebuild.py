"""A retired release comes out of its manifest bit by bit, by the real stages in another folder: two short trainings."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.repository import copy_repository
from tests.pipeline.workspace import LEFT_OUT, TINY, Workspace

pytestmark = pytest.mark.slow

MAKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from catalog.ingesting.ingest import ingest
from catalog.params import params_document
from catalog.snapshot import snapshot_id
from catalog.sources import open_source
from catalog.workspace import ENCODER
from flows import dvc
from flows.candidate import LOCK_FILE
from flows.parameters import change_params
from flows.lineage.retired import Retired, write_retired
from flows.revision import code_revision, data_md5
from models.encoder_folder import fingerprint
from search.release import ReleaseManifest

shop, settings = Path(sys.argv[1]), sys.argv[2:]
ingest(open_source(str(shop), str(shop / "mapping.yaml")))
dvc.add("data")
change_params(settings)
done = dvc.reproduce("embed")
assert done.failed is None, done.sentence()
manifest = ReleaseManifest(
    release="r1", created_at=datetime.now(UTC), snapshot=snapshot_id(), data_md5=data_md5(),
    code_revision=code_revision(), params=params_document(), params_hash="p", encoder=fingerprint(ENCODER),
    collection="products_r1", milvus_uri_kind="embedded", ranking={}, artifacts=dvc.locked_outputs(LOCK_FILE),
    status="retired",
)
write_retired(Path(".etalage"), Retired(manifest=manifest, at="now", by="a test", reason="old"))
"""


def test_a_retired_release_comes_out_bit_by_bit_in_another_folder(
    tmp_path_factory: pytest.TempPathFactory, shop: Path
) -> None:
    folder = tmp_path_factory.mktemp("rebuilt")
    copy_repository(folder, without=LEFT_OUT)
    ours = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment["PYTHONPATH"] = str(folder)
    settings = [f"{key}={value}" for key, value in TINY.items()]
    command = [sys.executable, "-c", MAKE, str(shop), *settings]
    made = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert made.returncode == 0, made.stderr[-3000:]
    for name in ("artifacts", "data", "reports"):  # the manifest, git and DVC's cache are all that is left of it
        shutil.rmtree(folder / name)
    (folder / "params.yaml").write_text("train: {epochs: 9}\n")

    environment.pop("PYTHONPATH")
    done = Workspace(folder, environment).run("rebuild", "r1", "--json")
    assert done.code == 0, done.err[-3000:]
    told = json.loads(done.out)
    assert [row["name"] for row in told["compared"]] == [
        "encoder fingerprint", "artifacts/encoder", "artifacts/embeddings",
    ]  # fmt: skip
    assert all(row["recorded"] == row["rebuilt"] for row in told["compared"]), told["compared"]
    assert {"train", "export", "embed"} <= set(ran(done.err)), "it was taken from a cache"


def ran(output: str) -> list[str]:
    """The stages that really ran, as DVC tells."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]
