"""Composers: the family's promises, the numpy network against the torch one, what is saved and read back."""

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.errors import InvalidQuery, NotReady
from models.composer import COMPOSERS, Composer, Floats, LearnedComposer, SumComposer, load_composer, weighted_sum
from models.training.composer_network import ComposerNetwork

D, H = 6, 5


def unit(*numbers: float) -> Floats:
    vector = np.array(numbers, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def random_rows(count: int, seed: int = 0) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(count, D))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def shaken_network() -> ComposerNetwork:
    """A network whose every weight matters."""
    torch.manual_seed(0)
    network = ComposerNetwork(D, H, dropout=0.5).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.5)
    return network


EVERY: dict[str, Composer] = {
    "sum": SumComposer(),
    "learned": LearnedComposer("e" * 16, shaken_network().weights()),
}


def test_every_composer_is_tested_here() -> None:
    assert set(EVERY) == set(COMPOSERS)
    assert all(composer.name == name for name, composer in EVERY.items())


@pytest.mark.parametrize("name", COMPOSERS)
def test_share_0_is_the_photo_share_1_the_words_and_the_way_between_has_no_jump(name: str) -> None:
    photo, words = random_rows(2)
    compose = EVERY[name].compose
    assert compose(photo, words, 0.0) == pytest.approx(photo, abs=1e-6)
    assert compose(photo, words, 1.0) == pytest.approx(words, abs=1e-6)
    path = np.stack([compose(photo, words, share) for share in np.linspace(0, 1, 201)])
    assert np.linalg.norm(path, axis=1) == pytest.approx(np.ones(201), abs=1e-5)
    assert path.dtype == np.float32
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 0.05


@pytest.mark.parametrize("name", COMPOSERS)
def test_what_is_saved_is_what_is_read_back_and_the_bytes_are_the_same_each_time(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        EVERY[name].save(tmp_path / folder)
    again = load_composer(tmp_path / "one")
    photo, words = random_rows(2, seed=3)
    assert np.array_equal(again.compose(photo, words, 0.5), EVERY[name].compose(photo, words, 0.5))
    assert (again.name, again.encoder) == (name, EVERY[name].encoder)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert [(tmp_path / "one" / file).read_bytes() for file in files] == [
        (tmp_path / "two" / file).read_bytes() for file in files
    ]


def test_the_numpy_network_gives_what_the_torch_network_gives() -> None:
    network = shaken_network()
    photos, words = random_rows(20, seed=1), random_rows(20, seed=2)
    served = LearnedComposer("e", network.weights())
    with torch.no_grad():
        expected = network(torch.from_numpy(photos), torch.from_numpy(words)).numpy()
    found = np.stack([served.compose(*pair, 0.5) for pair in zip(photos, words, strict=True)])
    assert found == pytest.approx(expected, abs=1e-5)


def test_an_untrained_network_is_a_sum() -> None:
    untrained = LearnedComposer("e", ComposerNetwork(D, H, dropout=0.5).weights())
    photo, words = random_rows(2)
    assert untrained.compose(photo, words, 0.5) == pytest.approx(SumComposer().compose(photo, words, 0.5), abs=1e-6)


def test_a_sum_weighs_its_parts() -> None:
    first, second = np.eye(2, dtype=np.float32)
    assert weighted_sum([(first, 0.75), (second, 0.25)]) == pytest.approx([3 / 10**0.5, 1 / 10**0.5])
    assert SumComposer().compose(first, second, 0.25) == pytest.approx(weighted_sum([(first, 0.75), (second, 0.25)]))
    with pytest.raises(InvalidQuery, match="cancel"):
        weighted_sum([(first, 0.5), (first, -0.5)])


def test_a_gate_that_is_shut_lets_nothing_of_the_photo_through_without_a_warning() -> None:
    weights = ComposerNetwork(D, H, 0.0).weights()
    weights["gate.second.bias"] = np.full(D, -200, dtype=np.float32)  # exp(200) is beyond a float32
    photo, words = random_rows(2)
    with np.errstate(all="raise", under="ignore"):
        assert LearnedComposer("e", weights).compose(photo, words, 0.5) == pytest.approx(words, abs=1e-6)


def test_a_folder_without_a_composer_says_which_stage_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"composer\.json is missing: run the compose stage"):
        load_composer(tmp_path)
    EVERY["learned"].save(tmp_path)
    (tmp_path / "composer.npz").unlink()
    with pytest.raises(NotReady, match=r"composer\.npz is missing"):
        load_composer(tmp_path)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (('"format": 1', '"format": 2'), "has format 2, this version reads 1"),
        (('"composer": "learned"', '"composer": "magic"'), "holds no composer of this version"),
        (('"hidden": 5', '"hidden": 7'), r"does not fit composer\.json"),
        (("{", ""), "holds no composer of this version"),
    ],
)
def test_a_folder_that_is_not_of_this_version_is_refused(
    changed: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    EVERY["learned"].save(tmp_path)
    path = tmp_path / "composer.json"
    path.write_text(path.read_text().replace(*changed))
    with pytest.raises(NotReady, match=sentence):
        load_composer(tmp_path)
