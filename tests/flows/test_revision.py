"""What a release names as its origin, and what makes it another release."""

from pathlib import Path

import pytest

from catalog.errors import InvalidParams
from catalog.params import params_document
from flows.revision import code_digest, data_md5


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """bento.service -> search.engine -> models.encoder; models.train is beside the road."""
    files = {
        "bento/__init__.py": "",
        "bento/service.py": "from search import engine\n",
        "search/__init__.py": "",
        "search/engine.py": "def lazy():\n    import models.encoder\n",
        "models/encoder.py": "WIDTH = 4\n",
        "models/train.py": "EPOCHS = 3\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_change_of_search_logic_changes_the_digest_and_a_change_of_training_does_not(world: Path) -> None:
    before = code_digest(root=world)
    (world / "models/train.py").write_text("EPOCHS = 30\n")
    assert code_digest(root=world) == before

    (world / "models/encoder.py").write_text("WIDTH = 8\n")
    assert code_digest(root=world) != before


def test_data_md5_is_what_data_dvc_names(tmp_path: Path) -> None:
    path = tmp_path / "data.dvc"
    assert data_md5(path) is None
    path.write_text("outs:\n- md5: abc.dir\n  path: data\n")
    assert data_md5(path) == "abc.dir"


@pytest.mark.parametrize(("text", "sentence"), [("- 1\n", "must hold sections"), ("a: [", "is not YAML")])
def test_a_params_file_that_is_no_table_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)

    with pytest.raises(InvalidParams, match=sentence):
        params_document(path)
