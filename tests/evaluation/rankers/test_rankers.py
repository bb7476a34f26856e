"""What every ranker must do, trained on a world where it is known what makes a product relevant."""

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import NotReady
from evaluation.rankers.examples import Examples
from evaluation.rankers.network import layers, weights_of
from evaluation.rankers.params import NetworkParams, RankParams, TreeParams
from evaluation.rankers.rank import TRAINERS
from search.ranking.features import FEATURES
from search.ranking.neural import Network, inputs_of
from search.ranking.ranker import Ranker, RankerName
from search.ranking.rerank import RANKERS

NAMES = FEATURES[:4]
PARAMS = RankParams(lambdamart=TreeParams(trees=40, leaves=7, rows=5), neural=NetworkParams(epochs=20, batch=8))


def world(queries: int = 40, candidates: int = 20, seed: int = 0) -> Examples:
    """The best three by feature 0 have grade 3, but feature 1 turns its sign; 2 is noise, 3 half known noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(queries * candidates, 4))
    turned = np.repeat(rng.choice([-1.0, 1.0], size=queries), candidates)
    features[:, 1] = turned
    features[::2, 3] = np.nan
    worth = (features[:, 0] * turned).reshape(queries, candidates)
    grades = np.where(worth.argsort(axis=1).argsort(axis=1) >= candidates - 3, 3, 0).reshape(-1)
    return Examples(features, grades, np.full(queries, candidates), np.ones(queries))


@pytest.fixture(scope="module", params=sorted(TRAINERS))
def name(request: pytest.FixtureRequest) -> RankerName:
    """Every member of the family: what follows holds for each of them."""
    each: RankerName = request.param
    return each


@pytest.fixture(scope="module")
def ranker(name: RankerName) -> Ranker:
    return TRAINERS[name](world(), NAMES, PARAMS)


def test_what_can_be_trained_can_be_served():
    assert set(TRAINERS) == set(RANKERS)


def test_it_finds_what_makes_a_product_relevant(ranker: Ranker):
    unseen = world(seed=1)
    scores = ranker.scores(unseen.features).reshape(40, 20)
    best = np.take_along_axis(unseen.grades.reshape(40, 20), scores.argsort(axis=1)[:, -3:], axis=1)
    assert (best == 3).mean() > 0.8  # by chance 3 of 20


def test_what_the_features_add_sums_to_the_score(ranker: Ranker):
    features = world(seed=2).features
    added = ranker.contributions(features)
    assert added.shape == (len(features), len(NAMES) + 1)
    np.testing.assert_allclose(added.sum(axis=1), ranker.scores(features), atol=1e-9)


def test_nothing_known_is_a_score_too(ranker: Ranker):
    nothing = np.full((3, len(NAMES)), np.nan)
    assert np.isfinite(ranker.scores(nothing)).all()
    assert np.isfinite(ranker.contributions(nothing)).all()


def test_a_row_scores_the_same_alone_and_among_others(ranker: Ranker):
    features = world(queries=2).features
    alone = [ranker.scores(row[None])[0] for row in features]
    np.testing.assert_allclose(ranker.scores(features), alone, rtol=1e-12)


def test_it_comes_back_from_disk_as_it_was_in_the_same_bytes(name: RankerName, ranker: Ranker, tmp_path: Path):
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        ranker.save(folder)
    features = world(seed=3).features
    again = RANKERS[name](tmp_path / "one", NAMES)
    assert again.features == NAMES
    assert (again.scores(features) == ranker.scores(features)).all()
    (one,), (other,) = ([*folder.iterdir()] for folder in (tmp_path / "one", tmp_path / "other"))
    assert one.read_bytes() == other.read_bytes()


def test_the_same_examples_give_the_same_ranker(name: RankerName, ranker: Ranker):
    features = world(seed=4).features
    assert (TRAINERS[name](world(), NAMES, PARAMS).scores(features) == ranker.scores(features)).all()


def test_a_question_that_weighs_nothing_teaches_nothing(name: RankerName):
    """Half of the questions say the opposite, and do not count."""
    right, wrong = world(20), world(20, seed=9)
    turned = wrong.features * [-1.0, 1.0, 1.0, 1.0]
    mixed = Examples(
        np.concatenate([right.features, turned]),
        np.concatenate([right.grades, wrong.grades]),
        np.concatenate([right.sizes, wrong.sizes]),
        np.repeat([2.0, 0.0], 20),
    )
    unseen = world(seed=1)
    scores = TRAINERS[name](mixed, NAMES, PARAMS).scores(unseen.features).reshape(40, 20)
    best = np.take_along_axis(unseen.grades.reshape(40, 20), scores.argsort(axis=1)[:, -3:], axis=1)
    assert (best == 3).mean() > 0.6


def test_a_model_of_other_features_or_none_is_refused(name: RankerName, ranker: Ranker, tmp_path: Path):
    with pytest.raises(NotReady, match="run the rank stage"):
        RANKERS[name](tmp_path, NAMES)
    ranker.save(tmp_path)
    with pytest.raises(NotReady, match="4 features, and 5 are named"):
        RANKERS[name](tmp_path, FEATURES[:5])


def test_the_network_in_numpy_is_the_network_in_torch():
    import torch

    features = world(seed=5).features
    mean, spread = np.nanmean(features, axis=0), np.nanstd(features, axis=0)
    module = layers(2 * len(NAMES), 8, 4, torch.Generator().manual_seed(1))
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(2))
    served = Network(weights_of(module, mean, spread), NAMES)
    inputs = torch.from_numpy(inputs_of(features, mean, spread)).requires_grad_()
    scores = module(inputs).squeeze(1)
    np.testing.assert_allclose(served.scores(features), scores.detach().numpy(), rtol=1e-12)
    scores.sum().backward()
    assert inputs.grad is not None
    known, missing = np.split((inputs.grad * inputs).detach().numpy(), 2, axis=1)
    np.testing.assert_allclose(served.contributions(features)[:, :-1], known + missing, atol=1e-12)
