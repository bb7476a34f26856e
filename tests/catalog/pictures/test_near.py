"""Near pairs against brute force, in memory that does not grow with them; groups of pictures that look the same."""

import io
import tracemalloc

import imagehash
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from catalog.media import decode_image
from catalog.pictures.near import MOST_BITS, NEAR_BITS, groups_of_near, near_pairs
from catalog.pictures.perceptual_hash import Look, arrays_of, look_of, picture_hash

Hashes = NDArray[np.uint64]


def hashes(count: int, copies: int, flipped: int, seed: int = 5) -> Hashes:
    """`count` random hashes, and of each `copies` with up to `flipped` bits changed."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (count, 256), dtype=np.uint8)
    rows = [bits]
    for _ in range(copies):
        other = bits.copy()
        for row in other:
            row[generator.permutation(256)[: generator.integers(0, flipped + 1)]] ^= 1
        rows.append(other)
    return np.packbits(np.concatenate(rows), axis=1).view(np.uint64)


def brute(rows: Hashes, most: int) -> set[tuple[int, int]]:
    apart = np.bitwise_count(rows[:, None] ^ rows[None]).sum(axis=2)
    return {(int(i), int(j)) for i, j in zip(*np.nonzero(apart <= most), strict=True) if i < j}


@pytest.mark.parametrize("most", [0, 3, NEAR_BITS, MOST_BITS])
def test_the_pairs_are_those_of_brute_force_each_once(most: int) -> None:
    rows = hashes(60, copies=4, flipped=24)
    found = [tuple(pair) for block in near_pairs(rows, most) for pair in block.tolist()]
    assert len(found) == len(set(found))
    assert set(found) == brute(rows, most)
    assert found or most == 0


def test_hashes_that_share_most_bands_are_told_once_too() -> None:
    rows = np.zeros((30, 4), dtype=np.uint64)
    rows[:, 0] = np.arange(30)
    found = [tuple(pair) for block in near_pairs(rows, MOST_BITS) for pair in block.tolist()]
    assert sorted(found) == sorted(brute(rows, MOST_BITS))
    assert len(found) == 30 * 29 // 2


def test_pairs_farther_than_the_bands_can_tell_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 15"):
        next(iter(near_pairs(hashes(2, 1, 1), MOST_BITS + 1)))


def test_a_hundred_thousand_pictures_take_memory_for_themselves_and_not_for_their_pairs() -> None:
    rows = hashes(50_000, copies=1, flipped=NEAR_BITS)
    rows[:2_000, 0] = 0  # two thousand that share bands, a million times two
    tracemalloc.start()
    count = sum(len(block) for block in near_pairs(rows))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count >= 48_000
    assert peak < 1_000 * len(rows)  # bytes, where a hash has 32 and its bits 256


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def shirt(colour: str, seed: int = 1) -> Image.Image:
    """A thing on white: where its parts are, `seed` says; of what colour, `colour`."""
    image = Image.new("RGB", (240, 240), "white")
    draw = ImageDraw.Draw(image)
    for x, y, width, height in np.random.default_rng(seed).integers(20, 150, (7, 4)).tolist():
        draw.rectangle((x, y, x + width // 2, y + height // 2), fill=colour)
    return image


def look(data: bytes) -> Look:
    return look_of(decode_image(data))


def groups(*looks: Look) -> list[int]:
    found = groups_of_near(*arrays_of(looks)).tolist()
    return [found.index(number) for number in found]


def test_other_files_of_one_picture_are_one_group_and_other_pictures_are_not() -> None:
    picture = shirt("darkred")
    files = [
        jpeg(picture), jpeg(picture, 40), jpeg(picture.resize((120, 120))), jpeg(picture.resize((700, 700))),
        jpeg(shirt("darkred", 2)), jpeg(shirt("darkred", 3)),
    ]  # fmt: skip
    assert groups(*map(look, files)) == [0, 0, 0, 0, 4, 5]


@pytest.mark.parametrize("side", [193, 290, 519, 553, 1151])
def test_a_side_that_no_whole_number_of_cells_fills_does_not_stretch_the_picture(side: int) -> None:
    pictures = [shirt("darkred", seed) for seed in range(12)]
    own = arrays_of([look_of(picture) for picture in pictures])[0]
    scaled = arrays_of([look_of(picture.resize((side, side))) for picture in pictures])[0]
    assert np.bitwise_count(own ^ scaled).sum() <= len(pictures)


def test_the_same_shape_in_another_colour_is_another_picture() -> None:
    assert groups(look(jpeg(shirt("darkred"))), look(jpeg(shirt("darkgreen"))), look(jpeg(shirt("darkred"), 60))) == [
        0, 1, 0,
    ]  # fmt: skip


def test_a_chain_of_near_pictures_is_one_group() -> None:
    bits = np.zeros((4, 256), dtype=np.uint8)
    for row in range(4):
        bits[row, : row * NEAR_BITS] = 1
    rows = np.packbits(bits, axis=1).view(np.uint64)
    same = np.zeros((4, 48), dtype=np.uint8)
    assert len(set(groups_of_near(rows, same).tolist())) == 1
    assert len(set(groups_of_near(rows[[0, 2]], same[:2]).tolist())) == 2  # 24 bits, with nothing between


@pytest.mark.parametrize("size", [(240, 240), (60, 80), (450, 600), (130, 90), (300, 2500)])
def test_the_hash_is_that_of_imagehash_but_for_what_rounding_changes(size: tuple[int, int]) -> None:
    """Zauner's pHash, 16 x 16 frequencies of 64 x 64 pixels. Large pictures are averaged to cells before."""
    for seed in range(12):
        picture = shirt("darkred", seed).resize(size)
        peer = np.packbits(imagehash.phash(picture, hash_size=16).hash.reshape(-1)).view(np.uint64)
        own = arrays_of([look_of(picture)])[0][0]
        assert np.bitwise_count(own ^ peer).sum() <= NEAR_BITS


def test_a_picture_that_is_its_own_mirror_has_no_bits_by_chance() -> None:
    half = shirt("darkred").resize((120, 240))
    whole = Image.new("RGB", (240, 240))
    whole.paste(half, (0, 0))
    whole.paste(ImageOps.mirror(half), (120, 0))
    bits = np.unpackbits(np.frombuffer(look_of(whole).hash, dtype=np.uint8)).reshape(16, 16)
    assert len(set(bits[:, 1::2].ravel().tolist())) == 1  # what is odd from left to right is nowhere


def test_a_look_holds_the_hash_that_the_leakage_audit_compares() -> None:
    for data in (jpeg(shirt("navy")), jpeg(shirt("navy").resize((900, 700)))):
        assert look(data).hash == picture_hash(data).tobytes()
        assert not look(data).flat


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 10, 90)])
def test_a_picture_of_one_colour_is_flat(colour: tuple[int, int, int]) -> None:
    assert look(jpeg(Image.new("RGB", (300, 200), colour))).flat
    dotted = Image.new("RGB", (300, 200), colour)
    ImageDraw.Draw(dotted).rectangle((140, 90, 160, 110), fill=(120, 120, 120))
    assert not look(jpeg(dotted)).flat
