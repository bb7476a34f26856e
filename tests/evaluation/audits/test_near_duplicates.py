"""Nearest neighbours against brute force, hashes of pictures that are and are not alike, and the limit."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from catalog.errors import InvalidMedia
from catalog.pictures.perceptual_hash import BITS, picture_hash
from evaluation.audits import near_duplicates
from evaluation.audits.near_duplicates import by_cosine, by_hash, limit, nearest, pairs_above

GENERATOR = np.random.default_rng(3)


def unit(rows: int) -> np.ndarray:
    vectors = GENERATOR.normal(size=(rows, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def noise(seed: int) -> Image.Image:
    """A picture of 8 x 8 random blocks."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((96, 96), Image.Resampling.BICUBIC)


def bits_apart(one: bytes, other: bytes) -> int:
    return int(-by_hash(picture_hash(one)[None], picture_hash(other)[None])(0, 1)[0, 0])


def test_hashes_count_the_bits_that_differ() -> None:
    ours = np.array([[0, 0], [0b1011, 0]], dtype=np.uint64)
    theirs = np.array([[0, 0], [0b1, 2**63]], dtype=np.uint64)
    assert by_hash(ours, theirs)(0, 2).tolist() == [[0, -2], [-3, -3]]  # 1011 against 0001: two bits, and 2^63 is one


@pytest.mark.parametrize("cells", [1, 40, 10**6])
def test_the_nearest_in_blocks_is_the_nearest_of_brute_force(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_CELLS", cells)
    ours, theirs = unit(23), unit(17)
    own = [None if row == 5 else "ab"[row % 2] for row in range(23)]
    other = [None if row == 3 else "abc"[row % 3] for row in range(17)]
    found = nearest(by_cosine(ours, theirs), own, other)
    cosines = ours @ theirs.T
    assert found.row.tolist() == cosines.argmax(axis=1).tolist()
    for row in range(23):
        assert found.closeness[row] == pytest.approx(max(cosines[row]), abs=1e-6)
        unlike = [cosines[row, at] for at in range(17) if own[row] and other[at] and own[row] != other[at]]
        assert found.of_another_category[row] == pytest.approx(max(unlike, default=-np.inf), abs=1e-6)
    assert pairs_above(by_cosine(ours, theirs), 23, 17, 0.3) == int((cosines > 0.3).sum())


def test_a_smaller_or_darker_copy_is_nearer_than_another_picture() -> None:
    picture = noise(1)
    smaller = png(picture.resize((60, 60)))
    darker = png(ImageEnhance.Brightness(picture).enhance(0.85))
    assert bits_apart(png(picture), png(picture)) == 0
    assert bits_apart(png(picture), smaller) < BITS / 8
    assert bits_apart(png(picture), darker) < BITS / 8
    assert min(bits_apart(png(picture), png(noise(seed))) for seed in range(2, 8)) > BITS / 4  # strangers: about half
    with pytest.raises(InvalidMedia):
        picture_hash(b"no picture")


def test_the_limit_lets_the_share_of_strangers_through_and_no_more() -> None:
    closeness = np.array([0.1, 0.9, 0.5, 0.7, -np.inf], dtype=np.float32)
    assert limit(closeness, 0.0) == pytest.approx(0.9)  # none of the four is over it
    assert limit(closeness, 0.25) == pytest.approx(0.7)  # one of four is: .9
    assert limit(closeness, 0.24) == pytest.approx(0.9)
    assert limit(np.array([-np.inf], dtype=np.float32), 0.1) is None


def test_nothing_is_nearest_among_nothing() -> None:
    with pytest.raises(ValueError, match="no products"):
        nearest(by_cosine(unit(1), unit(1)), ["a"], [])
