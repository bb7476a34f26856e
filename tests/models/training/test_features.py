"""Feature stores: found by content, whole after any kill, computed once."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.media import MediaStore
from models.training.features import KEYS, ROWS, FeatureStore, fill, fingerprint, text_key
from models.training.pictures import (
    MIRRORED,
    CachedPictures,
    LivePictures,
    fill_trunk,
    trained_trunk_folder,
    trunk_folder,
)
from models.training.texts import LiveTexts, RememberedTexts
from tests.models.tiny_towers import tiny_model, tiny_shop


def block(*numbers: int) -> np.ndarray:
    return np.array([[number, number + 0.5] for number in numbers], dtype=np.float32)


def test_rows_come_back_in_the_order_asked_also_after_reopening(tmp_path):
    store = FeatureStore.open(tmp_path / "s")
    store.append(["a", "b"], block(1, 2))
    store.append(["c"], block(3))
    for opened in (store, FeatureStore.open(tmp_path / "s")):
        assert opened.rows(["c", "a", "c"]).tolist() == block(3, 1, 3).tolist()
        assert opened.missing(["d", "a", "d"]) == ["d"]
        assert len(opened) == 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_cut=st.integers(0, 12), keys_cut=st.integers(0, 9))
def test_whatever_a_kill_leaves_behind_is_cut_to_whole_rows_with_keys(tmp_path_factory, rows_cut, keys_cut):
    folder = tmp_path_factory.mktemp("store")
    FeatureStore.open(folder).append(["aa", "bb", "cc"], block(1, 2, 3))  # 12 bytes of rows, 9 of keys
    for name, left in ((ROWS, rows_cut), (KEYS, keys_cut)):
        with (folder / name).open("r+b") as stream:
            stream.truncate(left)
    store = FeatureStore.open(folder)
    whole = min(rows_cut // 4, keys_cut // 3)
    assert len(store) == whole
    missing = store.missing(["aa", "bb", "cc"])
    store.append(missing, block(1, 2, 3)[whole:]) if missing else None
    assert FeatureStore.open(folder).rows(["cc", "bb", "aa"]).tolist() == block(3, 2, 1).tolist()


def test_rows_that_do_not_fit_are_refused(tmp_path):
    store = FeatureStore.open(tmp_path)
    store.append(["a"], block(1))
    with pytest.raises(ValueError, match="shape"):
        store.append(["b"], np.zeros((1, 3)))
    with pytest.raises(ValueError, match="not finite"):
        store.append(["b"], np.array([[1e6, 0]]))  # more than float16 holds
    with pytest.raises(ValueError, match="not finite"):
        store.append(["b"], np.array([[np.nan, 0]]))
    assert store.missing(["b"]) == ["b"]


def test_a_filling_that_is_stopped_goes_on_with_the_same_chunks(tmp_path):
    keys = [f"k{number}" for number in range(10)]
    chunks: list[list[str]] = []

    def compute(part: list[str]) -> np.ndarray:
        chunks.append(part)
        return block(*(int(key[1:]) for key in part))

    steps = fill(FeatureStore.open(tmp_path), keys, compute, chunk=4)
    assert next(steps) == 4  # and here the process dies
    assert list(fill(FeatureStore.open(tmp_path), keys, compute, chunk=4)) == [4, 2]
    assert chunks == [keys[:4], keys[4:8], keys[8:]]
    assert list(fill(FeatureStore.open(tmp_path), keys, compute, chunk=4)) == []


def test_the_fingerprint_follows_the_frozen_part_and_nothing_else():
    model = tiny_model()
    before = fingerprint(model.image, "notes")
    with torch.no_grad():
        model.image.last.weight.add_(1)  # the tail trains
        model.image.head.layers.weight.add_(1)
    assert fingerprint(model.image, "notes") == before
    assert fingerprint(model.image, "other notes") != before
    with torch.no_grad():
        model.image.mix.weight.add_(1)
    assert fingerprint(model.image, "notes") != before


def test_the_trunk_folder_changes_with_image_settings_but_not_with_the_shared_space(tmp_path):
    folder = trunk_folder(tiny_model(), tmp_path)
    assert trunk_folder(tiny_model(dim=4, fusion="mean", matryoshka=(2, 4)), tmp_path) == folder
    assert trunk_folder(tiny_model(space="independent"), tmp_path) == folder
    assert trunk_folder(tiny_model(image_levels=(0,)), tmp_path) != folder
    assert trunk_folder(tiny_model(image="frozen"), tmp_path) != folder


@pytest.mark.parametrize("mode", ["frozen", "tail", "finetuned"])
def test_a_trained_model_finds_the_trunk_folder_of_its_training_unless_its_trunk_learned(tmp_path, mode):
    model = tiny_model(image=mode)
    before = trunk_folder(model, tmp_path)
    with torch.no_grad():
        for parameter in model.image.parameters():
            if parameter.requires_grad:
                parameter.add_(1)
        model.image.head.center.add_(1)
        model.image.head.spread.add_(1)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learning = [parameter.requires_grad for parameter in model.parameters()]
    assert (trained_trunk_folder(model, tmp_path) == before) == (mode != "finetuned")
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert [parameter.requires_grad for parameter in model.parameters()] == learning


def test_cached_pictures_give_the_vectors_of_live_ones_and_mirrored_views_differ(tmp_path):
    model = tiny_model().eval()
    products = tiny_shop(9, tmp_path / "media")
    media = MediaStore(tmp_path / "media")
    ids = [product.images[0] for product in products if product.images]
    keys = [*ids, ids[0] + MIRRORED]
    store = FeatureStore.open(tmp_path / "features")
    assert sum(fill_trunk(model, store, keys, media)) == len(keys)
    assert list(fill_trunk(model, store, keys, media)) == []

    cached, live = CachedPictures(store), LivePictures(model, media, threads=2)
    with torch.no_grad():
        fast = cached.encode(model, cached.load(keys, None))
        plain = live.encode(model, live.load(keys, None))
    torch.testing.assert_close(fast, plain, atol=2e-3, rtol=0)  # float16 between them
    assert not torch.equal(fast[0], fast[-1])


def test_remembered_texts_give_what_the_backbone_gives(tmp_path):
    model = tiny_model(text="frozen").eval()
    lines = [f"text number {number}" + " more" * (number % 5) for number in range(100)]
    remembered = RememberedTexts(model, FeatureStore.open(tmp_path, "float32"))
    assert remembered.missing(lines) == 100
    assert sum(remembered.prepare([*lines, *lines])) == 100
    assert remembered.missing(lines) == 0
    with torch.no_grad():
        plain = torch.cat([LiveTexts().pooled(model, [line]) for line in lines])
    torch.testing.assert_close(remembered.pooled(model, lines), plain)
    assert len({text_key(line) for line in lines}) == 100


def test_a_key_that_was_written_twice_costs_no_other_key_its_row(tmp_path):
    FeatureStore.open(tmp_path / "s").append(["a", "b"], block(1, 2))
    FeatureStore.open(tmp_path / "s").append(["b"], block(2))
    store = FeatureStore.open(tmp_path / "s")
    store.append(["c", "d"], block(3, 4))
    for opened in (store, FeatureStore.open(tmp_path / "s")):
        assert opened.rows(["d", "b", "a", "c"]).tolist() == block(4, 2, 1, 3).tolist()


def test_a_second_writer_is_stopped_before_keys_lose_their_rows(tmp_path):
    one, other = FeatureStore.open(tmp_path / "s"), FeatureStore.open(tmp_path / "s")
    one.append(["a"], block(1))
    with pytest.raises(RuntimeError, match="another process writes"):
        other.append(["b"], block(2))
    assert FeatureStore.open(tmp_path / "s").rows(["a"]).tolist() == block(1).tolist()
