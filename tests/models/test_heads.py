"""models/heads.py"""

import pytest
import torch

from models.heads import HEADS, AlignedHead, ProjectionHead
from models.params import HeadName


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_a_head_takes_width_to_dim(kind: HeadName) -> None:
    assert ProjectionHead(10, 4, kind)(torch.randn(3, 10)).shape == (3, 4)


def test_standardising_makes_dimensions_of_any_size_alike() -> None:
    torch.manual_seed(0)
    features = torch.randn(500, 3) * torch.tensor([1000.0, 1.0, 0.1]) + torch.tensor([5.0, -5.0, 0.0])
    head = ProjectionHead(3, 3)
    head.layers = torch.nn.Identity()
    head.spread.fill_(1.0)
    head.standardise(features / torch.tensor([1000.0, 1.0, 1.0]))
    seen = head(features / torch.tensor([1000.0, 1.0, 1.0]))
    assert torch.allclose(seen.mean(dim=0), torch.zeros(3), atol=1e-4)
    assert torch.allclose(seen.std(dim=0, correction=0), torch.ones(3), atol=1e-3)


def test_a_dimension_that_never_moves_is_not_blown_up() -> None:
    head = ProjectionHead(2, 2)
    head.standardise(torch.tensor([[1.0, 7.0], [3.0, 7.0]]))
    assert head.center.tolist() == [2.0, 7.0]
    assert head.spread.tolist() == pytest.approx([1.0, 1e-3])  # a thousandth of the widest


def test_standardisation_is_saved_with_the_weights() -> None:
    head = ProjectionHead(2, 2)
    head.standardise(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    other = ProjectionHead(2, 2)
    other.load_state_dict(head.state_dict())
    assert torch.equal(other.center, head.center) and torch.equal(other.spread, head.spread)


def test_towers_that_share_a_space_start_from_one_rotation() -> None:
    text, image = AlignedHead(12, 8), AlignedHead(12, 8)
    assert torch.equal(text.layers.weight, image.layers.weight)
    rotation = text.layers.weight
    assert torch.allclose(rotation @ rotation.T, torch.eye(8), atol=1e-5)  # angles inside its range are kept
    vector = torch.randn(2, 12)
    assert torch.allclose(AlignedHead(12, 12)(vector), vector)


def test_an_aligned_head_is_not_standardised() -> None:
    head = AlignedHead(4, 4)
    head.standardise(torch.randn(10, 4) + 3)
    assert torch.equal(head.center, torch.zeros(4))
