"""models/fusion.py"""

import math

import pytest
import torch
from torch.nn import functional as F

from models.fusion import FUSIONS, Fusion, GatedFusion
from models.params import FusionName

NAMES = sorted(FUSIONS)


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


@pytest.mark.parametrize("name", NAMES)
def test_with_one_modality_the_result_is_exactly_that_one(name: FusionName) -> None:
    vectors = _vectors()
    for present, kept in (([1, 0], 0), ([0, 1], 1)):
        fused = _trained(name)(vectors, torch.tensor([present] * 4, dtype=torch.bool))
        assert torch.equal(fused, vectors[:, kept])


@pytest.mark.parametrize("name", NAMES)
def test_what_lies_in_a_masked_place_does_not_matter(name: FusionName) -> None:
    vectors, present = _vectors(), torch.tensor([[1, 0]] * 4, dtype=torch.bool)
    other = vectors.clone()
    other[:, 1] = 1000.0
    assert torch.equal(_trained(name)(vectors, present), _trained(name)(other, present))


@pytest.mark.parametrize("name", NAMES)
def test_with_no_modality_the_result_is_zero(name: FusionName) -> None:
    assert torch.equal(_trained(name)(_vectors(), torch.zeros(4, 2, dtype=torch.bool)), torch.zeros(4, 6))


@pytest.mark.parametrize("name", NAMES)
def test_with_both_the_result_is_a_unit_vector_and_starts_as_the_mean(name: FusionName) -> None:
    vectors, present = _vectors(), torch.ones(4, 2, dtype=torch.bool)
    assert torch.allclose(_trained(name)(vectors, present).norm(dim=1), torch.ones(4), atol=1e-6)
    fresh = FUSIONS[name](6, 2)(vectors, present)
    assert torch.allclose(fresh, F.normalize(vectors.mean(dim=1), dim=-1), atol=1e-6)


def test_gates_are_a_softmax_over_what_is_present() -> None:
    fusion = GatedFusion(2, 2)
    with torch.no_grad():
        fusion.gates[0].bias.fill_(math.log(3.0))  # odds 3 : 1
    vectors = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    weights = fusion.weights(vectors, torch.ones(1, 2, 1))
    assert torch.allclose(weights.flatten(), torch.tensor([0.75, 0.25]))
    assert torch.allclose(fusion.weights(vectors, torch.tensor([[[0.0], [1.0]]])).flatten(), torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("name", ["gated", "concat"])
def test_gradient_reaches_the_weights_of_the_fusion(name: FusionName) -> None:
    fusion = _trained(name)
    fusion(_vectors(), torch.ones(4, 2, dtype=torch.bool))[:, 0].sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in fusion.parameters())
