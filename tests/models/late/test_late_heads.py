"""Token heads: what they learn from, that they learn it, and that what is served is what was trained."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.errors import EncoderMismatch, InvalidParams, NotReady
from catalog.media import decode_image
from catalog.products import Product
from catalog.words.terms import TermIndex
from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.encoder_folder import BASELINE
from models.late.encoder import ABOUT, LateEncoder
from models.late.export import write_heads
from models.late.fitting import fit_heads, title_recalls
from models.late.heads import LateHeads, pooled_places
from models.late.params import LateParams
from models.late.training import LateData, Pictures, WordTable, alike_batches, asked_words, best_matches
from models.params import ModelParams
from models.training.params import TrainParams
from tests.models.conftest import Exported
from tests.models.tiny_towers import TinyImage, tiny_model

THINGS = ["red", "blue", "green", "gold", "bag", "shoe", "hat", "belt", "star", "moon", "sun", "tree"]
SIDE, WIDE = 2, 24
PARAMS = LateParams(width=16, side=SIDE, epochs=8, batch_size=16, alike=4, dropout=0.0, learning_rate=0.01)
TRAIN = TrainParams(phrases=0, rounds=2, word_dropout=0.0)


class Mosaic(TinyImage):
    """A picture is SIDE x SIDE places, each showing one thing; features are the map itself."""

    def places(self, features: torch.Tensor) -> torch.Tensor:
        return features


class Kept:
    """Features that were computed before, by the number that their key is."""

    def __init__(self, maps: np.ndarray) -> None:
        self.maps = maps

    def load(self, keys: Sequence[str], draw: object) -> torch.Tensor:
        return torch.from_numpy(self.maps[[int(key) for key in keys]])


def mosaics(count: int, seed: int, without_picture: int = 0) -> LateData:
    """Products that show four different things each, and are called by them in another order."""
    random, things = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(len(THINGS), WIDE))
    shown = [random.permutation(len(THINGS))[: SIDE**2] for _ in range(count)]
    maps = things[np.array(shown)].transpose(0, 2, 1).reshape(count, WIDE, SIDE, SIDE).astype(np.float32)
    titles = [" ".join(THINGS[thing] for thing in random.permutation(row)) for row in shown]
    products = [Product(id=f"p{row}", group_id=f"g{row}", title=title) for row, title in enumerate(titles)]
    of = np.arange(count)
    of[:without_picture] = -1
    vectors = {word: np.random.default_rng(at).normal(size=8).astype(np.float32) for at, word in enumerate(THINGS)}
    pooled = np.zeros((count, 3), dtype=np.float32) + random.normal(size=(count, 3)).astype(np.float32)
    pictures = Pictures(Mosaic(ModelParams(dim=8)), Kept(maps), pooled, [str(row) for row in range(count)], of)  # type: ignore[arg-type]
    return LateData(products, TermIndex([]), pictures, WordTable(vectors), TRAIN)


def fitted(data: LateData) -> tuple[LateHeads, list[dict[str, float]]]:
    vectors = np.random.default_rng(1).normal(size=(len(data.products), 8)).astype(np.float32)
    return fit_heads(data, mosaics(60, seed=9), vectors, PARAMS, lambda row: None)


def test_heads_learn_which_word_is_which_place():
    heads, history = fitted(mosaics(160, seed=1, without_picture=10))
    assert history[-1]["loss"] < history[0]["loss"] / 2
    assert history[-1]["title_image_recall@1"] > 0.5  # of 60 held-out mosaics, chance is 1/60
    assert title_recalls(heads, mosaics(60, seed=9)) == {
        name: value for name, value in history[-1].items() if "recall" in name
    }


def test_the_same_seed_gives_the_same_heads():
    first, second = (fitted(mosaics(40, seed=2))[0].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_best_matches_are_the_largest_products():
    query, tokens = torch.randn(5, 4), torch.randn(3, 7, 4)
    brute = torch.tensor([[max(float(q @ t) for t in picture) for picture in tokens] for q in query])
    assert torch.allclose(best_matches(query, tokens), brute, atol=1e-6)


def test_words_are_as_long_as_they_matter_and_places_have_length_one():
    heads = LateHeads(8, 6, 5, PARAMS).eval()
    lengths = heads.of_words(torch.randn(20, 8)).norm(dim=1)
    assert torch.allclose(lengths, torch.ones(20), atol=1e-5)  # before training every word matters the same
    tokens = heads.of_picture(torch.randn(3, SIDE**2, 6), torch.randn(3, 5))
    assert tokens.shape == (3, SIDE**2 + 1, PARAMS.width)
    assert torch.allclose(tokens.norm(dim=2), torch.ones(3, SIDE**2 + 1), atol=1e-5)


def test_batches_hold_every_row_once_and_neighbours_side_by_side():
    corners = np.eye(10, dtype=np.float32).repeat(4, axis=0)  # ten groups of four that are the same
    params = PARAMS.model_copy(update={"batch_size": 8})
    batches = alike_batches(corners, params, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(40))
    assert [len(batch) for batch in batches] == [8] * 5
    assert all(len({row // 4 for row in batch.tolist()}) == 2 for batch in batches)
    again, other = alike_batches(corners, params, 0), alike_batches(corners, params, 1)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(batches, other, strict=True))


def test_every_word_that_training_asks_has_a_vector():
    products = [
        Product(id="a", group_id="a", title="V Neck T Shirt", category=("Shirts",), attributes={"colour": "Red"})
    ]
    train = TrainParams(word_dropout=0.6, plain_titles=0.0, rounds=6)
    words = asked_words(products, TermIndex([], products), train)
    table = WordTable({word: np.ones(4, dtype=np.float32) for word in words})
    pictures = mosaics(1, seed=0, without_picture=1).pictures
    data = LateData(products, TermIndex([], products), pictures, table, train)
    heads = LateHeads(4, WIDE, 3, PARAMS)
    assert all(torch.isfinite(data.loss(heads, np.array([0]), epoch)) for epoch in range(6))


@pytest.mark.parametrize("preset", ["clip", "siglip2", "chinese_clip", "vit_bert"])
def test_a_transformer_tells_where_things_are(preset: str, hub_params: Callable[[str], ModelParams]):
    tower = DualEncoder.build(hub_params(preset)).image.eval()
    pixels = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        features = tower.early(pixels)
        places = tower.places(features)
    assert places.shape == (2, 16, 4, 4)  # 32 pixels in patches of 8, width 16
    assert torch.equal(places[1, :, 2, 3], features[1, features.shape[1] - 16 + 2 * 4 + 3])


def test_a_tower_that_knows_no_places_is_refused():
    model = tiny_model()
    with pytest.raises(InvalidParams, match=r"late\.enabled: the image tower of this preset does not tell where"):
        model.image.places(model.image.early(torch.rand(2, 3, 16, 16)))


@pytest.fixture(scope="module")
def served(
    packaged: DualEncoder, exported: Exported, tmp_path_factory: pytest.TempPathFactory
) -> tuple[LateHeads, Path]:
    """Heads of random weights on the default preset, and the folder they were written to."""
    torch.manual_seed(4)
    heads = LateHeads(32, packaged.image.map_channels, packaged.image.width, LateParams()).eval()  # type: ignore[arg-type]
    torch.nn.init.normal_(heads.importance.weight)
    folder = tmp_path_factory.mktemp("late")
    write_heads(heads, packaged.image, Encoder.load(exported.folder).fingerprint, folder)
    return heads, folder


def test_served_tokens_are_those_of_torch(
    served: tuple[LateHeads, Path], packaged: DualEncoder, exported: Exported, pictures: list[bytes]
):
    heads, folder = served
    encoder = Encoder.load(exported.folder, threads=1)
    late = LateEncoder.load(folder, encoder)
    words = ["red", "连衣裙", "shoe"]
    with torch.inference_mode():
        expected = heads.of_words(torch.from_numpy(np.concatenate([encoder.encode_text([word]) for word in words])))
        pixels = packaged.image.preprocess.prepare_batch([decode_image(data) for data in pictures])
        features = packaged.image.early(torch.from_numpy(pixels))
        seen = heads.of_picture(
            pooled_places(packaged.image.places(features), heads.side), packaged.image.late(features)
        )
    assert np.allclose(late.words(words), expected.numpy(), atol=1e-5)
    assert late.words([]).shape == (0, 64)
    for number, data in enumerate(pictures):
        vector, tokens = late.look(data)
        assert np.allclose(tokens, seen[number].numpy(), atol=1e-4)
        assert np.array_equal(late.photo(data), tokens)
        assert np.array_equal(vector, encoder.encode_image([data])[0])


def test_a_word_has_the_same_token_in_any_company(served: tuple[LateHeads, Path], exported: Exported):
    late, other = (LateEncoder.load(served[1], Encoder.load(exported.folder, threads=1)) for _ in range(2))
    assert np.array_equal(late.words(["red", "a much longer word than red"])[0], other.words(["red"])[0])


def test_heads_of_another_encoder_are_refused(
    served: tuple[LateHeads, Path], exported: Exported, tmp_path: Path, pictures: list[bytes]
):
    encoder = Encoder.load(exported.folder, threads=1)
    encoder.fingerprint = "0" * 16
    with pytest.raises(EncoderMismatch, match="were trained on encoder"):
        LateEncoder.load(served[1], encoder)
    blind = Encoder.load(exported.folder / BASELINE, threads=1)
    with pytest.raises(NotReady, match="does not tell where in a picture things are"):
        blind.look(pictures[0])
    with pytest.raises(NotReady, match="run the late stage"):
        LateEncoder.load(tmp_path, encoder)
    (tmp_path / ABOUT).write_text(json.dumps({"format": 99}))
    with pytest.raises(NotReady, match="has format 99"):
        LateEncoder.load(tmp_path, encoder)
