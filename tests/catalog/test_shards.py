"""Packing media: every picture once, in order, and a change moves the shard that it lies in and no other."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog import shards
from catalog.media import MediaStore, media_id
from catalog.shards import write_shards
from tests.catalog.test_media import saved

Media = list[tuple[str, bytes]]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "LEAST_BYTES", 20_000)
    monkeypatch.setattr(shards, "USUAL_BYTES", 60_000)
    monkeypatch.setattr(shards, "MOST_BYTES", 180_000)


def pictures(count: int, seed: int = 0) -> Media:
    """Of one to four kB."""
    rng = np.random.default_rng(seed)
    noise = [rng.integers(0, 255, (20, 20 + int(rng.integers(0, 60)), 3), dtype=np.uint8) for _ in range(count)]
    data = [saved(Image.fromarray(pixels)) for pixels in noise]
    return [(media_id(each), each) for each in data]


def packed(media: Media, folder: Path) -> dict[str, str]:
    """File -> digest of its bytes."""
    write_shards(media, folder)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_every_picture_is_there_in_its_order_in_shards_of_about_the_usual_size(tmp_path: Path) -> None:
    media = pictures(600)
    files = packed(media, tmp_path)
    assert MediaStore(tmp_path).ids() == tuple(identity for identity, _ in media)
    assert all(MediaStore(tmp_path).read(identity) == data for identity, data in media[::20])
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert list(files) == [f"image-{number:05d}.parquet" for number in range(len(files))]
    assert 30_000 < np.mean(sizes) < 120_000 and max(sizes) < 200_000


def test_a_picture_that_comes_twice_is_stored_once(tmp_path: Path) -> None:
    media = pictures(3)
    assert write_shards(media + media, tmp_path) == 3
    assert len(MediaStore(tmp_path).ids()) == 3


def test_the_same_media_give_the_same_bytes(tmp_path: Path) -> None:
    assert packed(pictures(100), tmp_path / "one") == packed(pictures(100), tmp_path / "two")


@pytest.mark.parametrize("seed", range(5))
def test_one_picture_that_changes_comes_or_goes_changes_two_shards_at_most_of_many(tmp_path: Path, seed: int) -> None:
    media, (new,) = pictures(600), pictures(1, seed=100 + seed)
    before = set(packed(media, tmp_path / "before").values())
    at = int(np.random.default_rng(seed).integers(0, len(media)))
    changes = {
        "changed": [*media[:at], new, *media[at + 1 :]],
        "came": [*media[:at], new, *media[at:]],
        "went": [*media[:at], *media[at + 1 :]],
    }
    assert len(before) >= 12
    for name, media_now in changes.items():
        after = set(packed(media_now, tmp_path / name).values())
        assert 1 <= len(after - before) <= 2, name


def test_pictures_that_never_end_a_shard_fill_it_to_the_brim_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "USUAL_BYTES", 10**12)
    media = pictures(300)
    sizes = [sum(map(len, (data for _, data in media)))]
    assert len(packed(media, tmp_path)) == pytest.approx(sizes[0] / 180_000, abs=2)
    assert all(path.stat().st_size < 200_000 for path in tmp_path.iterdir())
