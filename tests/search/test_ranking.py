"""Fusion, with its arithmetic; and the settings that travel with a release."""

from pathlib import Path

import pytest

from catalog.errors import NotReady
from search.ranking import LEGS_OF_KIND, Ranking, fuse, reciprocal_ranks, scaled_scores

ALL = frozenset({"dense", "image", "text", "lexical"})
WORDS = frozenset({"dense", "text", "lexical"})


def test_cosines_are_scaled_from_the_last_candidate_at_0_to_the_best_at_1():
    assert scaled_scores("dense", [("a", 0.9), ("b", 0.5), ("c", 0.1)]) == pytest.approx({"a": 1.0, "b": 0.5, "c": 0.0})


def test_cosines_that_lie_close_together_are_not_torn_apart():
    # a span of 0.02 counts as 0.1: b is 0.02 / 0.1 below the best
    assert scaled_scores("dense", [("a", 0.52), ("b", 0.50)]) == pytest.approx({"a": 1.0, "b": 0.8})
    assert scaled_scores("image", [("a", 0.5)]) == {"a": 1.0}


def test_bm25_is_a_share_of_the_best():
    assert scaled_scores("lexical", [("a", 8.0), ("b", 2.0)]) == pytest.approx({"a": 1.0, "b": 0.25})


def test_reciprocal_ranks_start_at_1():
    assert reciprocal_ranks("dense", [("a", 9.0), ("b", 1.0)]) == pytest.approx({"a": 61 / 61, "b": 61 / 62})


def test_the_fused_score_is_the_weighted_mean_over_the_legs():
    candidates = {"dense": [("a", 0.8), ("b", 0.3)], "lexical": [("b", 4.0), ("c", 1.0)]}
    fused = fuse(candidates, {"dense": 0.75, "lexical": 0.25}, {"a": ALL, "b": ALL, "c": ALL})
    # a: .75 * 1 + .25 * 0    b: .75 * 0 + .25 * 1    c: .75 * 0 + .25 * 1/4
    assert fused == [("a", 0.75), ("b", 0.25), ("c", 0.0625)]


def test_a_product_without_a_picture_is_judged_by_its_words_alone():
    candidates = {
        "image": [("pictured", 0.9), ("other", 0.1)],
        "text": [("plain", 0.9), ("pictured", 0.5), ("other", 0.1)],
    }
    weights = {"image": 0.5, "text": 0.5}
    fused = dict(fuse(candidates, weights, {"pictured": ALL, "other": ALL, "plain": WORDS}))
    assert fused["plain"] == 1.0  # .5 * 1 / .5
    assert fused["pictured"] == 0.75  # (.5 * 1 + .5 * .5) / 1
    punished = dict(fuse(candidates, weights, {"pictured": ALL, "other": ALL, "plain": ALL}))
    assert punished["plain"] == 0.5  # what it would get as a product whose picture does not match


def test_equal_scores_come_in_the_order_of_ids():
    candidates = {"dense": [("b", 0.5), ("a", 0.5), ("c", 0.5)]}
    assert [each for each, _ in fuse(candidates, {"dense": 1.0}, dict.fromkeys("abc", ALL))] == ["a", "b", "c"]


def test_nothing_retrieved_is_nothing_ranked():
    assert fuse({"dense": [], "lexical": []}, {"dense": 1.0, "lexical": 1.0}, {}) == []
    assert fuse({}, {}, {}) == []


def test_rrf_looks_at_ranks_alone():
    candidates = {"dense": [("a", 0.9), ("b", 0.1)], "lexical": [("b", 9.0)]}
    fused = fuse(candidates, {"dense": 0.5, "lexical": 0.5}, {"a": ALL, "b": ALL}, "rrf")
    assert fused == [("b", pytest.approx(0.5 * 61 / 62 + 0.5, abs=1e-6)), ("a", 0.5)]


def test_settings_come_back_from_disk_as_they_were(tmp_path: Path):
    ranking = Ranking(fusion="rrf", candidates=50)
    ranking.save(tmp_path / "new" / "ranking.json")
    assert Ranking.load(tmp_path / "new" / "ranking.json") == ranking


def test_missing_and_wrong_settings_are_refused_with_a_sentence(tmp_path: Path):
    with pytest.raises(NotReady, match="run the tune stage"):
        Ranking.load(tmp_path / "ranking.json")
    (tmp_path / "ranking.json").write_text('{"weights": {"text": {"dense": 1, "smell": 1}}}')
    with pytest.raises(NotReady, match="text queries have no leg smell"):
        Ranking.load(tmp_path / "ranking.json")


@pytest.mark.parametrize("weights", [{}, {"dense": 0.0}, {"dense": -1.0}, {"dense": float("nan")}, {"lexical": 1.0}])
def test_weights_that_cannot_rank_are_refused(weights: dict[str, float]):
    with pytest.raises(ValueError):
        Ranking(weights={**Ranking().weights, "image": weights})


def test_legs_that_a_caller_names_keep_their_weights_or_share_equally():
    ranking = Ranking(weights={**Ranking().weights, "text": {"dense": 0.7, "lexical": 0.3, "image": 0.0}})
    assert ranking.weights_for("text") == {"dense": 0.7, "lexical": 0.3}
    assert ranking.weights_for("text", ("dense", "image")) == {"dense": 0.7, "image": 0.0}
    assert ranking.weights_for("text", ("image", "text")) == {"image": 1.0, "text": 1.0}


def test_every_kind_of_query_has_weights_by_default():
    assert set(Ranking().weights) == set(LEGS_OF_KIND)
