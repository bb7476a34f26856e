"""Fusion, with its arithmetic; and the settings that travel with a release."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog.errors import NotReady
from search.ranking import FUSIONS, LEGS_OF_KIND, FusionName, KindOdds, LegOdds, Ranking, fuse, leg_shares
from search.ranking.fusion import borda_votes, reciprocal_ranks, scaled_scores

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


def test_votes_count_the_candidates_left_behind():
    assert borda_votes("image", [("a", 0.9), ("b", 0.2), ("c", 0.1), ("d", 0.0)]) == pytest.approx(
        {"a": 4 / 4, "b": 3 / 4, "c": 2 / 4, "d": 1 / 4}
    )


def test_naive_bayes_adds_up_what_each_leg_says():
    odds = KindOdds(
        prior=-3.0,
        legs={
            "dense": LegOdds(slope=2.0, offset=0.5, absent=-1.0),
            "image": LegOdds(slope=1.0, offset=0.0, absent=-2.0),
        },
    )
    candidates = {"dense": [("a", 0.9), ("b", 0.5)], "image": [("a", 0.6), ("c", 0.1)]}
    fused = fuse(candidates, {}, {"a": ALL, "b": ALL, "c": frozenset({"image"})}, "naive_bayes", odds)
    # a: -3 + (.5 + 2 x 1) + (0 + 1 x 1)   c: -3 + (0 + 1 x 0), dense cannot find it   b: -3 + (.5 + 2 x 0) - 2
    assert fused == [("a", 0.5), ("c", -3.0), ("b", -4.5)]


@pytest.fixture(params=FUSIONS)
def fusion(request: pytest.FixtureRequest) -> FusionName:
    """Every member of the family: what follows holds for each of them."""
    name: FusionName = request.param
    return name


FOUND = {
    "dense": [("a", 0.9), ("plain", 0.8), ("b", 0.4), ("c", 0.1)],
    "image": [("c", 0.7), ("a", 0.6), ("b", 0.5)],
    "lexical": [("plain", 7.0), ("b", 3.0)],
}
ABLE = {"a": ALL, "b": ALL, "c": ALL, "plain": WORDS}
WEIGHTS = {"dense": 0.3, "image": 0.5, "lexical": 0.2}


def test_the_order_of_the_legs_does_not_matter(fusion: FusionName):
    turned = dict(reversed(FOUND.items()))
    assert list(turned) != list(FOUND)
    assert fuse(turned, WEIGHTS, ABLE, fusion) == fuse(FOUND, WEIGHTS, ABLE, fusion)


def test_every_candidate_is_ranked_once_best_first(fusion: FusionName):
    fused = fuse(FOUND, WEIGHTS, ABLE, fusion)
    assert sorted(product_id for product_id, _ in fused) == ["a", "b", "c", "plain"]
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


def test_a_product_that_lacks_a_leg_is_not_pushed_down(fusion: FusionName):
    """`plain` has no picture: it stands no lower than if it had one that nobody finds."""
    lacking = dict(fuse(FOUND, WEIGHTS, ABLE, fusion))
    unfound = dict(fuse(FOUND, WEIGHTS, {**ABLE, "plain": ALL}, fusion))
    assert lacking["plain"] > unfound["plain"]
    assert {each: lacking[each] for each in "abc"} == {each: unfound[each] for each in "abc"}


def test_a_better_score_in_a_leg_never_pushes_a_product_down(fusion: FusionName):
    better = {**FOUND, "image": [("b", 0.8), ("c", 0.7), ("a", 0.6)]}
    assert dict(fuse(better, WEIGHTS, ABLE, fusion))["b"] > dict(fuse(FOUND, WEIGHTS, ABLE, fusion))["b"]


def test_equal_products_come_in_the_order_of_ids(fusion: FusionName):
    """Twins that no leg tells apart: each leg puts another one of them first, as two legs may."""
    twins = {"dense": [("a", 0.5), ("b", 0.5)], "image": [("b", 0.5), ("a", 0.5)]}
    fused = fuse(twins, {"dense": 0.5, "image": 0.5}, {"a": ALL, "b": ALL}, fusion)
    assert [product_id for product_id, _ in fused] == ["a", "b"]
    assert fused[0][1] == fused[1][1]


def test_what_the_legs_add_sums_to_the_score(fusion: FusionName):
    shares = leg_shares(FOUND, WEIGHTS, ABLE, fusion)
    for product_id, score in fuse(FOUND, WEIGHTS, ABLE, fusion):
        assert sum(shares[product_id].values()) == pytest.approx(score, abs=1e-6)
    assert "image" not in shares["plain"]


def test_no_candidates_are_an_empty_list(fusion: FusionName):
    assert fuse({"dense": [], "lexical": []}, {"dense": 1.0, "lexical": 1.0}, {}, fusion) == []


def test_settings_come_back_from_disk_as_they_were(tmp_path: Path):
    ranking = Ranking(fusion="naive_bayes", candidates=50, odds={"text": KindOdds(legs={"dense": LegOdds(slope=7)})})
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


def test_odds_that_would_push_a_found_product_down_are_refused():
    with pytest.raises(ValueError, match="'absent' may not be above"):
        LegOdds(slope=1.0, offset=-2.0, absent=-1.0)
    with pytest.raises(ValueError, match="image queries have no leg lexical"):
        Ranking(odds={"image": KindOdds(legs={"lexical": LegOdds()})})


def test_legs_that_a_caller_names_keep_their_weights_or_share_equally():
    ranking = Ranking(weights={**Ranking().weights, "text": {"dense": 0.7, "lexical": 0.3, "image": 0.0}})
    assert ranking.weights_for("text") == {"dense": 0.7, "lexical": 0.3}
    assert ranking.weights_for("text", ("dense", "image")) == {"dense": 0.7, "image": 0.0}
    assert ranking.weights_for("text", ("image", "text")) == {"image": 1.0, "text": 1.0}


def test_every_kind_of_query_has_weights_by_default():
    assert set(Ranking().weights) == set(LEGS_OF_KIND) - {"names"}  # unless tuning tells them apart


def test_words_that_say_more_than_attributes_are_a_kind_of_their_own_where_they_have_weights():
    plain = Ranking()
    assert plain.kind_of("text", told=False) == plain.kind_of("text", told=True) == "text"
    names = {"lexical": 0.8, "dense": 0.2}
    apart = Ranking(weights={**plain.weights, "names": names}, late={"text": 0.3, "text to pictures": 0.6}, hubness=0.5)
    assert [apart.kind_of("text", told) for told in (True, False)] == ["text", "names"]
    assert apart.kind_of("image", told=False) == "image"
    assert apart.weights_for("names") == {"dense": 0.2, "lexical": 0.8}
    assert apart.late_share("names", {"image", "text"}) == 0.3
    assert apart.late_share("names", {"image"}) == 0.6
    assert apart.hub_strength("names", ("image",)) == 0.5
    assert apart.hub_strength("names", ("image", "dense")) == 0.0
    with pytest.raises(ValidationError, match="one of them above 0"):
        Ranking(weights={**plain.weights, "names": {"lexical": 0.0}})
