"""The one decoder takes what cameras and shops make, refuses the rest in one sentence; the store gives bytes back."""

import contextlib
import io
import pickle
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog import media
from catalog.errors import InvalidMedia, InvalidSnapshot, MediaTooLarge
from catalog.media import FORMATS, MediaStore, decode_image, media_id, read_header
from catalog.shards import write_shards


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(side: int = 48) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png_that_claims(width: int, height: int) -> bytes:
    """The header of a PNG of that size, and no pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_is_promised_is_decoded(kind: str) -> None:
    image = decode_image(saved(Image.new("RGB", (40, 30), (10, 200, 60)), kind))
    assert (image.mode, image.size) == ("RGB", (40, 30))
    assert np.abs(np.asarray(image, int)[15, 20] - (10, 200, 60)).max() <= 6


def test_a_photo_of_a_phone_with_several_pictures_in_it_is_decoded() -> None:
    data = saved(noise(), "MPO", save_all=True, append_images=[noise()])
    assert decode_image(data).size == (48, 48)


def test_a_photo_is_turned_upright_by_its_exif() -> None:
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter
    assert decode_image(saved(image, "JPEG", exif=exif)).size == (20, 40)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0)).convert("LA" if mode == "PA" else mode)
    kind = "PNG"
    if mode == "PA":
        clear, kind = clear.convert("RGBA").convert("P"), "GIF"
        data = saved(clear, kind, transparency=clear.getpixel((0, 0)))
    else:
        data = saved(clear, kind)
    assert np.asarray(decode_image(data)).min() == 255


def test_a_transparent_colour_of_an_rgb_png_becomes_white() -> None:
    image = decode_image(saved(Image.new("RGB", (16, 16), (9, 9, 9)), transparency=(9, 9, 9)))
    assert np.asarray(image).min() == 255


def test_a_cmyk_jpeg_keeps_its_colour() -> None:
    image = decode_image(saved(Image.new("RGB", (16, 16), (220, 20, 20)).convert("CMYK"), "JPEG"))
    red, green, blue = np.asarray(image, int)[8, 8]
    assert red > 180 and green < 70 and blue < 70


def test_sixteen_bit_grey_keeps_its_brightness_however_dark() -> None:
    for level in (100, 32768):  # of 65535
        data = saved(Image.fromarray(np.full((16, 16), level, np.uint16)))
        assert abs(int(np.asarray(decode_image(data))[0, 0, 0]) - level * 255 / 65535) <= 1


def test_only_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert tuple(np.asarray(decode_image(data))[0, 0]) == (255, 0, 0)


def test_the_same_bytes_give_the_same_pixels() -> None:
    data = saved(noise(), "JPEG")
    assert np.array_equal(np.asarray(decode_image(data)), np.asarray(decode_image(data)))


@pytest.mark.parametrize(
    "data",
    [b"", b"this is a text file called photo.jpg\n" * 50, b"\xff\xd8\xff\xe0", saved(Image.new("RGB", (1, 1)))],
    ids=["nothing", "text", "only a magic number", "1x1"],
)
def test_what_is_no_usable_picture_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(InvalidMedia) as refusal:
        decode_image(data)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_picture_that_is_cut_short_is_refused(kind: str) -> None:
    data = saved(noise(), kind)
    with pytest.raises(InvalidMedia):
        decode_image(data[: len(data) * 6 // 10])


def test_a_picture_of_too_many_pixels_is_refused_by_its_header_alone() -> None:
    for width, height in ((8000, 5001), (60000, 60000)):  # 40.008 and 3,600 megapixels; the limit is 40
        with pytest.raises(MediaTooLarge):
            decode_image(png_that_claims(width, height))


def test_a_file_of_too_many_bytes_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_BYTES", 100)
    with pytest.raises(MediaTooLarge, match="limit is 100"):
        decode_image(saved(noise()))


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(FORMATS), places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12))
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(kind: str, places: list[tuple[float, int]]) -> None:
    data = bytearray(saved(noise(24), kind))
    for place, value in places:
        data[int(place * len(data))] = value
    with contextlib.suppress(InvalidMedia, MediaTooLarge):
        assert decode_image(bytes(data)).mode == "RGB"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises((InvalidMedia, MediaTooLarge)):
        decode_image(data)


def test_the_header_tells_format_and_size_without_decoding() -> None:
    assert tuple(read_header(saved(Image.new("RGB", (50, 20)), "WEBP"))) == ("WEBP", 50, 20)


def many(count: int) -> list[tuple[str, bytes]]:
    pictures = [saved(Image.new("RGB", (8 + n % 20, 8 + n // 20))) for n in range(count)]
    return [(media_id(data), data) for data in pictures]


def test_the_store_gives_every_picture_back_in_any_order(tmp_path: Path) -> None:
    packed = many(100)
    assert write_shards(packed, tmp_path) == 100
    store = MediaStore(tmp_path)
    assert store.ids() == tuple(identity for identity, _ in packed)
    assert all(store.read(identity) == data for identity, data in reversed(packed))


def test_iterating_gives_batches_in_the_order_asked_for(tmp_path: Path) -> None:
    packed = dict(many(70))
    write_shards(packed.items(), tmp_path)
    asked = [*reversed(packed), next(iter(packed))]  # 71 ids, one of them twice
    batches = list(MediaStore(tmp_path).iterate(asked, 16))
    assert [len(batch) for batch in batches] == [16, 16, 16, 16, 7]
    assert [pair for batch in batches for pair in batch] == [(identity, packed[identity]) for identity in asked]


def test_one_read_reads_a_small_part_of_the_shard(tmp_path: Path) -> None:
    write_shards(many(100), tmp_path)
    shard = pq.ParquetFile(tmp_path / "image-00000.parquet")
    assert shard.num_row_groups == 4  # 100 rows by 32
    columns = {shard.metadata.row_group(0).column(n).path_in_schema: n for n in range(6)}
    assert shard.metadata.row_group(0).column(columns["bytes"]).compression == "UNCOMPRESSED"


def test_an_unknown_id_and_a_broken_shard_are_named(tmp_path: Path) -> None:
    write_shards(many(2), tmp_path)
    with pytest.raises(InvalidSnapshot, match="nowhere"):
        MediaStore(tmp_path).read("nowhere")
    (tmp_path / "image-00001.parquet").write_bytes(b"half a file")
    with pytest.raises(InvalidSnapshot, match="image-00001"):
        MediaStore(tmp_path).ids()


def test_threads_share_a_store_and_processes_get_their_own(tmp_path: Path) -> None:
    packed = dict(many(90))
    write_shards(packed.items(), tmp_path)
    store = MediaStore(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(store.read, packed)) == list(packed.values())
    assert pickle.loads(pickle.dumps(store)).ids() == store.ids()
