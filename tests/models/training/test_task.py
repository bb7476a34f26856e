"""Batches of products, their losses and their score, on towers that train in a second."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from catalog.media import MediaStore
from catalog.products import Product
from catalog.words.terms import TermIndex
from models.dual_encoder import DualEncoder
from models.progress import Lines
from models.train import open_pictures, picture_keys
from models.training.batches import ahead
from models.training.features import FeatureStore
from models.training.params import TrainParams
from models.training.pictures import (
    CachedPictures,
    LivePictures,
    PooledPictures,
    augmented,
    fill_pooled,
    media_of,
    picture_of,
    view_key,
)
from models.training.task import DualEncoderTask
from models.training.texts import LiveTexts
from models.training.validation_score import Validation, combined
from tests.models.tiny_towers import TERMS, tiny_model, tiny_shop
from tests.models.tiny_training import a_task, learn


@pytest.mark.parametrize(
    "params", [{}, {"loss": "sigmoid"}, {"loss": "triplet"}, {"views": 2}, {"phrases": 0}, {"balance": 1.0}]
)
def test_the_loss_falls_and_the_score_rises(tmp_path, params):
    task = a_task(tmp_path, learning_rate=0.01, **params)
    with torch.no_grad():
        before = task.score()["score"]
    losses = learn(task, 12)
    with torch.no_grad():
        after = task.score()["score"]
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
    if params != {"phrases": 0}:  # titles alone teach little about phrases, which are half the score
        assert after > before


def test_batches_are_the_same_from_any_start_and_hold_one_product_of_a_group(tmp_path):
    task = a_task(tmp_path, views=2)
    whole, rest = list(task.batches(3, 0)), list(task.batches(3, 2))
    assert len(whole) == task.steps == 4
    for one, other in zip(whole[2:], rest, strict=True):
        assert (one.titles, one.phrases, one.product_texts) == (other.titles, other.phrases, other.product_texts)
        assert torch.equal(one.sees_image, other.sees_image)
        assert one.pictures is not None and other.pictures is not None
        assert torch.equal(one.pictures, other.pictures)
    assert next(iter(task.batches(4, 0))).product_texts != whole[0].product_texts


def test_a_product_without_a_picture_takes_part_by_its_words(tmp_path):
    task = a_task(tmp_path, modality_dropout=0.0)
    unseen = 0
    for batch in task.batches(0, 0):
        missing = sorted(set(range(len(batch.product_texts))) - set(batch.shown.tolist()))
        assert batch.sees_image.tolist() == [row not in missing for row in range(len(batch.product_texts))]
        assert batch.sees_text.all()
        unseen += len(missing)
    assert unseen == sum(not product.images for product in task.products) > 0


def test_modality_dropout_never_takes_the_only_modality_away(tmp_path):
    task = a_task(tmp_path, modality_dropout=0.9)
    seen = [(text, image) for batch in task.batches(0, 0) for text, image in zip(batch.sees_text, batch.sees_image)]  # noqa: B905
    assert all(bool(text) or bool(image) for text, image in seen)
    assert {(bool(text), bool(image)) for text, image in seen} >= {(True, False), (False, True)}


@pytest.mark.parametrize("without", ["pictures", "words", "facets"])
def test_a_catalogue_that_lacks_a_whole_kind_still_trains(tmp_path, without):
    shop = [
        Product(
            id=p.id,
            group_id=p.group_id,
            title="" if without == "words" else p.title,
            category=() if without == "facets" else p.category,
            attributes={} if without == "facets" else p.attributes,
            images=() if without == "pictures" else p.images,
        )
        for p in tiny_shop(24, tmp_path / "media")
        if p.images
    ]
    task = a_task(tmp_path, shop)
    losses = learn(task, 2)
    assert all(loss == loss and loss > 0 for loss in losses)
    with torch.no_grad():
        assert 0 <= task.score()["score"] <= 1


def test_heads_see_training_features_centred_and_of_unit_spread(tmp_path):
    task = a_task(tmp_path)
    shown = [product.images[0] for product in task.products if product.images]
    with torch.no_grad():
        pooled = task.pictures.pooled(task.model, task.pictures.load(shown, None))
    head = task.model.image.head
    standard = (pooled - head.center) / head.spread
    torch.testing.assert_close(standard.mean(dim=0), torch.zeros(20), atol=1e-4, rtol=0)
    torch.testing.assert_close(standard.std(dim=0, correction=0), torch.ones(20), atol=1e-3, rtol=0)


def test_heads_learn_fast_backbones_slowly_and_only_matrices_decay(tmp_path):
    task = a_task(tmp_path, learning_rate=0.01, backbone_learning_rate=0.0001, weight_decay=0.3)
    rate, decay = {}, {}
    for group in task.parameter_groups():
        for parameter in group["params"]:
            rate[id(parameter)], decay[id(parameter)] = group["lr"], group["weight_decay"]
    model = task.model
    assert rate[id(model.image.head.layers.weight)] == rate[id(model.logit_scale)] == 0.01
    assert rate[id(model.image.last.weight)] == 0.0001
    assert id(model.image.mix.weight) not in rate
    assert decay[id(model.image.last.weight)] == 0.3
    assert decay[id(model.image.last.bias)] == decay[id(model.logit_scale)] == 0.0
    assert len(rate) == sum(p.requires_grad for p in task.module.parameters())


def test_all_of_a_finetuned_model_learns_from_live_pixels_and_tokens(tmp_path):
    shop = tiny_shop(24, tmp_path / "media")
    params = TrainParams(batch_size=8, min_steps=2, learning_rate=0.01, backbone_learning_rate=0.01)
    model: DualEncoder = tiny_model(text="finetuned", image="finetuned")
    index = TermIndex(TERMS, shop)
    pictures = LivePictures(model, MediaStore(tmp_path / "media"), threads=2)
    task = DualEncoderTask(
        model, shop, index, params, pictures, LiveTexts(), Validation(shop[:6], index, params), Lines()
    )
    task.fit_heads()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = learn(task, 6)
    assert sum(losses[-3:]) < 0.9 * sum(losses[:3])
    still = {name for name, p in model.named_parameters() if torch.equal(p, before[name])}
    assert not still
    again, once = list(task.batches(0, 0)), list(task.batches(0, 0))
    for one, other in zip(again, once, strict=True):  # augmentation is a function of seed and epoch too
        assert one.pictures is not None and other.pictures is not None
        assert torch.equal(one.pictures, other.pictures)


@pytest.mark.parametrize("preset", ["clip", "vit_bert"])
@pytest.mark.parametrize("image", ["tail", "finetuned"])
def test_hub_presets_learn_from_cached_features_and_from_pixels(tmp_path, hub_params, preset, image):
    torch.manual_seed(0)
    model = DualEncoder.build(hub_params(preset).model_copy(update={"image": image}))
    shop = tiny_shop(24, tmp_path / "media")
    params = TrainParams(batch_size=8, min_steps=2, learning_rate=0.01, backbone_learning_rate=0.001)
    index = TermIndex(TERMS, shop)
    pictures = open_pictures(
        model, tmp_path / "features", picture_keys(shop, params), Lines(), MediaStore(tmp_path / "media")
    )
    assert isinstance(pictures, LivePictures) == (image == "finetuned")
    task = DualEncoderTask(
        model, shop, index, params, pictures, LiveTexts(), Validation(shop[:6], index, params), Lines()
    )
    task.fit_heads()
    losses = learn(task, 6)
    assert sum(losses[-3:]) < 0.95 * sum(losses[:3])


def test_augmentation_keeps_most_of_the_picture_and_all_of_its_colour(tmp_path):
    from PIL import Image

    image = Image.new("RGB", (100, 80), (200, 30, 30))
    for seed in range(30):
        cut = augmented(image, random.Random(seed))
        assert cut.width >= 70 and cut.height >= 56
        assert cut.getcolors() == [(cut.width * cut.height, (200, 30, 30))]


def test_the_score_weighs_titles_and_phrases_alike():
    assert combined({"title_image_recall@10": 0.5, "phrase_ndcg@10_en": 0.7, "phrase_ndcg@10_zh": 0.9}) == 0.65
    assert combined({"phrase_ndcg@10_en": 0.7}) == 0.7


def test_items_made_ahead_come_in_order_and_an_error_comes_in_its_place():
    assert list(ahead(iter(range(20)))) == list(range(20))

    def broken():
        yield 1
        raise KeyError("second")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(KeyError, match="second"):
        next(items)
    endless = ahead(iter(int, 1))
    assert next(endless) == 0
    endless.close()  # ends its thread too


def test_the_tail_rests_until_its_last_epochs_and_then_learns(tmp_path):
    task = a_task(tmp_path, epochs=4, tail_epochs=2)
    assert isinstance(task.pictures, CachedPictures)
    pooled = FeatureStore.open(tmp_path / "pooled", "float32")
    keys = picture_keys(task.products, task.params)
    list(fill_pooled(task.model, pooled, task.pictures, keys))
    task._pooled = PooledPictures(pooled)
    for epoch, learns in ((0, False), (1, False), (2, True), (3, True)):
        task.module.zero_grad()
        task.step(next(task.batches(epoch, 0))).loss.backward()
        assert any(p.grad is not None for p in task.model.image.backbone_parameters()) == learns
    fresh = task.model.image.tail(task.pictures.load(keys[:3], None).float())
    torch.testing.assert_close(task._pooled.load(keys[:3], None), fresh)


def test_views_are_the_picture_its_mirror_and_altered_ones_that_stay_the_same(tmp_path):
    shop = tiny_shop(2, tmp_path / "media")
    store, media = MediaStore(tmp_path / "media"), shop[0].images[0]
    views = [np.asarray(picture_of(view_key(media, view), store), dtype=int) for view in range(4)]
    assert views[1].tolist() == views[0][:, ::-1].tolist()
    assert views[2].shape != views[3].shape or (views[2] != views[3]).any()
    again = np.asarray(picture_of(view_key(media, 2), store))
    assert again.tolist() == views[2].tolist()
    red = (220, 30, 30)
    for view in views[2:]:
        assert np.abs(view.reshape(-1, 3)[0] / red - 1).max() < 0.25  # a little darker or brighter, and still red
    assert {media_of(view_key(media, view)) for view in range(4)} == {media}


def test_a_balanced_epoch_shows_rare_categories_as_often_as_common_ones(tmp_path):
    shop = tiny_shop(48, tmp_path / "media")
    task = a_task(tmp_path, shop, balance=1.0)
    count = Counter(task.categories[row] for epoch in range(6) for rows in task.plan(epoch) for row in rows)
    assert task.categories.count("Shirts") == 2 * task.categories.count("Bags")
    assert count["Bags"] == pytest.approx(count["Shirts"], rel=0.1)
