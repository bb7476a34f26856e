"""GET /pictures/{id}: pictures of products, small, for the page: from the packed media that the service was shown.

A release holds vectors and no pictures, and a shop has its own; this is for looking at answers. Media are named by
their content, so what another snapshot holds under an id is the same picture.
"""

import asyncio
import io
from collections import OrderedDict
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from bento.errors import UnknownPicture
from catalog.errors import InvalidMedia, InvalidSnapshot, MediaTooLarge
from catalog.media import MediaStore, decode_image

SIDE = 320  # pixels of the longer side
MOST_KEPT = 1000  # small pictures, some 10 kB each
AT_ONCE = 2  # pictures made small at the same time


class Pictures:
    """Small pictures of the media in `folder`; none where there is no folder. The event loop asks."""

    def __init__(self, folder: Path | None) -> None:
        self._store = None if folder is None else MediaStore(folder)
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def show(self, request: Request) -> Response:
        """The picture as JPEG. Raises UnknownPicture."""
        name = request.path_params["picture_id"]
        small = self._kept.get(name)
        if small is None:
            async with self._turn:
                small = await asyncio.to_thread(self._small, name)
            self._kept[name] = small
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(name)
        headers = {"Cache-Control": "private, max-age=86400, immutable"}  # an id names one content
        return Response(small, media_type="image/jpeg", headers=headers)

    def _small(self, name: str) -> bytes:
        if self._store is None:
            raise UnknownPicture("This service shows no pictures: ETALAGE_SERVICE_PICTURES names their folder.")
        try:
            picture = decode_image(self._store.read(name))
        except (InvalidSnapshot, InvalidMedia, MediaTooLarge):
            raise UnknownPicture("There is no such picture.") from None
        picture.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=82)
        return file.getvalue()
