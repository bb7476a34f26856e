"""The late stage: a note and nothing else while it is not enabled; heads and tokens of every product when it is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from catalog.media import MediaStore
from catalog.tables import read_products, snapshot_id, write_products, write_terms
from models.dual_encoder import DualEncoder
from models.embed import embed_products
from models.embeddings import save_embeddings
from models.encoder import Encoder
from models.late import making
from models.late.build import main
from models.late.folder import is_enabled
from search.late import load_late
from search.query import Query
from tests.models.conftest import Exported
from tests.models.tiny_towers import TERMS, tiny_shop

PARAMS = {
    "split": {"validation": 0.2, "test": 0.1, "ranking": 0.0},
    "train": {"phrases": 1, "rounds": 2},
    "late": {"enabled": True, "epochs": 2, "batch_size": 8, "alike": 2, "side": 3, "width": 16, "title_words": 3},
}
BOTH = frozenset({"image", "text"})


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """28 products, four of them without a picture; no model yet."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    write_products(tiny_shop(28, Path("data/media")), Path("data/products.parquet"))
    write_terms(TERMS, Path("data/terms.parquet"))
    Path("data/snapshot.json").write_text(json.dumps({"id": "5" * 12}))
    Path("params.yaml").write_text(yaml.safe_dump(PARAMS))
    return tmp_path


def test_while_it_is_not_enabled_it_writes_a_note_and_loads_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(making, "make", lambda *given: pytest.fail("nothing is to be made"))
    Path("params.yaml").write_text(yaml.safe_dump({**PARAMS, "late": {}}))
    assert main() == 0
    assert not is_enabled(Path("artifacts/late"))
    assert [path.name for path in Path("artifacts/late").iterdir()] == ["late.json"]
    assert json.loads(Path("reports/late.json").read_text())["enabled"] is False


def test_it_makes_heads_and_tokens_that_answer(
    workspace: Path, packaged: DualEncoder, exported: Exported, capsys: pytest.CaptureFixture[str]
):
    packaged.save(Path("artifacts/model"))
    Path("artifacts/encoder").symlink_to(exported.folder)
    encoder, products = Encoder.load(threads=1), read_products()
    save_embeddings(embed_products(products, MediaStore(), encoder, snapshot_id()), Path("artifacts/embeddings"))
    assert main() == 0
    torch.set_num_threads(1)  # the stage takes what the machine has

    report = json.loads(Path("reports/late.json").read_text())
    assert report["encoder"] == encoder.fingerprint
    assert [row["epoch"] for row in report["history"]] == [1, 2]
    assert "28 products" in capsys.readouterr().out
    late = load_late(Path("artifacts/late"), encoder)
    assert late is not None
    tokens = late.tokens
    assert tokens.places.shape == (24, 10, 16)  # 4 of 28 have no picture; 3 x 3 places and the whole
    assert report["bytes_a_product"] == pytest.approx((24 * 10 * 16 + 4 * 28 * 3) / 28, abs=0.1)
    assert {"红色", "red"} <= set(tokens.vocabulary)
    first = next(product for product in products if product.images)
    stored = tokens.places[tokens.pictures[tokens.position[first.id]]] * tokens.scale
    photo = late.heads.photo(MediaStore().read(first.images[0]))
    assert np.abs(stored - photo).max() <= tokens.scale.max() / 2 + 1e-3  # float16 on the way
    ids = [product.id for product in products]
    assert set(late.scores(Query(text="red shirt"), ids, BOTH)) == set(ids)
    assert len(late.scores(Query(text="red shirt"), ids, frozenset({"image"}))) == 24


def test_a_failure_leaves_what_was_there(workspace: Path, capsys: pytest.CaptureFixture[str]):
    Path("artifacts/late").mkdir(parents=True)
    Path("artifacts/late/late.json").write_text('{"enabled": false}')
    Path("artifacts/encoder").mkdir()
    assert main() == 1
    assert capsys.readouterr().err == "late: artifacts/encoder holds no encoder: run the export stage first.\n"
    assert not is_enabled(Path("artifacts/late"))
