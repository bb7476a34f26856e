"""Pictures as callers have them: a path, bytes, an open file, a URL."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

Picture = str | Path | bytes | BinaryIO
"""A path, the bytes of a picture file, an open one, a data: URL; or an http(s) URL, which the service fetches."""


def pictures_and_url(given: Picture | Sequence[Picture]) -> tuple[list[str], str | None]:
    """Pictures as the service takes them (base64, data: URLs), and the one that it is to fetch itself.

    A file is read here, once, so that a request can be sent again. Raises OSError, and ValueError for two http(s) URLs.
    """
    pictures = given if isinstance(given, Sequence) and not isinstance(given, str | bytes) else [given]
    here: list[str] = []
    url: str | None = None
    for picture in pictures:
        if not (isinstance(picture, str) and picture.startswith(("http://", "https://"))):
            here.append(_sent(picture))
        elif url is None:
            url = picture
        else:
            raise ValueError("A search takes one picture by its URL: send the others as files.")
    return here, url


def _sent(picture: Picture) -> str:
    if isinstance(picture, str) and picture.startswith("data:"):
        return picture
    if isinstance(picture, str | Path):
        content = Path(picture).read_bytes()
    else:
        content = picture if isinstance(picture, bytes) else picture.read()
    return base64.b64encode(content).decode("ascii")
