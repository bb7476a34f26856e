"""`--set` changes one line of params.yaml or nothing."""

from pathlib import Path

import pytest

from catalog.errors import InvalidParams
from catalog.params import params_document
from flows.parameters import SECTIONS, change_params, check_params

TEXT = """\
# Why this file is here.
split:            # by product group
  seed: 7
train:
  epochs: 12      # passes over the data
gates: {}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    return path


def test_one_value_changes_and_comments_stay(path: Path) -> None:
    said = change_params(["train.epochs=3"], path)

    assert said == ["train.epochs: 12 -> 3"]
    assert path.read_text() == TEXT.replace("epochs: 12      #", "epochs: 3       #")


def test_a_key_of_a_rule_that_the_file_leaves_out_is_added(path: Path) -> None:
    change_params(["gates.champion.overall=0.01", "gates.parity=0.99"], path)

    assert params_document(path)["gates"] == {"champion": {"overall": 0.01}, "parity": 0.99}


def test_setting_what_is_set_writes_nothing(path: Path) -> None:
    before = path.stat().st_mtime_ns
    assert change_params(["train.epochs=12"], path) == []
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("train.epochs", "write section.key=value"),
        ("epochs=3", "write section.key=value"),
        ("trian.epochs=3", "no section 'trian'"),
        ("train.epoch=3", r"train\.epoch: Extra inputs are not permitted"),
        ("train.epochs=many", r"train\.epochs: Input should be a valid integer"),
        ("train.epochs.most=3", "epochs is a value"),
        ("train.epochs=[", "the value is not YAML"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_the_file_stays(path: Path, setting: str, sentence: str) -> None:
    with pytest.raises(InvalidParams, match=sentence):
        change_params([setting], path)
    assert path.read_text() == TEXT


def test_of_several_settings_one_wrong_one_keeps_all_out(path: Path) -> None:
    with pytest.raises(InvalidParams):
        change_params(["train.epochs=3", "train.epoch=3"], path)
    assert path.read_text() == TEXT


def test_every_section_of_the_project_is_known_and_valid() -> None:
    document = params_document(Path("params.yaml"))

    assert set(document) == set(SECTIONS)
    check_params(document)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["model.fusion=sum", "train.order=sequential"], "sum has nothing to learn"),
        (["model.matryoshka=[64, 256]", "export.dim=128"], r"export\.dim is 128, and the model can be cut to 64, 256"),
    ],
)
def test_sections_that_do_not_go_together_are_refused(path: Path, settings: list[str], sentence: str) -> None:
    path.write_text(TEXT + "model: {}\nexport: {}\n")
    with pytest.raises(InvalidParams, match=sentence):
        change_params(settings, path)
    change_params(settings[:1], path)  # each alone can be
