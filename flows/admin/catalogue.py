"""Products and pictures of the workspace that `etalage admin` runs in, and products of its earlier snapshots."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from bento.asking.pictures import Pictures
from catalog.media import MediaStore
from catalog.products import Product
from catalog.tables import read_products
from catalog.workspace import MEDIA
from flows import dvc
from flows.lineage.differences import ProductChanges
from flows.lineage.origins import Lineage
from flows.lineage.snapshots import product_changes, products_of
from flows.revision import data_md5

SNAPSHOTS = 2
"""Product tables that are remembered."""
CHANGES = 32


class Catalogue:
    """What is read once and remembered until data/ is another one."""

    def __init__(self, media: Path = MEDIA) -> None:
        self._folder = media
        self._seen: tuple[int, int] | None = None
        self._media = MediaStore(media)
        self._pictures = Pictures(None)
        self._products: OrderedDict[str, Sequence[Product]] = OrderedDict()
        self._changes: OrderedDict[tuple[str, str], ProductChanges] = OrderedDict()

    def media(self) -> MediaStore:
        """The packed media of now: an ingest puts another folder in the place of this one."""
        try:
            found = self._folder.stat()
            seen = (found.st_ino, found.st_mtime_ns)
        except FileNotFoundError:
            seen = None
        if seen != self._seen:
            self._seen, self._media = seen, MediaStore(self._folder)
            self._pictures = Pictures(self._folder if seen else None)
        return self._media

    async def picture(self, request: Request) -> Response:
        """A small picture. Raises UnknownPicture."""
        self.media()
        return await self._pictures.show(request)

    def products(self, lineage: Lineage) -> Sequence[Product]:
        """Those that a release was made of, from data/ or from DVC's cache. Raises SnapshotMissing, StageFailed."""
        known = self._products.get(lineage.snapshot)
        if known is None:
            if lineage.data_md5 is not None and lineage.data_md5 == data_md5():
                known = read_products()
            else:
                known = products_of(lineage.data_md5, dvc.cache_folder())
            self._products[lineage.snapshot] = known
            if len(self._products) > SNAPSHOTS:
                self._products.popitem(last=False)
        return known

    def changes(self, before: Lineage, after: Lineage) -> tuple[ProductChanges | None, str]:
        """Products of `after` against those of `before`; None with the reason where they cannot be counted."""
        key = (before.snapshot, after.snapshot)
        if key in self._changes:
            return self._changes[key], ""
        found, note = product_changes(before, after)
        if found is not None:
            self._changes[key] = found
            if len(self._changes) > CHANGES:
                self._changes.popitem(last=False)
        return found, note
