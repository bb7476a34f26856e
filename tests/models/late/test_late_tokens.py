"""MaxSim in numpy: equal to its definition, whatever the order of tokens, within the error of its storage."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.late.max_sim import best_of_places, best_of_words, coded, scale_of
from models.late.tokens import ProductTokens, saved_ids
from models.late.words import MOST_WORDS, words_of

RNG = np.random.default_rng(3)
W, J = 16, 10
VOCABULARY = ["bag", "blue", "red", "shoe", "strap"]
BOTH = frozenset({"image", "text"})


def units(*shape: int) -> np.ndarray:
    vectors = RNG.normal(size=(*shape, W))
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def some_tokens() -> ProductTokens:
    """a: picture and title; b: title alone; c: picture alone; d: neither; e: both, a title of one word."""
    places = units(3, J)
    scale = scale_of(np.abs(places).max(axis=(0, 1)))
    return ProductTokens(
        ids=["a", "b", "c", "d", "e"],
        pictures=np.array([0, -1, 1, -1, 2]),
        counts=np.array([3, 2, 0, 0, 1]),
        places=coded(places, scale),
        scale=scale,
        vocabulary=VOCABULARY,
        words=units(5) * np.linspace(0.5, 1.9, 5, dtype=np.float32)[:, None],
        titles=np.array([2, 0, 4, 1, 3, 0], dtype=np.int32),
    )


def brute(tokens: ProductTokens, query: np.ndarray, product: str, seen: frozenset[str]) -> float | None:
    """The formula, token by token."""
    row = tokens.ids.index(product)
    own = []
    if "image" in seen and tokens.pictures[row] >= 0:
        own += [place * tokens.scale for place in tokens.places[tokens.pictures[row]].astype(np.float32)]
    if "text" in seen:
        first = int(tokens.counts[:row].sum())
        words = [tokens.words[at] for at in tokens.titles[first : first + tokens.counts[row]]]
        own += [word / np.linalg.norm(word) for word in words]
    if not own:
        return None
    return sum(max(float(each @ token) for token in own) for each in query) / len(query)


def test_max_sim_by_hand():
    """q1 meets (1, 0) best, q2 = (0, 2) meets (0.6, 0.8) best: (1 + 1.6) / 2."""
    words = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    query = np.array([[1, 0], [0, 2]], dtype=np.float32)
    best = best_of_words(query, words, np.array([0, 0]), 1)
    assert best[0].tolist() == pytest.approx([1.0, 1.6])
    assert best.mean() == pytest.approx(1.3)


@pytest.mark.parametrize("seen", [BOTH, frozenset({"image"}), frozenset({"text"}), frozenset()])
@pytest.mark.parametrize("count", [1, 4])
def test_the_fast_way_is_the_formula(seen: frozenset[str], count: int):
    tokens, query = some_tokens(), units(count)
    ids = ["e", "a", "nobody", "d", "c", "b"]
    expected = {each: brute(tokens, query, each, seen) for each in ids if each != "nobody"}
    found = tokens.scores(query, ids, seen)
    assert found == pytest.approx({each: score for each, score in expected.items() if score is not None}, abs=1e-5)


def test_who_has_nothing_to_look_at_gets_no_score():
    tokens, query = some_tokens(), units(2)
    ids = list(tokens.ids)
    assert set(tokens.scores(query, ids, frozenset({"image"}))) == {"a", "c", "e"}
    assert set(tokens.scores(query, ids, frozenset({"text"}))) == {"a", "b", "e"}
    assert set(tokens.scores(query, ids, BOTH)) == {"a", "b", "c", "e"}
    assert tokens.scores(np.zeros((0, W), dtype=np.float32), ids, BOTH) == {}
    assert tokens.scores(query, [], BOTH) == {}


def test_the_order_of_tokens_and_of_candidates_does_not_matter():
    tokens, query = some_tokens(), units(4)
    ids = list(tokens.ids)
    before = tokens.scores(query, ids, BOTH)
    turned = ProductTokens(
        **{**vars_of(tokens), "places": tokens.places[:, ::-1], "titles": np.array([4, 0, 2, 3, 1, 0], dtype=np.int32)}
    )
    assert turned.scores(query[::-1], ids[::-1], BOTH) == pytest.approx(before, abs=1e-6)


def vars_of(tokens: ProductTokens) -> dict[str, object]:
    return {name: getattr(tokens, name) for name in ProductTokens.__dataclass_fields__}


def test_codes_differ_from_what_they_store_by_half_a_scale_at_most():
    vectors = units(200)
    scale = scale_of(np.abs(vectors).max(axis=0))
    assert (np.abs(coded(vectors, scale) * scale - vectors) <= scale / 2 + 1e-7).all()


def test_stored_scores_are_within_the_error_bound_of_exact_ones():
    """|q . p - q . stored p| <= sum over dimensions of |q_d| scale_d / 2, and so is the error of a maximum."""
    places, query = units(50, J), units(6)
    scale = scale_of(np.abs(places).max(axis=(0, 1)))
    stored = best_of_places(query, coded(places, scale), scale)
    exact = (places @ query.T).max(axis=1)
    bound = (np.abs(query) * scale / 2).sum(axis=1)
    assert (np.abs(stored - exact) <= bound + 1e-6).all()
    assert np.abs(stored - exact).max() < 0.01


def test_a_dimension_that_is_always_zero_stays_zero():
    scale = scale_of(np.array([0.0, 0.5], dtype=np.float32))
    assert coded(np.array([[0.0, 0.5]], dtype=np.float32), scale).tolist() == [[0, 127]]


def test_what_was_saved_is_what_is_loaded_and_places_are_mapped(tmp_path: Path):
    tokens = some_tokens()
    tokens.save(tmp_path)
    again = ProductTokens.load(tmp_path)
    query, ids = units(3), list(tokens.ids)
    assert again.scores(query, ids, BOTH) == tokens.scores(query, ids, BOTH)
    assert isinstance(again.places, np.memmap)
    assert again.known == {word: row for row, word in enumerate(VOCABULARY)}


def test_a_product_costs_a_byte_for_each_number_of_its_places_and_four_for_each_word():
    tokens = some_tokens()
    assert tokens.bytes_a_product == (3 * J * W + 6 * 4) / 5


def test_words_are_folded_distinct_and_not_too_many():
    assert words_of("Red red SHOES for women's") == ("red", "shoe", "for", "woman")
    assert "红色" in words_of("红色连衣裙")
    assert words_of("!!!") == ()
    assert len(words_of(" ".join(f"w{n}" for n in range(100)))) == MOST_WORDS
    assert words_of("a1 b2 c3", 2) == ("a1", "b2")


def test_the_tokens_of_a_release_are_read_without_what_the_service_has_no_other_use_for(tmp_path: Path):
    some_tokens().save(tmp_path)
    assert saved_ids(tmp_path) == ["a", "b", "c", "d", "e"]
    code = (
        "import sys; from pathlib import Path; from models.late.tokens import ProductTokens, saved_ids\n"
        "ProductTokens.load(Path(sys.argv[1])); saved_ids(Path(sys.argv[1]))\n"
        "sys.exit('pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
