"""model.matryoshka and export.dim: prefixes of a vector are vectors, in training and where they are served."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from catalog.errors import InvalidParams
from models.dual_encoder import DualEncoder
from models.encoder import Encoder
from models.export import write_encoder, write_probes
from models.fusion.registry import FUSIONS
from models.params import FusionName, ModelParams
from models.prefixes import fuse_prefixes, unit_prefix
from tests.models.tiny_towers import tiny_model
from tests.models.tiny_training import a_task, learn

TEXTS = ["red dress", "blue shoes", "a black leather bag"]


def test_a_prefix_is_a_unit_vector_and_nothing_stays_nothing() -> None:
    vectors = torch.tensor([[3.0, 4.0, 12.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(unit_prefix(vectors, 2), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


@pytest.mark.parametrize("name", sorted(FUSIONS))
def test_a_product_is_a_function_of_the_prefixes_that_are_stored(name: FusionName) -> None:
    torch.manual_seed(0)
    fusion = FUSIONS[name](8, 2)
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter)
    vectors, present = F.normalize(torch.randn(4, 2, 8), dim=-1), torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]])
    short = fuse_prefixes(fusion, unit_prefix(vectors, 4), present)
    assert short.shape == (4, 4)
    torch.testing.assert_close(short.norm(dim=1), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    torch.testing.assert_close(short[1], unit_prefix(vectors[1, 0], 4))
    assert torch.equal(fuse_prefixes(fusion, vectors, present), fusion(vectors, present))


@pytest.mark.parametrize("widths", [(8, 4), (4, 4, 8), (1, 8), (2, 4), (4, 16)])
def test_prefixes_must_ascend_to_the_whole(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="matryoshka must ascend from 2 or more to dim, which is 8"):
        ModelParams(dim=8, matryoshka=widths)


def test_every_prefix_has_a_loss_of_its_own_and_the_total_is_their_sum(tmp_path: Path) -> None:
    plain, nested = a_task(tmp_path / "plain"), a_task(tmp_path / "nested", model=tiny_model(matryoshka=(2, 4, 8)))
    for task in (plain, nested):
        torch.manual_seed(5)  # of the noise on texts
        batch = next(iter(task.batches(0, 0)))
        torch.manual_seed(5)
        task.taken = task.step(batch)  # type: ignore[attr-defined]
    parts = nested.taken.parts  # type: ignore[attr-defined]
    pairs = list(plain.taken.parts)  # type: ignore[attr-defined]
    assert set(parts) == {*pairs, *(f"{name}_{width}" for name in pairs for width in (2, 4))}
    weights = nested.params.weights.model_dump()

    def mean(ending: str) -> float:
        total = sum(parts[name + ending].item() * weights[name.removeprefix("loss_")] for name in pairs)
        return total / sum(weights[name.removeprefix("loss_")] for name in pairs)

    expected = mean("") + mean("_2") + mean("_4")
    assert nested.taken.loss.item() == pytest.approx(expected, rel=1e-5)  # type: ignore[attr-defined]


def test_a_prefix_that_was_trained_finds_more_than_one_that_was_not(tmp_path: Path) -> None:
    lost = {}
    for widths in ((), (2, 8)):
        task = a_task(tmp_path / str(len(widths)), model=tiny_model(matryoshka=widths), learning_rate=0.01)
        learn(task, 20)
        measure = a_task(tmp_path / f"{len(widths)} measured", model=tiny_model(matryoshka=(2, 8)))
        measure.model.load_state_dict(task.model.state_dict())
        with torch.no_grad():
            parts = [measure.step(batch).parts for batch in measure.batches(0, 0)]
        lost[widths] = sum(float(part["loss_phrase_product_2"]) for part in parts)
    assert lost[(2, 8)] < 0.9 * lost[()]


@pytest.fixture(scope="module")
def nested(hub_params: Callable[[str], ModelParams], tmp_path_factory: pytest.TempPathFactory) -> DualEncoder:
    """A tiny model with attention, trained (in name) for prefixes of 4."""
    torch.manual_seed(0)
    params = hub_params("vit_bert").model_copy(update={"matryoshka": (4, 8), "fusion": "attention"})
    model = DualEncoder.build(params).eval()
    for parameter in model.fusion.parameters():
        torch.nn.init.normal_(parameter)
    folder = tmp_path_factory.mktemp("nested")
    model.save(folder)
    return DualEncoder.load(folder)


def test_the_served_encoder_is_cut_for_queries_and_products_alike(
    nested: DualEncoder, pictures: list[bytes], tmp_path: Path
) -> None:
    write_encoder(nested, tmp_path, 4)
    write_probes(tmp_path, TEXTS, pictures[:1])
    encoder = Encoder.load(tmp_path, threads=1)
    assert (encoder.dim, encoder.name, encoder.shared_space) == (4, "vit_bert-8-cut-4", True)
    with torch.no_grad():
        whole = nested.encode_text(TEXTS)
    text, image = encoder.encode_text(TEXTS), encoder.encode_image(pictures[:3])
    assert np.abs(text - unit_prefix(whole, 4).numpy()).max() < 1e-5
    there = np.ones(3, dtype=bool)
    with torch.no_grad():
        fused = nested.fuse(*(torch.from_numpy(each) for each in (text, image, there, there)))
    assert np.abs(encoder.fuse_products(text, image, there, there) - fused.numpy()).max() < 1e-5
    assert encoder.check_probes() > 0.99999


def test_a_width_the_model_was_not_trained_for_is_refused(nested: DualEncoder, tmp_path: Path) -> None:
    with pytest.raises(InvalidParams, match=r"export\.dim is 6, and the model can be cut to 4, 8"):
        write_encoder(nested, tmp_path / "encoder", 6)
    assert not (tmp_path / "encoder").exists()
