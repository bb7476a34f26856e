"""Small folders that look like a shop's export."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

MAPPING = """
products: products.csv
columns: {id: sku, title: name, images: [photo], category: [department, kind], price: price}
attributes: {colour: color, gender: gender}
defaults: {language: en, currency: EUR}
media: photos
"""

HEADER = "sku,name,photo,department,kind,price,color,gender"

Picture = Callable[..., bytes]
Shop = Callable[..., Path]


@pytest.fixture
def picture() -> Picture:
    """Make a small picture file of one colour."""

    def make(
        colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (32, 24), kind: str = "JPEG"
    ) -> bytes:
        stream = io.BytesIO()
        Image.new("RGB", size, colour).save(stream, kind)
        return stream.getvalue()

    return make


@pytest.fixture
def shop(tmp_path: Path, picture: Picture) -> Shop:
    """Write a source folder from CSV lines (without the header); photos/red.jpg and photos/blue.png are there."""

    def write(*lines: str, mapping: str = MAPPING, header: str = HEADER, encoding: str = "utf-8") -> Path:
        folder = tmp_path / "shop"
        (folder / "photos").mkdir(parents=True, exist_ok=True)
        (folder / "photos/red.jpg").write_bytes(picture())
        (folder / "photos/blue.png").write_bytes(picture((20, 40, 220), kind="PNG"))
        (folder / "products.csv").write_bytes(("\n".join([header, *lines]) + "\n").encode(encoding))
        (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
        return folder

    return write
