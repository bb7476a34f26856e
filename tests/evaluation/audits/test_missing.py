"""evaluation/audits/missing.py: what a lost picture or lost words cost, in a world where the answer is known."""

import numpy as np
import pytest

from evaluation.audits.missing import Lost, MissingScore, missing_scores, nearest, still_there
from models.embeddings import Floats, Mask, ProductEmbeddings

COUNT = 400
IDS = [f"p{number:03}" for number in range(COUNT)]


class Mean:
    """Adds what is there up; counts how often it is asked."""

    asked = 0

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        assert text is not None and image is not None
        self.asked += 1
        total = text * has_text[:, None] + image * has_image[:, None]
        fused: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        return fused


def world(words_tell: bool, pictures_tell: bool, without_image: int = 0) -> ProductEmbeddings:
    """Product i is dimension i of 2 * COUNT; what does not tell is dimension COUNT + i, which no query asks for.

    The last `without_image` products have no picture.
    """
    own, useless = np.eye(2 * COUNT, dtype=np.float32)[:COUNT], np.eye(2 * COUNT, dtype=np.float32)[COUNT:]
    has_image = np.arange(COUNT) < COUNT - without_image
    text, image = own if words_tell else useless, (own if pictures_tell else useless) * has_image[:, None]
    return ProductEmbeddings(IDS, text, text, image, np.ones(COUNT, dtype=bool), has_image, "e", "s")


QUERIES = {f"q{number:03}": np.eye(2 * COUNT, dtype=np.float32)[number] for number in range(COUNT)}
JUDGEMENTS = {f"q{number:03}": {IDS[number]: 1} for number in range(COUNT)}


def table(embeddings: ProductEmbeddings, **more: object) -> dict[tuple[Lost, float], MissingScore]:
    rows = missing_scores(Mean(), embeddings, QUERIES, JUDGEMENTS, "known", **more)  # type: ignore[arg-type]
    return {(row.lost, row.share): row for row in rows}


def test_a_lost_modality_that_tells_nothing_costs_nothing() -> None:
    rows = table(world(words_tell=True, pictures_tell=False))
    assert {key: row.recall for key, row in rows.items() if key[0] == "image"} == {
        ("image", 0.0): 1.0,
        ("image", 0.25): 1.0,
        ("image", 0.5): 1.0,
    }


def test_a_product_that_lost_all_that_tells_of_it_is_found_no_more() -> None:
    rows = table(world(words_tell=False, pictures_tell=True))
    for share in (0.25, 0.5):
        row = rows["image", share]
        found = COUNT - row.products + found_by_chance(share)
        assert row.recall == pytest.approx(found / COUNT)
        assert row.recall_lost == pytest.approx(1 - row.recall) and row.ndcg_lost > 0.8 * share
        assert row.products == pytest.approx(share * COUNT, abs=30)
        assert rows["text", share].recall == 1.0
        assert 0 < rows["either", share].recall_lost < row.recall_lost
    assert rows["image", 0.25].recall_lost < rows["image", 0.5].recall_lost


def found_by_chance(share: float) -> int:
    """Who lost the picture scores 0, as all others do for that query, and ten of equals are found: the first by id."""
    _, has_image = still_there(world(False, True), "image", share, seed=7)
    return int((~has_image[:10]).sum())


@pytest.mark.parametrize("lost", ["image", "text", "either"])
def test_only_products_with_both_lose_one_and_more_lose_what_fewer_lost(lost: Lost) -> None:
    embeddings = world(True, True, without_image=100)
    before = np.array([embeddings.has_text, embeddings.has_image])
    quarter, half = (np.array(still_there(embeddings, lost, share, 7)) for share in (0.25, 0.5))
    assert (half <= quarter).all() and (quarter <= before).all()
    assert (half[0] | half[1]).all() and half[0][300:].all()  # nobody loses the only one
    share = (before & ~half).any(axis=0).sum() / 300
    assert share == pytest.approx(0.5, abs=0.08)
    taken = (before & ~half).sum(axis=1).tolist()
    assert [count > 0 for count in taken] == [lost in ("text", "either"), lost in ("image", "either")]


def test_the_seed_says_who_loses() -> None:
    embeddings = world(True, True)
    first, again, other = (still_there(embeddings, "image", 0.5, seed)[1] for seed in (7, 7, 8))
    assert (first == again).all() and (first != other).any()


def test_share_0_is_always_measured_and_each_setting_fused_once() -> None:
    encoder = Mean()
    rows = missing_scores(encoder, world(True, True), QUERIES, JUDGEMENTS, "known", shares=(0.5,))
    assert [(row.lost, row.share) for row in rows] == [
        (lost, share) for lost in ("image", "text", "either") for share in (0.0, 0.5)
    ]
    assert encoder.asked == 6 and {row.n for row in rows} == {COUNT}
    assert all(row.products == 0 and row.recall_lost == row.ndcg_lost == 0.0 for row in rows if row.share == 0)


def test_what_is_not_there_is_never_an_answer() -> None:
    products = np.array([[1.0, 0.0], [0.9, 0.1], [1.0, 0.0]], dtype=np.float32)
    there = np.array([True, False, True])
    ranked = nearest({"q": np.array([1.0, 0.0], dtype=np.float32)}, products, ["b", "x", "a"], there)
    assert ranked == {"q": [("a", 1.0), ("b", 1.0)]}


def test_without_queries_there_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="mean of no query"):
        missing_scores(Mean(), world(True, True), {}, {}, "known")
