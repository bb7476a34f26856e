"""models/preprocess.py"""

import json

import numpy as np
import pytest
from PIL import Image

from models.preprocess import ImagePreprocess


def test_values_are_scaled_by_mean_and_standard_deviation_of_each_channel() -> None:
    how = ImagePreprocess(size=2, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    prepared = how.prepare(Image.new("RGB", (2, 2), (255, 255, 0)))
    assert prepared.shape == (3, 2, 2) and prepared.dtype == np.float32
    # (1 - 0) / 1 = 1; (1 - 0.5) / 0.5 = 1; (0 - 1) / 0.25 = -4
    assert np.allclose(prepared[:, 0, 0], [1, 1, -4], atol=1e-6)


def test_the_packaged_scaling_is_127_and_128() -> None:
    how = ImagePreprocess(size=1, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
    assert np.allclose(how.prepare(Image.new("RGB", (1, 1), (255, 127, 0)))[:, 0, 0], [1, 0, -127 / 128], atol=1e-6)


def _halves(size: tuple[int, int]) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    return image


def test_squeeze_keeps_both_ends_of_a_wide_picture() -> None:
    red, _, blue = ImagePreprocess(size=8, mean=(0, 0, 0), std=(1, 1, 1)).prepare(_halves((64, 16)))
    assert red[0, 0] == pytest.approx(1) and blue[0, -1] == pytest.approx(1)
    assert red[:, :4].mean() == pytest.approx(1, abs=0.05) and blue[:, 4:].mean() == pytest.approx(1, abs=0.05)


def test_crop_takes_the_middle_and_pad_adds_white() -> None:
    plain = {"size": 8, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    image = Image.new("RGB", (32, 8), "red")
    image.paste("blue", (12, 0, 20, 8))  # the middle square
    cropped = ImagePreprocess(**plain, fit="crop").prepare(image)
    assert np.allclose(cropped[2], 1) and np.allclose(cropped[0], 0)
    padded = ImagePreprocess(**plain, fit="pad").prepare(Image.new("RGB", (32, 8), "black"))
    assert np.allclose(padded[:, 0], 1) and np.allclose(padded[:, 4], 0)


def test_a_resize_before_the_crop_leaves_a_margin_out() -> None:
    image = Image.new("RGB", (16, 16), "black")
    image.paste("white", (4, 4, 12, 12))
    whole = ImagePreprocess(size=8, fit="crop", mean=(0, 0, 0), std=(1, 1, 1))
    inner = ImagePreprocess(size=8, fit="crop", resize=16, mean=(0, 0, 0), std=(1, 1, 1))
    assert whole.prepare(image)[0, 0, 0] < 0.2 and np.allclose(inner.prepare(image), 1)


def test_a_batch_is_its_pictures_and_settings_survive_json() -> None:
    how = ImagePreprocess(size=8, fit="crop", resample="bilinear", resize=9, mean=(0.1, 0.2, 0.3), std=(1, 2, 3))
    images = [_halves((16, 16)), _halves((20, 10))]
    assert np.array_equal(how.prepare_batch(images), np.stack([how.prepare(image) for image in images]))
    assert how.prepare_batch([]).shape == (0, 3, 8, 8)
    assert ImagePreprocess.from_json(json.loads(json.dumps(how.to_json()))) == how
