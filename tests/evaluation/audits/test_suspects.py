"""Products filed under what they do not look like: planted ones are found, and variants do not vouch for each other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.products import Product
from evaluation.audits.misfiled import TABLE, file_anew, sentence, write_table
from evaluation.audits.suspects import common, nearest, suspects
from evaluation.params import MisfiledParams
from models.embeddings import ProductEmbeddings

NAMES = ("bag", "shoe", "watch")
EACH = 40


def world(seed: int = 0, spread: float = 0.35) -> tuple[np.ndarray, list[str], list[str]]:
    """Pictures around one direction for each category, every product a group of its own."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(16, 3)))[0].T
    vectors = np.repeat(centres, EACH, axis=0) + spread / 4 * rng.normal(size=(3 * EACH, 16))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit, [name for name in NAMES for _ in range(EACH)], [f"g{row}" for row in range(3 * EACH)]


@pytest.mark.parametrize("seed", range(4))
def test_products_that_were_filed_wrongly_are_found_with_what_they_look_like(seed: int) -> None:
    vectors, categories, groups = world(seed)
    planted = {3: "watch", 50: "bag", 100: "shoe"}
    filed = [planted.get(row, category) for row, category in enumerate(categories)]
    found = suspects(vectors, filed, groups, neighbours=10, shown=2)
    assert {each.row: (each.category, each.looks_like) for each in found} == {
        row: (category, categories[row]) for row, category in planted.items()
    }
    assert all(each.own < 0.2 and each.other > 0.7 for each in found)
    assert all(filed[row] == each.looks_like for each in found for row in each.like)
    assert all(len(each.like) == 2 for each in found)


@pytest.mark.parametrize("seed", range(4))
def test_where_all_is_well_filed_nobody_is_suspected(seed: int) -> None:
    assert suspects(*world(seed), neighbours=10, shown=2) == []


def test_variants_that_are_filed_wrongly_together_do_not_vouch_for_each_other() -> None:
    vectors, categories, groups = world()
    for row in range(12):
        categories[row], groups[row] = "watch", "one group"
    found = {each.row for each in suspects(vectors, categories, groups, neighbours=10, shown=2)}
    assert found == set(range(12))


def test_one_category_has_no_other_to_look_like() -> None:
    vectors, _, groups = world()
    assert suspects(vectors, ["bag"] * len(groups), groups, neighbours=10, shown=2) == []


def test_the_nearest_are_those_of_a_full_sort_without_the_own_group() -> None:
    vectors, _, _ = world(5)
    groups = [f"g{row // 3}" for row in range(len(vectors))]
    near = nearest(vectors, groups, 7)
    for row, found in enumerate(near.rows):
        cosine = vectors @ vectors[row]
        others = [other for other in np.argsort(-cosine, kind="stable") if groups[other] != groups[row]]
        np.testing.assert_allclose(cosine[found], cosine[others[:7]], atol=1e-6)


def test_where_all_are_one_group_nobody_has_a_neighbour_and_every_category_is_as_likely() -> None:
    vectors, categories, _ = world()
    near = nearest(vectors, ["one"] * len(vectors), 5)
    assert (near.rows == -1).all()
    labels = np.array([NAMES.index(category) for category in categories])
    np.testing.assert_allclose(near.shares(labels, 3), 1 / 3)


def test_shares_are_counts_of_neighbours() -> None:
    vectors, categories, groups = world(1)
    labels = np.array([NAMES.index(category) for category in categories])
    near = nearest(vectors, groups, 9)
    expected = [[np.mean(labels[row] == label) for label in range(3)] for row in near.rows]
    np.testing.assert_allclose(near.shares(labels, 3), expected)


def test_categories_that_few_share_and_none_at_all_are_not_judged() -> None:
    assert common(["bag", "bag", "hat", "", ""], least=2).tolist() == [True, True, False, False, False]


def products(categories: Sequence[str]) -> list[Product]:
    return [
        Product(id=f"p{row}", group_id=f"g{row}", title=f"Thing {row}", category=("Shop", category))
        for row, category in enumerate(categories)
    ]


def test_only_products_with_a_picture_are_judged_and_named_by_their_whole_category(
    tmp_path: Path,
) -> None:
    vectors, categories, _ = world()
    categories[3], categories[4] = "watch", "shoe"
    has_image = np.ones(len(vectors), dtype=bool)
    has_image[4] = False
    embeddings = ProductEmbeddings(
        ids=tuple(f"p{row}" for row in range(len(vectors))),
        fused=vectors,
        text=vectors,
        image=np.where(has_image[:, None], vectors, 0),
        has_text=np.ones(len(vectors), dtype=bool),
        has_image=has_image,
        encoder="e",
        snapshot="s",
    )
    filed = file_anew(products(categories), embeddings, MisfiledParams(neighbours=10))
    assert len(filed.judged) == len(vectors) - 1
    write_table(filed, tmp_path / TABLE)
    lines = (tmp_path / TABLE).read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["p3,Thing 3,Shop > watch,Shop > bag,0.00,1.00"]
    unseen = replace(embeddings, has_image=np.zeros(len(vectors), dtype=bool))
    assert file_anew(products(categories), unseen, MisfiledParams()).suspects == ()
    assert sentence({"misfiled": 1, "judged": 119}) == "1 of 119 products with a picture look like another category."
