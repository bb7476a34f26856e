"""Every objective: its arithmetic, that it is learned, and that it keeps still where a batch says nothing about it."""

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from catalog.media import media_id
from catalog.products import Product
from catalog.shards import write_shards
from models.training.attributes import Attributes, facet_values
from models.training.consistency import Consistency, inconsistency
from models.training.encoded import Encoded, encode, jittered
from models.training.objectives import OBJECTIVES
from models.training.task import DualEncoderTask
from tests.models.tiny_towers import COLOURS, tiny_model
from tests.models.tiny_training import a_task, learn

ONLY = {"title_image": 0, "phrase_image": 0, "title_product": 0, "phrase_product": 0}
OPTIONS: dict[str, dict[str, Any]] = {  # params that ask for each objective
    "matching": {},
    "consistency": {"consistency": 0.5},
    "attributes": {"attribute_weight": 0.5, "attribute_support": 4},
    "matryoshka": {},
    "self_supervised": {"warmup_epochs": 12},
    "distillation": {"teacher": "large", "distil_weight": 50.0},  # so much that the pairs do not matter
}
MODELS: dict[str, dict[str, Any]] = {"matryoshka": {"matryoshka": (4, 8)}}  # and where the model's are asked


def encoded_of(task: DualEncoderTask, number: int = 0, epoch: int = 0) -> Encoded:
    batch = list(task.batches(epoch, 0))[number]
    return encode(task.model, batch, task.texts, task._encode, task.params, task.teacher)


def test_every_objective_has_an_option_here():
    assert set(OPTIONS) == set(OBJECTIVES)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_objective_is_there_when_asked_for_and_falls_while_it_is_learned(tmp_path, name):
    task = a_task(tmp_path, model=tiny_model(**MODELS.get(name, {})), learning_rate=0.01, **OPTIONS[name])
    assert list(task.objectives) == list(dict.fromkeys(["matching", name]))
    before = task.objectives[name](encoded_of(task)).loss.item()
    learn(task, 12)
    value = task.objectives[name](encoded_of(task))
    assert value.parts
    assert value.loss.item() < 0.9 * before


@pytest.mark.parametrize("name", OPTIONS)
def test_an_objective_is_0_with_a_finite_gradient_where_the_batch_says_nothing(tmp_path, name):
    task = a_task(tmp_path, model=tiny_model(**MODELS.get(name, {})), **OPTIONS[name])
    full = encoded_of(task)
    nobody, nothing = full.shown[:0], full.pictures[:0]
    empty = replace(
        full, titles=nothing, phrases=nothing, pictures=nothing, second_views=nothing, shown=nobody, masked=nothing,
        words=full.words * 0, products=full.products * 0, has_words=torch.zeros_like(full.has_words),
        title_true=full.title_true[:0], phrase_true=full.phrase_true[:0], same_picture=full.same_picture[:0, :0],
        masked_true=full.masked_true[:0],
    )  # fmt: skip
    value = task.objectives[name](empty)
    assert value.loss.item() == 0 and not value.parts
    value.loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in task.module.parameters())


def test_the_loss_is_the_sum_of_the_objectives(tmp_path):
    options = {name: value for params in OPTIONS.values() for name, value in params.items()}
    model = tiny_model(**{name: value for params in MODELS.values() for name, value in params.items()})
    task = a_task(tmp_path, model=model, text_noise=0.0, photo_noise=0.0, **options)
    task.module.eval()
    for epoch, labelled in ((0, False), (12, True)):
        batch = next(task.batches(epoch, 0))
        encoded = encode(task.model, batch, task.texts, task._encode, task.params, task.teacher)
        chosen = [objective for objective in task.objectives.values() if objective.labelled == labelled]
        each = [objective(encoded).loss.item() for objective in chosen]
        assert task.step(batch).loss.item() == pytest.approx(sum(each), rel=1e-5)
        assert len(each) == (len(OPTIONS) - 1 if labelled else 1) and min(each) > 0


def test_inconsistency_by_hand_and_0_for_one_arrangement():
    pictures, words = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    # within: off-diagonal 0 against 0.6, twice; across: v0.w1 = 0.6 against v1.w0 = 0, twice; two products
    assert inconsistency(pictures, words).item() == pytest.approx((2 * 0.36 + 2 * 0.36) / 2)
    assert inconsistency(words, words).item() == 0


def test_consistency_looks_at_products_with_words_and_a_picture_only(tmp_path):
    task = a_task(tmp_path, consistency=1.0)
    encoded = next(one for one in (encoded_of(task, n) for n in range(4)) if len(one.shown) < len(one.words))
    wordless = encoded.has_words.clone()
    wordless[encoded.shown[0]] = False
    value = Consistency(2.0)(replace(encoded, has_words=wordless)).loss.item()
    expected = inconsistency(encoded.pictures[1:], encoded.words[encoded.shown][1:])
    assert value == pytest.approx(2 * expected.item(), rel=1e-5)


