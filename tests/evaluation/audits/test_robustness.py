"""Five phrasings of one need, and how steady the answers are, in worlds where both are known."""

from pathlib import Path

import pytest

from catalog.words.terms import TermIndex
from evaluation.audits.robustness import Need, as_questions, phrased_needs, robustness, steadiness
from evaluation.pool import PoolEngines, pool_engines
from evaluation.queries.phrasings import PHRASINGS, phrasings
from search.logic import SearchLogic
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

POOL = shop()
NAMES = TermIndex(TERMS, POOL)
NEEDS = phrased_needs(POOL, POOL, TERMS, seed=7, count=6)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> PoolEngines:
    store = media(Path(tmp_path_factory.mktemp("media")))
    encoder = FacetEncoder()
    return pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic())


def test_a_need_is_said_in_five_ways_that_all_differ_in_both_languages() -> None:
    assert {need.language for need in NEEDS} == {"en", "zh"}
    for need in NEEDS:
        assert tuple(need.texts) == PHRASINGS
        assert len(set(need.texts.values())) == len(PHRASINGS)
        assert need.texts["plain"] in need.texts["sentence"]
        assert need.grades


def test_each_phrasing_is_what_its_name_says() -> None:
    for need in NEEDS:
        facets = set(NAMES.values_named(need.texts["plain"]))
        assert facets
        assert set(NAMES.values_named(need.texts["reordered"])) >= facets
        assert not set(NAMES.values_named(need.texts["other words"])) >= facets
        plain, typo = need.texts["plain"], need.texts["misspelt"]
        assert sorted(plain) == sorted(typo)
        changed = [at for at in range(len(plain)) if plain[at] != typo[at]]
        assert len(changed) == 2
        assert changed[1] == changed[0] + 1


def test_the_same_seed_says_it_the_same_way_and_another_does_not() -> None:
    assert phrased_needs(POOL, POOL, TERMS, seed=7, count=6) == NEEDS
    assert phrased_needs(POOL, POOL, TERMS, seed=8, count=6) != NEEDS


def test_what_has_no_other_word_is_not_asked() -> None:
    assert phrasings("batch b1", [("batch", "b1")], NAMES, "zh", "s") is None
    assert phrasings("maker1 mug", [("maker", "Maker1")], NAMES, "en", "s") is None


def test_the_deviation_is_within_needs_and_the_mean_over_all() -> None:
    first, second = {"plain": 1.0, "typo": 0.0}, {"plain": 1.0, "typo": 1.0}
    row = steadiness("en", "engine", [first, second], seed=1, rounds=100)
    assert row.mean == pytest.approx((1 + 0 + 1 + 1) / 4)
    assert row.deviation == pytest.approx(((0.25 + 0.0) / 2) ** 0.5)  # variances .25 and 0
    assert row.by_phrasing == {"plain": 1.0, "typo": 0.5}
    assert row.worst_phrasing == "typo"
    assert row.mean_of_worst == pytest.approx((0.0 + 1.0) / 2)
    assert row.needs == 2


def test_needs_of_unequal_difficulty_said_steadily_have_no_deviation() -> None:
    rows = [{"plain": value, "typo": value} for value in (0.1, 0.5, 0.9)]
    assert steadiness("zh", "dense", rows, seed=1, rounds=100).deviation == pytest.approx(0.0)


def test_an_encoder_that_knows_the_shops_words_alone_is_steady_exactly_where_they_are_said(
    engines: PoolEngines,
) -> None:
    told = robustness(engines, NEEDS, [product.id for product in POOL], seed=7, rounds=100)
    rows = {(row.language, row.system): row for row in told.rows}
    assert set(rows) == {
        (language, system) for language in ("en", "zh") for system in ("engine", "dense", "image", "as_served")
    }
    for language in ("en", "zh"):
        dense = rows[(language, "dense")]
        assert dense.by_phrasing["plain"] > 0.95
        assert dense.by_phrasing["reordered"] == pytest.approx(dense.by_phrasing["plain"])
        assert dense.by_phrasing["sentence"] == pytest.approx(dense.by_phrasing["plain"])
        assert dense.by_phrasing["other words"] < dense.by_phrasing["plain"] - 0.1
        assert dense.worst_phrasing in ("other words", "misspelt")
        assert dense.mean_of_worst < dense.mean
        assert dense.deviation > 0
    assert told.shaky
    assert all(need.deviation > 0 for need in told.shaky)


def test_every_phrasing_is_a_question_with_the_answers_of_its_need() -> None:
    need = Need("n1", "en", dict.fromkeys(PHRASINGS, "red dress"), {"p001": 1})
    questions = as_questions([need], ["p001", "p002"])
    assert [query.query_id for query in questions.queries] == [f"n1:{name}" for name in PHRASINGS]
    assert {query.kind for query in questions.queries} == {"attribute_en"}
    assert all(questions.judgements[query.query_id] == {"p001": 1} for query in questions.queries)
