"""The shop's own queries: their grades come from judgements first, from actions where there is no judgement."""

import random

import numpy as np
import pytest
import torch

from catalog.products import Interaction, Judgement
from models.training.params import TrainParams
from models.training.shop_queries import ShopQueries
from tests.models.tiny_towers import tiny_shop
from tests.models.tiny_training import a_task, learn

SHOP = tiny_shop(6)  # p0 ... p5
ACTIONS = TrainParams().actions


def did(query: str | None, product: str, *actions: str) -> list[Interaction]:
    return [Interaction("u", product, action, "2026-01-01T00:00:00Z", query) for action in actions]


def queries(judgements: list[Judgement] = [], interactions: list[Interaction] = []) -> ShopQueries:  # noqa: B006
    return ShopQueries(SHOP, judgements, interactions, ACTIONS)


def grades_of(found: ShopQueries, query: str) -> list[float]:
    return found.grades([found.texts.index(query)], np.arange(len(SHOP)))[0].tolist()


def test_a_grade_counts_as_its_share_of_the_highest():
    found = queries([Judgement("bag", "p0", 4), Judgement("bag", "p3", 1), Judgement("bag", "p1", 0)])
    assert grades_of(found, "bag") == [1.0, 0, 0, 0.25, 0, 0]
    assert found.known == {"judgements": 2, "interactions": 0}


def test_actions_add_up_to_1_at_most_and_those_without_a_query_or_a_weight_say_nothing():
    found = queries(interactions=[*did("tote", "p0", "view", "click", "view"), *did("tote", "p2", "buy", "cart"),
                                  *did(None, "p4", "buy"), *did("tote", "p5", "hover")])  # fmt: skip
    assert grades_of(found, "tote") == pytest.approx([0.1 + 0.3 + 0.1, 0, 1.0, 0, 0, 0])
    assert found.texts == ["tote"]


def test_a_judgement_outweighs_what_users_did():
    found = queries([Judgement("bag", "p0", 0), Judgement("bag", "p1", 2)], did("bag ", "p0", "buy"))
    assert grades_of(found, "bag") == [0, 1.0, 0, 0, 0, 0]


def test_products_that_are_not_for_training_and_queries_that_nothing_answers_are_left_out():
    found = queries([Judgement("held out", "p99", 3), Judgement("nothing", "p1", 0), Judgement("bag", "p1", 3)])
    assert found.texts == ["bag"]


def test_a_batch_draws_one_query_of_each_row_that_answers_any():
    found = queries([Judgement("one", "p0", 1), Judgement("two", "p1", 1), Judgement("both", "p0", 1),
                     Judgement("both", "p1", 1)])  # fmt: skip
    seen = set()
    for seed in range(30):
        numbers = found.drawn(np.array([0, 1, 4]), random.Random(seed))
        assert len(numbers) == len(set(numbers)) in (1, 2)
        assert (found.grades(numbers, np.array([0, 1, 4])) > 0).any(axis=1).all()
        seen.update(found.texts[number] for number in numbers)
    assert seen == {"one", "two", "both"}


@pytest.mark.parametrize("graded", [False, True])
def test_queries_join_the_batches_and_are_learned(tmp_path, graded):
    shop = tiny_shop(32)
    judged = [
        Judgement(f"shade {one.attributes['colour'].lower()}", other.id, 2 if one.attributes == other.attributes else 1)
        for one in shop[:4]
        for other in shop
        if one.attributes == other.attributes or one.category == other.category
    ]
    weights = {"title_image": 0, "phrase_image": 0, "title_product": 0, "phrase_product": 0}
    options = {"learning_rate": 0.01, "graded": graded, "weights": weights}
    task = a_task(tmp_path, shop_queries=ShopQueries(shop, judged, [], ACTIONS), **options)
    batch = next(task.batches(0, 0))
    assert 0 < len(batch.queries) == len(batch.query_true)
    assert batch.query_true.dtype == (torch.float32 if graded else torch.bool)
    assert set(batch.queries) <= set(task.texts_of(0))
    losses = learn(task, 15)
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
