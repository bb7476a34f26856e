"""The page of a dry run: counts, the mapping, what would be rejected and ten products, with nothing from elsewhere."""

import base64
import io
from pathlib import Path

import yaml

from catalog.media import decode_image
from evaluation.pages.template import template
from flows.ingesting.preview import Preview

TEMPLATE = Path(__file__).with_name("preview.html.j2")
SIDE = 260  # pixels of a picture on a card
PICTURES = 3  # of one product


def render(preview: Preview) -> str:
    """The page, pictures included."""
    cards = [(product, [_inline(data) for data in pictures[:PICTURES]]) for product, pictures in preview.samples]
    return template(TEMPLATE).render(preview=preview, cards=cards, yaml=_mapping_file(preview))


def _inline(data: bytes) -> str:
    image = decode_image(data)
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def _mapping_file(preview: Preview) -> str:
    """The mapping as a file, to be changed and given back with --mapping."""
    return yaml.safe_dump(preview.file, allow_unicode=True, sort_keys=False) if preview.file else ""
