"""The warm-up needs no labels: pictures find their other views, texts with words left out find the whole."""

import random
from dataclasses import replace

import pytest
import torch

from catalog.products import Product
from models.train import plan_of
from models.training.encoded import encode
from models.training.order import phase_at, phases_of
from models.training.pairs import TrainingTexts, _masked
from models.training.params import TrainParams
from models.training.task import DualEncoderTask
from tests.models.tiny_training import a_task, learn
from tests.models.training.test_pairs import INDEX, SHOP


def parts_of(task: DualEncoderTask, epoch: int) -> set[str]:
    return set(task.step(next(task.batches(epoch, 0))).parts)


def test_labels_are_asked_only_after_the_warm_up(tmp_path):
    task = a_task(tmp_path, warmup_epochs=2, consistency=0.5, attribute_weight=0.5, attribute_support=4)
    for epoch in (0, 1):
        batch = next(task.batches(epoch, 0))
        assert not batch.titles and not batch.phrases and batch.masked_texts
        assert set(batch.masked_texts) <= set(task.texts_of(epoch))
        assert parts_of(task, epoch) == {"loss_photo_photo", "loss_text_text"}
    batch = next(task.batches(2, 0))
    assert batch.titles and batch.phrases and not batch.masked_texts and batch.second_views is None
    assert {"loss_title_image", "loss_consistency", "loss_attributes_image"} <= parts_of(task, 2)
    assert "loss_text_text" not in parts_of(task, 2)


@pytest.mark.parametrize("order", ["joint", "sequential"])
def test_the_epochs_of_the_order_follow_those_of_the_warm_up(order):
    plain = TrainParams(epochs=8, order=order)
    warmed = plain.model_copy(update={"warmup_epochs": 3})
    first, *later = phases_of(warmed)
    assert (first.first, first.labelled) == (0, False)
    assert [phase.first - 3 for phase in later] == [phase.first for phase in phases_of(plain)]
    assert phase_at(phases_of(warmed), 2) is not phase_at(phases_of(warmed), 3)
    plan, cpu = plan_of(warmed, torch.device("cpu"), tail_rests=True), torch.device("cpu")
    assert plan.epochs == 11 and plan.restarts[0] == 3  # the learning rate starts anew with the labels
    assert plan.patient_until == 3 + plan_of(plain, cpu, tail_rests=True).patient_until


def test_it_learns_both_modalities_and_leaves_the_fusion(tmp_path):
    task = a_task(tmp_path, warmup_epochs=15, learning_rate=0.01, views=3)
    fusion = {name: p.detach().clone() for name, p in task.model.fusion.named_parameters()}
    heads = {name: p.detach().clone() for name, p in task.model.named_parameters() if "head" in name}
    losses = learn(task, 15)
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])
    own = dict(task.model.named_parameters())
    assert all(not torch.equal(own[name], before) for name, before in heads.items())
    assert all(torch.equal(p, fusion[name]) for name, p in task.model.fusion.named_parameters())


def test_equal_texts_are_not_each_others_negatives_and_wordless_products_are_nobodys(tmp_path):
    titles = ["Red bag", "Red bag", "Blue shoe", "Green hat", "", "", "", ""]
    shop = [Product(id=str(n), group_id=str(n), title=title) for n, title in enumerate(titles)]
    task = a_task(tmp_path, shop, warmup_epochs=1, batch_size=8, min_steps=1)
    batch = next(task.batches(0, 0))
    texts = batch.product_texts
    assert batch.masked_true.tolist() == [[one == other for other in texts] for one in texts if one]
    assert batch.masked_true.sum(dim=1).sort().values.tolist() == [1, 1, 2, 2]
    encoded = encode(task.model, batch, task.texts, task._encode, task.params)
    objective = task.objectives["self_supervised"]
    elsewhere = encoded.words + 5 * (~encoded.has_words[:, None])
    assert objective(replace(encoded, words=elsewhere)).loss.item() == objective(encoded).loss.item() > 0


def test_masked_texts_come_back_every_round_and_are_shorter():
    said = TrainingTexts(SHOP, INDEX, TrainParams(rounds=3, word_dropout=0.5))
    assert said.masked_of_round(1) == said.masked_of_round(4) != said.masked_of_round(2)
    whole = [row.product for row in said.of_round(1)]
    masked = said.masked_of_round(1)
    assert sum(map(len, masked)) < 0.8 * sum(map(len, whole))
    for text, part in zip(whole, masked, strict=True):
        assert set(part.lower().split()) <= set(text.lower().split())


def test_a_text_without_spaces_loses_words_too():
    seen = {_masked("红色波点马克杯", 0.5, random.Random(seed)) for seed in range(20)}
    assert len(seen) > 2 and all(set(text) <= set("红色波点马克杯 ") for text in seen)