def test_heads_are_for_facet_values_of_fields_that_vary():
    facets = [{"colour": "Red", "year": "2011"}, {"colour": "Red"}, {"colour": "Blue", "year": "2011"},
              {"colour": "Blue", "size": "S"}, {"colour": "Pink", "year": "2012"}]  # fmt: skip
    shop = [Product(id=str(n), group_id=str(n), title="", attributes=row) for n, row in enumerate(facets)]
    assert facet_values(shop, 2) == {"colour": ["Blue", "Red"]}
    assert facet_values(shop, 1) == {"colour": ["Blue", "Pink", "Red"], "year": ["2011", "2012"]}


def test_a_facet_a_product_lacks_says_nothing_about_it(tmp_path):
    task = a_task(tmp_path, attribute_weight=1.0, attribute_support=4)
    attributes = task.objectives["attributes"]
    assert isinstance(attributes, Attributes)
    encoded = encoded_of(task)
    colour = 1  # fields are in alphabetical order: category, colour
    rows = encoded.batch.rows
    attributes.labels[rows[encoded.shown], colour] = -1
    attributes.labels[rows[encoded.shown[0]], colour] = 2
    for head in attributes.heads.values():
        nn.init.zeros_(head.weight)  # all values equally likely: the category's two, the colour's four
        nn.init.zeros_(head.bias)
    parts = attributes(encoded).parts
    assert parts["attributes_image"].item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    attributes.labels[rows, colour] = -1
    assert attributes(encoded).parts["attributes_image"].item() == pytest.approx(math.log(2))


def test_heads_read_from_the_vectors_what_training_put_there(tmp_path):
    task = a_task(tmp_path, learning_rate=0.02, attribute_weight=2.0, attribute_support=4, text_noise=0.0)
    learn(task, 25)
    task.module.eval()
    encoded, attributes = encoded_of(task), task.objectives["attributes"]
    _, colour = torch.split(attributes.heads["image"](encoded.pictures * attributes.scale), [2, 4], dim=1)
    shown = [task.products[row] for row in encoded.batch.rows[encoded.shown].tolist()]
    assert [sorted(COLOURS)[n] for n in colour.argmax(dim=1)] == [product.attributes["colour"] for product in shown]
    category, _ = torch.split(attributes.heads["text"](encoded.words * attributes.scale), [2, 4], dim=1)
    named = [task.products[row].category[-1] for row in encoded.batch.rows.tolist()]
    assert [["Bags", "Shirts"][n] for n in category.argmax(dim=1)] == named  # the words say it, the picture does not
    saved = {name for name, _ in task.model.named_parameters()}
    assert not any("heads" in name for name in saved)


def test_two_views_of_one_picture_are_positives_and_no_others(tmp_path):
    task = a_task(tmp_path, views=3, weights={"photo_photo": 1.0})
    for batch in task.batches(0, 0):
        media = [task.products[row].images[0] for row in batch.rows[batch.shown].tolist()]
        assert batch.same_picture.tolist() == [[one == other for other in media] for one in media]
        assert batch.pictures is not None and batch.second_views is not None
        assert (batch.pictures != batch.second_views).flatten(1).any(dim=1).all()  # never the same view twice
    plain = next(a_task(tmp_path / "plain").batches(0, 0))
    assert plain.second_views is None


def patchworks(count: int, media: Path) -> list[Product]:
    """Products that only their pictures tell apart: 16 squares of random colours each."""
    draw, products, pictures = np.random.default_rng(0), [], []
    for number in range(count):
        squares = draw.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(squares.repeat(4, axis=0).repeat(4, axis=1)).save(stream, "PNG")
        data = stream.getvalue()
        pictures.append((media_id(data), data))
        products.append(Product(id=str(number), group_id=str(number), title="Patchwork", images=(media_id(data),)))
    write_shards(pictures, media)
    return products


def test_photos_learn_to_find_their_other_views(tmp_path):
    shop = patchworks(24, tmp_path / "media")
    task = a_task(tmp_path, shop, learning_rate=0.01, views=3, photo_noise=0.0, weights={**ONLY, "photo_photo": 1.0})
    losses = learn(task, 20)
    assert sum(losses[-6:]) < 0.5 * sum(losses[:6])


def test_jitter_is_in_each_dimensions_own_measure():
    torch.manual_seed(0)
    features = torch.randn(400, 2) * torch.tensor([1.0, 100.0])
    moved = (jittered(features, 0.5) - features).std(dim=0) / features.std(dim=0)
    assert moved.tolist() == pytest.approx([0.5, 0.5], rel=0.15)
    assert torch.equal(jittered(features, 0.0), features)
