"""models/spaces.py and models/fusion/side_by_side.py: one space for all modalities, or a part for each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from catalog.media import decode_image
from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.encoder_folder import EncoderConfig
from models.export import write_encoder
from models.fusion.registry import FUSIONS
from models.params import KEEPS_PARTS, FusionName, ModelParams
from models.spaces import SPACES, filled_parts, own_parts, unit_parts
from tests.models.tiny_towers import tiny_model
from tests.models.tiny_training import a_task, learn

APART = {"space": "independent"}
BOTH = torch.ones(3, dtype=torch.bool)
NEITHER = torch.zeros(3, dtype=torch.bool)


def vectors_of(model: DualEncoder) -> tuple[torch.Tensor, torch.Tensor]:
    """Words and pictures of three products, [3, D] each."""
    torch.manual_seed(4)
    with torch.no_grad():
        return model.encode_text(["red bag", "blue shirt", "black bag"]), model.encode_pixels(torch.randn(3, 3, 16, 16))


@pytest.mark.parametrize("space", sorted(SPACES))
def test_words_fill_every_part_and_pictures_their_own(space: str) -> None:
    params = ModelParams.model_validate({"dim": 8, "space": space})
    own, filled = own_parts(params), filled_parts(params)
    assert filled["image"] == (own["image"],)
    assert set(filled["text"]) == set(own.values())
    assert {dimension for first, last in filled["text"] for dimension in range(first, last)} == set(range(8))


@pytest.mark.parametrize("space", sorted(SPACES))
def test_every_vector_is_a_unit_vector_and_every_product_too(space: str) -> None:
    model = tiny_model(space=space)
    text, image = vectors_of(model)
    products = model.fuse(text, image, BOTH, torch.tensor([True, True, False]))
    for vectors in (text, image, products):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(products[2], text[2])  # words alone: the product is where its words are
    assert not model.fuse(text, image, NEITHER, NEITHER).any()


def test_each_part_has_its_share_of_the_length() -> None:
    vectors = torch.tensor([[3.0, 4.0, 7.0, 0.0, 2.0]])
    halves = unit_parts(vectors, ((0, 2), (3, 5)))
    root = 0.5**0.5
    torch.testing.assert_close(halves, torch.tensor([[0.6 * root, 0.8 * root, 0.0, 0.0, root]]))
    torch.testing.assert_close(unit_parts(vectors, ((0, 2),)), torch.tensor([[0.6, 0.8, 0.0, 0.0, 0.0]]))


def test_a_product_keeps_words_and_picture_apart_and_words_ask_both() -> None:
    model = tiny_model(fusion="mean", **APART)
    text, image = vectors_of(model)
    assert not image[:, :4].any()
    root = 0.5**0.5
    torch.testing.assert_close(text[:, 4:].norm(dim=1), torch.full((3,), root))
    products = model.fuse(text, image, BOTH, BOTH)
    torch.testing.assert_close(products[:, :4], text[:, :4])  # length 1 / sqrt(2) already
    torch.testing.assert_close(products[:, 4:], image[:, 4:] * root)
    # a query of words meets words by its first half and pictures by its second
    torch.testing.assert_close(text @ products.T, text[:, :4] @ text[:, :4].T + root * text[:, 4:] @ image[:, 4:].T)


@pytest.mark.parametrize("name", sorted(FUSIONS))
def test_fusions_that_keep_the_parts_are_known_and_others_refused(name: FusionName) -> None:
    if name not in KEEPS_PARTS:
        with pytest.raises(ValidationError, match=f"fusion {name} mixes"):
            ModelParams(fusion=name, space="independent")
        return
    model = tiny_model(fusion=name, **APART)
    for parameter in model.fusion.parameters():
        torch.nn.init.normal_(parameter)
    text, image = vectors_of(model)
    with torch.no_grad():
        products = model.fuse(text, image, BOTH, BOTH)
    for part, vectors in ((slice(0, 4), text), (slice(4, 8), image)):
        cosines = torch.cosine_similarity(products[:, part], vectors[:, part])
        torch.testing.assert_close(cosines, torch.ones(3))


@pytest.mark.parametrize(
    ("params", "sentence"),
    [({"dim": 7}, "halves the dimensions, and dim is 7"), ({"dim": 8, "matryoshka": (4, 8)}, "needs space: shared")],
)
def test_what_cannot_be_split_is_refused(params: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ModelParams.model_validate({**params, **APART})


def test_both_parts_learn(tmp_path: Path) -> None:
    task = a_task(tmp_path, model=tiny_model(**APART), learning_rate=0.01)
    before = task.model.text.head.layers.weight.detach().clone()
    with torch.no_grad():
        score = task.score()["score"]
    losses = learn(task, 12)
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
    moved = (task.model.text.head.layers.weight.detach() - before).abs().amax(dim=1)  # [D]
    assert (moved > 1e-3).all()
    with torch.no_grad():
        assert task.score()["score"] > score


def test_the_served_encoder_gives_the_vectors_of_torch_and_knows_the_parts(
    hub_params: Callable[[str], ModelParams], pictures: list[bytes], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    texts = ["red dress", "blue shoes", "红色连衣裙", "bag"]
    params = hub_params("vit_bert").model_copy(update={"space": "independent", "fusion": "learned"})
    model = DualEncoder.build(params).eval()
    torch.nn.init.normal_(model.fusion.inner.scores)  # type: ignore[union-attr, arg-type]
    model.save(tmp_path / "model")
    again = DualEncoder.load(tmp_path / "model")
    write_encoder(again, tmp_path)
    encoder = Encoder.load(tmp_path, threads=1)
    assert encoder.config.spaces == {"text": (0, 8), "image": (4, 8)}
    assert encoder.shared_space  # words find pictures
    text, image = encoder.encode_text(texts), encoder.encode_image(pictures)
    there, pixels = np.ones(4, dtype=bool), again.image.preprocess.prepare_batch(list(map(decode_image, pictures)))
    with torch.no_grad():
        expected = model.encode_text(texts), model.encode_pixels(torch.from_numpy(pixels))
        fused = model.fuse(*expected, torch.from_numpy(there), torch.from_numpy(there))
    assert np.abs(text - expected[0].numpy()).max() < 1e-5 and np.abs(image - expected[1].numpy()).max() < 1e-5
    assert np.abs(encoder.fuse_products(text, image, there, there) - fused.numpy()).max() < 1e-5


def test_towers_that_know_nothing_of_each_other_share_no_space() -> None:
    def config(**spaces: tuple[int, int]) -> EncoderConfig:
        return EncoderConfig("x", 8, spaces, None, None)  # type: ignore[arg-type]

    assert config(text=(0, 8), image=(0, 8)).shared_space and config(text=(0, 8), image=(4, 8)).shared_space
    assert not config(text=(0, 4), image=(4, 8)).shared_space
