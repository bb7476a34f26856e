"""Pictures: the one decoder, media ids, and the packed store as it is read (catalog.shards writes it)."""

import hashlib
import io
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageChops, ImageOps

from catalog.errors import InvalidMedia, InvalidSnapshot, MediaTooLarge
from catalog.workspace import MEDIA

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MIN_SIDE = 8
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # JPEG includes the MPO of phones


class ImageHeader(NamedTuple):
    """What a picture says about itself before it is decoded."""

    format: str
    width: int
    height: int


def media_id(data: bytes) -> str:
    """Id of a medium: first 24 hex digits of the sha256 of its bytes. Same bytes, same id."""
    return hashlib.sha256(data).hexdigest()[:24]


def read_header(data: bytes) -> ImageHeader:
    """Format and size of a picture, checked against the limits, without decoding a pixel.

    Raises MediaTooLarge over 20 MB or 40 megapixels; InvalidMedia when it is not a picture or a side is under 8 pixels.
    """
    with _open(data) as image:
        return ImageHeader(image.format or "", *image.size)


def decode_image(data: bytes) -> Image.Image:
    """Decode bytes to an RGB picture: upright (EXIF), first frame, transparency on white, 8 bits a channel.

    Raises as read_header does, and InvalidMedia when the picture is broken or cut short.
    """
    return read_picture(data)[1]


def read_picture(data: bytes) -> tuple[ImageHeader, Image.Image]:
    """What read_header and decode_image say of a picture, which is opened once. Raises as decode_image does."""
    with _open(data) as image:
        header = ImageHeader(image.format or "", *image.size)
        try:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            upright: Image.Image = image
            if image.mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info:
                upright = ImageChops.invert(image)  # Pillow takes every CMYK JPEG for one of Adobe's, inverted
            return header, _as_rgb(upright)
        except Exception:  # noqa: BLE001 - decoders of hostile bytes raise almost anything, and say it in their own words
            raise InvalidMedia("The picture is broken or cut short.") from None


def _open(data: bytes) -> Image.Image:
    if len(data) > MAX_BYTES:
        raise MediaTooLarge(f"The picture has {len(data):,} bytes; the limit is {MAX_BYTES:,}.")
    if not data:
        raise InvalidMedia("The picture is empty.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MediaTooLarge(f"The picture has too many pixels; the limit is {MAX_PIXELS:,}.") from None
    except Exception:  # noqa: BLE001 - parsers of hostile headers raise almost anything
        raise InvalidMedia(f"The bytes are not a picture Etalage reads ({', '.join(FORMATS)}).") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise MediaTooLarge(f"The picture is {width} x {height} pixels; the limit is {MAX_PIXELS:,} in all.")
    if min(width, height) < MIN_SIDE:
        image.close()
        raise InvalidMedia(f"The picture is {width} x {height} pixels; each side needs at least {MIN_SIDE}.")
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # more than 8 bits of grey
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
        full = 65535.0 if image.mode.startswith("I;16") or grey.max() > 255 else (255.0 if grey.max() > 1 else 1.0)
        return Image.fromarray(np.clip(grey * (255.0 / full), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


class MediaStore:
    """The packed media of a snapshot, read by id. Opens nothing until asked; threads may share it; it pickles."""

    def __init__(self, folder: Path = MEDIA) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int, int]] | None = None  # id -> shard, row group, row in it
        self._shards: list[pq.ParquetFile] = []

    def __reduce__(self) -> tuple[type["MediaStore"], tuple[Path]]:
        return MediaStore, (self.folder,)

    def ids(self) -> tuple[str, ...]:
        """All media ids, in the order they were packed."""
        return tuple(self._index())

    def read(self, media_id: str) -> bytes:
        """Bytes of one medium. Raises InvalidSnapshot when the store does not hold it."""
        return next(self.iterate([media_id], 1))[0][1]

    def iterate(self, ids: Sequence[str], batch: int) -> Iterator[list[tuple[str, bytes]]]:
        """Yield lists of at most `batch` pairs (media_id, bytes), in the order of `ids`.

        Raises InvalidSnapshot at the first id the store does not hold.
        """
        index = self._index()
        at, group = (-1, -1), None  # the row group read last; packed order reads each once
        for start in range(0, len(ids), batch):
            found = []
            for identity in ids[start : start + batch]:
                if identity not in index:
                    raise InvalidSnapshot(f"{self.folder} does not hold the medium '{identity}'.")
                *place, row = index[identity]
                if (place[0], place[1]) != at or group is None:
                    at = (place[0], place[1])
                    with self._lock:
                        group = self._shards[at[0]].read_row_group(at[1], columns=["bytes"], use_threads=False)["bytes"]
                found.append((identity, group[row].as_py()))
            yield found

    def _index(self) -> dict[str, tuple[int, int, int]]:
        with self._lock:
            if self._places is None:
                self._shards, places = [], {}
                for number, path in enumerate(sorted(self.folder.glob("*.parquet"))):
                    try:
                        shard = pq.ParquetFile(path, memory_map=True)
                    except (pa.ArrowException, OSError, struct.error) as error:
                        raise InvalidSnapshot(f"{path} is not a readable media shard: {error}") from None
                    self._shards.append(shard)
                    for group in range(shard.num_row_groups):
                        names = shard.read_row_group(group, columns=["media_id"], use_threads=False)["media_id"]
                        places.update({name: (number, group, row) for row, name in enumerate(names.to_pylist())})
                self._places = places
            return self._places
