"""Variants share a group, a group is never cut, and a group never changes its split."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.products import Product
from catalog.rows.groups import group_key
from catalog.splits import SplitParams, split_of, split_products


@pytest.mark.parametrize(
    "titles",
    [
        ("Acme Men Blue Shirt", "ACME red shirts for women"),
        ("Acme Light Blue Shirt XL", "Acme Navy Blue Shirt size M"),
        ("Acme Shirt 42", "Acme Shirt 38"),
        ("Acme 红色女款连衣裙 大号", "Acme 藏青色男士连衣裙"),
    ],
)
def test_colour_size_gender_and_numbers_do_not_make_a_new_group(titles: tuple[str, str]) -> None:
    keys = {group_key(title, {}).replace(" for", "") for title in titles}
    assert len(keys) == 1 and "" not in keys


def test_a_word_that_only_this_shop_calls_a_colour_is_left_out_too() -> None:
    assert group_key("Acme Zephyr Shirt", {"colour": "Zephyr"}) == "acme shirt"
    assert group_key("Acme Zephyr Shirt", {"fit": "Zephyr"}) == "acme zephyr shirt"


def test_different_products_are_different_groups() -> None:
    assert group_key("Acme Striped Shirt", {}) != group_key("Acme Checked Shirt", {})


def test_a_title_of_nothing_else_has_no_key() -> None:
    assert group_key("Red XL 42", {}) == ""


def test_the_split_of_known_groups_never_changes() -> None:
    params = SplitParams(seed=7, validation=0.08, test=0.105, ranking=0.06)
    splits = [split_of(f"group-{n}", params) for n in range(2000)]
    assert splits == [split_of(f"group-{n}", params) for n in range(2000)]
    assert abs(splits.count("test") / 2000 - 0.105) < 0.02
    assert abs(splits.count("validation") / 2000 - 0.08) < 0.02
    assert abs(splits.count("ranking") / 2000 - 0.06) < 0.02
    assert splits[:8] == ["train", "train", "train", "train", "train", "train", "validation", "train"]


@given(st.text(max_size=30), st.floats(0, 0.5), st.floats(0.0, 0.2))
def test_a_larger_test_share_only_moves_groups_into_test(group: str, test: float, more: float) -> None:
    if split_of(group, SplitParams(test=test, validation=0.1)) == "test":
        assert split_of(group, SplitParams(test=test + more, validation=0.1)) == "test"


@given(st.text(max_size=30), st.floats(0.0, 0.5))
def test_the_ranking_split_is_taken_from_training_alone(group: str, share: float) -> None:
    without, with_it = split_of(group, SplitParams(ranking=0.0)), split_of(group, SplitParams(ranking=share))
    assert with_it == without or (without, with_it) == ("train", "ranking")


def test_products_of_a_group_stay_together() -> None:
    products = [Product(str(n), f"group-{n % 40}", "x") for n in range(400)]
    splits = split_products(products, SplitParams(test=0.3, validation=0.3))
    groups = {name: {product.group_id for product in members} for name, members in splits.items()}
    assert sum(map(len, splits.values())) == 400
    assert not any(groups[one] & groups[other] for one, other in combinations(groups, 2))


def test_shares_that_leave_nothing_for_training_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing to train on"):
        SplitParams(validation=0.5, test=0.4, ranking=0.1)
