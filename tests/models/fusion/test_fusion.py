"""models/fusion: one conformance test for every member of FUSIONS, and the arithmetic of each."""

import math
import typing
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from models.encoder_folder import FUSION_GRAPH
from models.export_graphs import write_fusion_graph
from models.fusion.fusion import Fusion
from models.fusion.mixing import ProductFusion
from models.fusion.registry import FUSIONS
from models.fusion.weighing import GatedFusion, LearnedFusion
from models.params import NOTHING_TO_LEARN, FusionName

NAMES = sorted(FUSIONS)
LEARNING = [name for name in NAMES if list(FUSIONS[name](4, 2).parameters())]
EVERY_WAY = torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=torch.bool)


def _trained(name: FusionName, dim: int = 6) -> Fusion:
    """Weights away from their start, so that the mask must do its work."""
    torch.manual_seed(1)
    fusion = FUSIONS[name](dim, 2)
    for parameter in fusion.parameters():
        torch.nn.init.normal_(parameter)
    return fusion


def _vectors(count: int = 4, dim: int = 6) -> torch.Tensor:
    torch.manual_seed(2)
    return F.normalize(torch.randn(count, 2, dim), dim=-1)


def test_every_name_in_params_is_a_fusion() -> None:
    assert set(typing.get_args(FusionName)) == set(FUSIONS)


@pytest.mark.parametrize("name", NAMES)
def test_with_one_modality_the_result_is_exactly_that_one(name: FusionName) -> None:
    vectors = _vectors()
    for present, kept in (([1, 0], 0), ([0, 1], 1)):
        fused = _trained(name)(vectors, torch.tensor([present] * 4, dtype=torch.bool))
        assert torch.equal(fused, vectors[:, kept])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dirt", [1000.0, math.inf, math.nan])
def test_what_lies_in_a_masked_place_does_not_matter(name: FusionName, dirt: float) -> None:
    vectors, present = _vectors(), torch.tensor([[1, 0]] * 4, dtype=torch.bool)
    other = vectors.clone()
    other[:, 1] = dirt
    assert torch.equal(_trained(name)(vectors, present), _trained(name)(other, present))


@pytest.mark.parametrize("name", NAMES)
def test_with_no_modality_the_result_is_zero(name: FusionName) -> None:
    assert torch.equal(_trained(name)(_vectors(), torch.zeros(4, 2, dtype=torch.bool)), torch.zeros(4, 6))


@pytest.mark.parametrize("name", NAMES)
def test_with_both_the_result_is_a_unit_vector_that_depends_on_both(name: FusionName) -> None:
    vectors, present = _vectors(), torch.ones(4, 2, dtype=torch.bool)
    fused = _trained(name)(vectors, present)
    assert torch.allclose(fused.norm(dim=1), torch.ones(4), atol=1e-6)
    for modality in (0, 1):
        other = vectors.clone()
        other[:, modality] = vectors[:, modality].roll(1, dims=-1)
        assert not torch.allclose(_trained(name)(other, present), fused, atol=1e-2)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "product"])
def test_all_but_the_product_start_as_the_mean(name: FusionName) -> None:
    vectors = _vectors()
    fresh = FUSIONS[name](6, 2)(vectors, torch.ones(4, 2, dtype=torch.bool))
    assert torch.allclose(fresh, F.normalize(vectors.mean(dim=1), dim=-1), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_product_does_not_depend_on_the_others_of_its_batch(name: FusionName) -> None:
    fusion, vectors = _trained(name), _vectors()
    together = fusion(vectors, EVERY_WAY)
    alone = torch.cat([fusion(vectors[row : row + 1], EVERY_WAY[row : row + 1]) for row in range(4)])
    assert torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("name", LEARNING)
def test_gradient_reaches_every_weight(name: FusionName) -> None:
    fusion = _trained(name)
    (fusion(_vectors(), EVERY_WAY) * torch.arange(6.0)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in fusion.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_gives_the_vectors_of_torch(name: FusionName, tmp_path: Path) -> None:
    fusion, vectors = _trained(name).eval(), _vectors(12)
    present = EVERY_WAY.repeat(3, 1)
    write_fusion_graph(fusion, 6, tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / FUSION_GRAPH), providers=["CPUExecutionProvider"])
    (served,) = session.run(None, {"vectors": vectors.numpy(), "present": present.float().numpy()})
    assert np.abs(served - fusion(vectors, present).detach().numpy()).max() < 1e-5


def test_only_mean_and_sum_have_nothing_to_learn_and_they_are_one() -> None:
    assert set(NAMES) - set(LEARNING) == NOTHING_TO_LEARN
    both = torch.ones(4, 2, dtype=torch.bool)
    assert torch.allclose(FUSIONS["mean"](6, 2)(_vectors(), both), FUSIONS["sum"](6, 2)(_vectors(), both), atol=1e-6)


def test_learned_weights_are_a_softmax_over_what_is_present() -> None:
    fusion = LearnedFusion(2, 3)
    with torch.no_grad():
        fusion.scores.copy_(torch.tensor([math.log(3.0), 0.0, 5.0]))  # odds 3 : 1, and one who is not there
    vectors = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    combined = fusion.combine(vectors, torch.tensor([[[1.0], [1.0], [0.0]]]))
    assert torch.allclose(combined, torch.tensor([[0.75, 0.25]]))


def test_gates_are_a_softmax_over_what_is_present() -> None:
    fusion = GatedFusion(2, 2)
    with torch.no_grad():
        fusion.gates[0].bias.fill_(math.log(3.0))  # odds 3 : 1
    vectors = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    weights = fusion.weights(vectors, torch.ones(1, 2, 1))
    assert torch.allclose(weights.flatten(), torch.tensor([0.75, 0.25]))
    assert torch.allclose(fusion.weights(vectors, torch.tensor([[[0.0], [1.0]]])).flatten(), torch.tensor([0.0, 1.0]))


def test_the_product_is_the_hadamard_product_of_one_plus_each() -> None:
    fusion = ProductFusion(4, 3)  # c = sqrt(4) = 2
    one, two = [0.5, 0.5, -0.5, 0.5], [0.5, -0.5, -0.5, 0.1]
    vectors = torch.tensor([[one, two, [0.0] * 4]])
    #            (1 + 2a)(1 + 2b) - 1, over 2:  (2*2-1)/2  (2*0-1)/2  (0*0-1)/2  (2*1.2-1)/2
    assert torch.allclose(fusion.combine(vectors, torch.ones(1, 3, 1)), torch.tensor([[1.5, -0.5, -0.5, 0.7]]))
    again = fusion.combine(vectors[:, [2, 1, 0]], torch.ones(1, 3, 1))
    assert torch.allclose(again, torch.tensor([[1.5, -0.5, -0.5, 0.7]]))  # in any order
