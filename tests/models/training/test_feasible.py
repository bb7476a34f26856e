"""A configuration that cannot learn from the snapshot is refused before anything is computed, in one sentence."""

from dataclasses import replace
from typing import Any

import pytest

from catalog.errors import InvalidParams
from catalog.products import Judgement, Product
from models.params import ModelParams
from models.training.feasible import CHECKS, Attempt, check_feasible
from models.training.params import TrainParams
from models.training.shop_queries import ShopQueries
from tests.models.tiny_towers import tiny_shop

SHOP = tiny_shop(20)
FACELESS = [replace(product, images=()) for product in SHOP]
PLAIN = [replace(product, attributes={}, category=()) for product in SHOP]
ONLY_PHOTOS = {"title_image": 0, "phrase_image": 0, "title_product": 0, "phrase_product": 0, "photo_photo": 1}
ONLY_QUERIES = ONLY_PHOTOS | {"photo_photo": 0}
FIRM = {"dropout": 0.0, "head": "linear"}

REFUSED: list[tuple[str, list[Product], dict[str, Any], dict[str, Any]]] = [
    ("asks for judgements, but the snapshot has none", SHOP, {"queries": ["judgements"]}, {}),
    ("asks for interactions, but the snapshot has none", SHOP, {"queries": ["judgements", "interactions"]}, {}),
    ("Every pair with a weight in train.weights is empty", SHOP, {"weights": ONLY_QUERIES}, {}),
    ("this snapshot can give title_image", PLAIN, {"weights": {"title_image": 0, "title_product": 0}}, {}),
    ("Every pair", FACELESS, {"weights": {"title_product": 0, "phrase_product": 0}}, {}),
    ("train.graded needs phrases about facets", PLAIN, {"graded": True}, {}),
    ("no facet has two values with 15 training products", SHOP, {"attribute_weight": 1, "attribute_support": 15}, {}),
    ("fewer than two training products have both", FACELESS, {"consistency": 0.5}, {}),
    ("photo_photo needs pictures", FACELESS, {"weights": {"photo_photo": 1}}, {}),
    ("Two views of a picture would be one and the same", SHOP, {"weights": {"photo_photo": 1}, "photo_noise": 0}, FIRM),
    ("Two views of a picture would be one and the same", SHOP, {"warmup_epochs": 1, "photo_noise": 0}, FIRM),
    ("all training products are of one", PLAIN, {"balance": 0.5}, {}),
    ("no training product has both words and a picture", FACELESS, {}, {"fusion": "gated"}),
    ("mine_every is 3 and there are only 3 epochs", SHOP, {"hard_negatives": 0.2, "epochs": 3, "mine_every": 3}, {}),
]  # fmt: skip


def attempt(products: list[Product], params: dict[str, Any], model: dict[str, Any]) -> Attempt:
    judged = [Judgement("red", "p0", 1)] if params.get("queries") == ["judgements", "interactions"] else []
    train = TrainParams.model_validate(params)
    queries = ShopQueries(products, judged, [], train.actions)
    return Attempt(ModelParams.model_validate(model), train, products, queries)


@pytest.mark.parametrize(("sentence", "products", "params", "model"), REFUSED)
def test_what_cannot_work_is_refused_in_one_sentence(sentence, products, params, model):
    with pytest.raises(InvalidParams, match=sentence) as refusal:
        check_feasible(attempt(products, params, model))
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_every_check_refuses_something():
    for check in CHECKS:
        assert any(check(attempt(products, params, model)) for _, products, params, model in REFUSED), check.__name__


@pytest.mark.parametrize(
    ("products", "params", "model"),
    [
        (SHOP, {}, {}),
        (PLAIN, {}, {}),
        (FACELESS, {}, {"fusion": "mean"}),
        (SHOP, {"graded": True, "balance": 0.5, "consistency": 0.2, "attribute_weight": 1, "attribute_support": 4}, {}),
        (SHOP, {"weights": ONLY_PHOTOS, "photo_noise": 0}, {"dropout": 0.0}),  # a residual head has its own dropout
        (SHOP, {"weights": {"photo_photo": 1}, "photo_noise": 0, "views": 2}, FIRM),
    ],
)  # fmt: skip
def test_what_can_work_is_let_through(products, params, model):
    check_feasible(attempt(products, params, model))
