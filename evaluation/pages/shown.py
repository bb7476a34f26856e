"""Products as the pages of this package show them: a small picture, a title, a few facets."""

import base64
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from catalog.media import MediaStore, decode_image
from catalog.products import Product

THUMB = 104  # pixels of the longer side


@dataclass(frozen=True, slots=True)
class Shown:
    """A product in the report. `picture` is a data URI, "" when it has none; `relevant` says if it answers."""

    id: str
    title: str
    facets: str
    picture: str
    relevant: bool


class Thumbnails:
    """Small JPEGs as data URIs, made once per medium."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self._made: dict[str, str] = {}

    def of(self, media_id: str) -> str:
        """The thumbnail of a medium."""
        if media_id not in self._made:
            self._made[media_id] = thumbnail(self._media.read(media_id))
        return self._made[media_id]


def thumbnail(data: bytes) -> str:
    """The picture at most THUMB pixels wide and high, as the data URI of a JPEG."""
    image = decode_image(data)
    image.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=72, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def show_product(product: Product, thumbnails: Thumbnails, relevant: bool = False) -> Shown:
    """`product` with its first picture."""
    facets = ", ".join(dict.fromkeys([*product.category[-1:], *list(product.attributes.values())[:4]]))
    picture = thumbnails.of(product.images[0]) if product.images else ""
    return Shown(product.id, product.title, facets, picture, relevant)
