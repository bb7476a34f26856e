"""models/towers/vector_files.py and how a tower over words starts from such a file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.errors import InvalidParams
from models.params import ModelParams
from models.towers.bag_of_words import idf, sif, word_weights
from models.towers.vector_files import VectorFile
from models.towers.word_text import WordTower
from models.words import FIRST, NOTHING, PAD, Vocabulary

VECTORS = {"red": [1, 0, 0], "Dress": [0, 1, 0], "dress": [0, 2, 0], "shoes": [0, 0, 1], "红色": [3, 0, 0]}


def glove(path: Path) -> Path:
    path.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in VECTORS.items()), encoding="utf-8")
    return path


def word2vec(path: Path) -> Path:
    glove(path)
    path.write_text(f"{len(VECTORS)} 3\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def binary(path: Path) -> Path:
    rows = [word.encode() + b" " + np.array(row, dtype="<f4").tobytes() + b"\n" for word, row in VECTORS.items()]
    path.write_bytes(f"{len(VECTORS)} 3\n".encode() + b"".join(rows))
    return path


@pytest.mark.parametrize("write", [glove, word2vec, binary])
def test_all_three_forms_give_the_same_vectors(write, tmp_path: Path) -> None:
    file = VectorFile.open(write(tmp_path / "vectors"))
    assert file.dim == 3
    found = file.read(wanted=(), most=9)
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "red": [1, 0, 0],
        "dress": [0, 2, 0],  # spelled so in the file, though "Dress" came first
        "shoe": [0, 0, 1],  # folded
        "红色": [3, 0, 0],
    }
    assert set(file.read(wanted={"红色"}, most=1)) == {"red", "红色"}


def test_a_word_with_a_space_in_it_is_a_row_like_others(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("red 1 2\nat home 3 4\nbag 5 6\n")
    assert VectorFile.open(tmp_path / "vectors").read((), 9)["bag"].tolist() == [5, 6]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no file"),
        (b"", "holds no word vectors"),
        (b"\x89PNG\r\n\x1a\n\0\0", "holds no word vectors"),
        (b"red 1 2 3\nbag 1 2\n", "row of 'bag' does not hold 3 numbers"),
        (b"red 1 2 3\nbag 1 2 nan\n", "row of 'bag' does not hold 3 numbers"),
        (b"red 1 2 3\nbag 1 two 3\n", "row of 'bag' does not hold 3 numbers"),
        (b"2 3\nred " + bytes(12) + b"\nbag " + bytes(7), "row of 'bag' does not hold 3 numbers"),
        (b"!! 1 2 3\n", "no vector of any word"),
    ],
)
def test_a_missing_or_malformed_file_is_refused_in_one_sentence(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "vectors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidParams, match=reason):
        VectorFile.open(path).read((), 9)


def a_tower(path: Path, texts: list[str], **settings: object) -> WordTower:
    params = {"text_tower": "word_vectors", "text_backbone": str(path), "dim": 4, "head": "linear", **settings}
    tower = WordTower.build("word_vectors", str(path), ModelParams.model_validate(params))
    tower.fit(texts)
    return tower.eval()


def test_a_text_is_the_weighted_sum_of_its_words_in_unit_length(tmp_path: Path) -> None:
    tower = a_tower(glove(tmp_path / "vectors"), ["red dress", "red shoes", "red"])
    with torch.no_grad():
        (found,) = tower.backbone(tower.tokenize(["red dress"])).tolist()
    rare = np.log(4 / 2) + 1  # one text of three has "dress", all have "red": log(4 / 4) + 1 = 1
    expected = np.array([1.0, 2 * rare, 0]) / np.hypot(1, 2 * rare)
    assert found == pytest.approx(expected, abs=1e-6)


def test_sif_weighs_a_word_by_how_rare_it_is() -> None:
    assert sif(np.array([0, 1, 999], dtype=np.float32), 7).tolist() == pytest.approx([1, 0.5, 1 / 1000], rel=1e-3)
    assert idf(np.array([0, 3], dtype=np.float32), 3).tolist() == pytest.approx([np.log(4) + 1, 1])
    words = Vocabulary({"red": 3, "dress": 1}, 3)
    weights = word_weights(words, "idf")
    assert weights[[PAD, NOTHING, FIRST]].tolist() == [0, 1, 1] and weights[FIRST + 1] == pytest.approx(1 + np.log(2))
    assert (weights[FIRST + 2 :] == 1).all()  # pieces


def test_words_that_training_never_saw_are_found_by_the_file_and_others_by_their_spelling(tmp_path: Path) -> None:
    tower = a_tower(glove(tmp_path / "vectors"), ["red dress", "red dress for women", "women"])
    assert tower.vocabulary.counts["shoe"] == 0 and "woman" in tower.vocabulary.counts
    with torch.no_grad():
        rows = tower.backbone(tower.tokenize(["红色", "red", "dresses", "dressy", "qqq", ""]))
    assert torch.allclose(rows[0], rows[1]) and torch.allclose(rows[2], torch.tensor([0.0, 1.0, 0.0]))
    assert rows[3] @ rows[2] > 0.9  # spelled: its pieces have the mean of the words that hold them
    assert torch.allclose(rows.norm(dim=1), torch.ones(6), atol=1e-6)


def test_the_same_words_and_file_give_the_same_table(tmp_path: Path) -> None:
    one = a_tower(glove(tmp_path / "vectors"), ["red dress", "red dress for women", "women"])
    other = a_tower(tmp_path / "vectors", ["nothing of that"])
    assert not torch.equal(one.table.weight, other.table.weight[: len(one.table.weight)])
    other.fit_like(one)
    assert torch.equal(one.table.weight, other.table.weight)
    assert other.tokens.ids("women in red") == one.tokens.ids("women in red")


def test_a_bag_of_words_over_random_signs_keeps_the_cosines_of_tf_idf() -> None:
    params = ModelParams(text_tower="bag_of_words", text_width=4096, dim=4, head="linear")
    tower = WordTower.build("bag_of_words", None, params)
    tower.fit(["red dress", "red bag", "blue dress", "blue bag", "bag"])
    lines = ["red dress", "blue dress", "red bag", "red red dress"]
    with torch.no_grad():
        rows = tower.eval().backbone(tower.tokenize(lines))
    counts = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [2, 0, 1, 0]])  # red, blue, dress, bag
    weighted = counts * idf(np.array([2, 2, 2, 3], dtype=np.float32), 5)
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    assert np.abs((rows @ rows.T).numpy() - weighted @ weighted.T).max() < 0.05
