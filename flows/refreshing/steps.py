"""A refresh, step by step, safe against kill -9 at any of them:

    what changed -> encode it (kept by content) -> refreshes/<n>/ with a record "begun" -> mark the collection
    -> upsert, delete -> compare, and unmark the collection -> record "done"

The collection is the truth. One that is marked was left half-way: it is read whole, and what differs from the catalogue
is written once more. Who holds flows.durable.one_writer runs this.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from catalog.media import MediaStore
from catalog.tables import read_products, read_terms
from flows.refreshing.folder import LateTokens, keep_as_made, mark_done, prepare, prune
from flows.refreshing.ledger import Ledger, ledger_of, load_ledger
from flows.refreshing.plan import Plan, plan_of
from flows.refreshing.rows import rows_to_write
from flows.releases import ReleaseStore
from flows.retention.keeping import CACHES
from models.embed_changed import embed_through, to_encode
from models.embedding_cache import EmbeddingCache
from models.embeddings import ProductEmbeddings
from models.encoder import Encoder
from models.params import EmbedParams
from search.collection import AS_MADE
from search.contents import check_contents
from search.milvus.change import CollectionChange, Held
from search.milvus.store import MilvusStore
from search.refreshes import Changes, RefreshRecord, read_record, records, refresh_folder
from search.release import ENCODER, ReleaseManifest
from search.rows import Rows, filter_fields
from search.settings import SearchSettings


@dataclass(frozen=True)
class Refreshed:
    """What a refresh came to. `encoded` products went through the encoder; without `record` nothing was written."""

    release: str
    snapshot: str
    changes: Changes
    encoded: int
    seconds: float
    record: RefreshRecord | None = None


def _nothing(step: str) -> None:
    """Nobody watches the steps."""


class Refresh:
    """The champion of `store`, whose rows are in `collections`, brought to the catalogue in data/.

    Raises ReleaseNotFound without a champion or its collection, TamperedRelease or EncoderMismatch where its encoder is
    not the one that made its vectors, NotReady where Milvus does not answer.
    """

    def __init__(self, store: ReleaseStore, collections: MilvusStore, snapshot: str) -> None:
        """`snapshot` is the id of what is in data/."""
        self.started = time.monotonic()
        self.manifest: ReleaseManifest = store.champion_manifest()
        self.folder: Path = store.folder(self.manifest.release)
        self._collections = collections
        self._params = EmbedParams.model_validate(self.manifest.params.get("embed") or {})
        self._cache = EmbeddingCache(store.home / CACHES, self.manifest.encoder)
        self.held: Held = collections.held(self.manifest.release)
        self.before: Ledger = self._ledger()
        self.plan: Plan = plan_of(
            self.before, read_products(), read_terms(), self._params.pictures, self.manifest.encoder, snapshot
        )

    @property
    def is_needed(self) -> bool:
        """Whether the collection differs from the catalogue, or was left half-way."""
        other = self.held.snapshot != self.plan.snapshot and not self.plan.is_empty
        return other or self.held.freshness.coming > 0

    @property
    def is_settled(self) -> bool:
        """Whether `run` would write nothing at all, not even the last word of one that was cut short."""
        return not self.is_needed and self._unsettled() is None

    def forecast(self) -> Refreshed:
        """What `run` would do. Nothing is written, and nothing encoded."""
        encoded = to_encode(self._cache, [*self.plan.new, *self.plan.content], self._params)
        return self._outcome(encoded, None)

    def run(self, data_md5: str | None, reached: Callable[[str], None] = _nothing) -> Refreshed:
        """Do it. `data_md5` is what data.dvc names; `reached` is told each step (tests kill there)."""
        self._settle()
        if not self.is_needed:
            return self._outcome(0, None)
        check_contents(self.manifest, self.folder)
        media = MediaStore()
        embeddings, encoded = self._encoded(media)
        reached("encoded")
        if self.held.freshness == AS_MADE:
            keep_as_made(self.folder, self.before)
        late = LateTokens(self.folder, self.manifest, media, self._cache)
        tokens = late.made(list(self.plan.products), self.plan.ledger, self.before, self.held.freshness.number)
        number = 1 + max([self.held.freshness.number, *(r.number for r in records(self.folder) if r.status == "done")])
        with self._collections.changing(self.manifest.release, self.manifest.encoder) as change:
            rows = rows_to_write(change, self.plan, embeddings)
            record = prepare(self.folder, self._record(number, encoded, data_md5), self.plan.ledger, tokens)
            reached("prepared")
            self._write(change, rows, number, reached)
        record = mark_done(self.folder, record.model_copy(update={"seconds": self._seconds()}))
        reached("done")
        prune(self.folder, number)
        return self._outcome(encoded, record)

    def _write(self, change: CollectionChange, rows: Rows | None, number: int, reached: Callable[[str], None]) -> None:
        fields = filter_fields(name for product in self.plan.products for name in product.attributes)
        change.begin(number, fields)
        reached("begun")
        for part in change.put(rows) if rows is not None else ():
            reached(f"put {part}")
        change.remove(self.plan.gone)
        reached("removed")
        ledger = self.plan.ledger
        change.finish(number, self.plan.snapshot, ledger.collection, len(ledger.entries), fields, rows)
        reached("finished")

    def _ledger(self) -> Ledger:
        """What the collection holds: as it was written down, unless the collection says otherwise."""
        number, coming = self.held.freshness
        ledger = load_ledger(refresh_folder(self.folder, number))
        if not coming and ledger is not None and ledger.collection == self.held.digest:
            return ledger
        rows = self._collections.rows(self.manifest.release)
        return ledger_of(rows, self._params.pictures, self.held.digest)

    def _settle(self) -> None:
        """Finish the record of a refresh that was killed between its last row and its last word."""
        if (record := self._unsettled()) is not None:
            mark_done(self.folder, record)
            prune(self.folder, record.number)

    def _unsettled(self) -> RefreshRecord | None:
        """A record that says "begun" of a refresh whose rows are all there."""
        number, coming = self.held.freshness
        record = read_record(refresh_folder(self.folder, number))
        if record is None or record.status == "done" or coming or record.snapshot != self.held.snapshot:
            return None
        return record

    def _encoded(self, media: MediaStore) -> tuple[ProductEmbeddings | None, int]:
        """Vectors of what is new or looks or reads otherwise; None where nothing does, and no encoder is loaded."""
        wanted = [*self.plan.new, *self.plan.content]
        if not wanted:
            return None, 0
        encoder = Encoder.load(self.folder / ENCODER)
        encoder.check_probes()
        return embed_through(self._cache, wanted, media, encoder, self.plan.snapshot, self._params)

    def _record(self, number: int, encoded: int, data_md5: str | None) -> RefreshRecord:
        return RefreshRecord(
            number=number,
            release=self.manifest.release,
            status="begun",
            at=datetime.now(UTC).replace(microsecond=0),
            snapshot=self.plan.snapshot,
            data_md5=data_md5,
            before=self.held.snapshot,
            encoder=self.manifest.encoder,
            collection=self.manifest.collection,
            milvus_server=SearchSettings().server,
            products=len(self.plan.products),
            changes=self.plan.changes,
            encoded=encoded,
            files={},
        )

    def _outcome(self, encoded: int, record: RefreshRecord | None) -> Refreshed:
        plan, release = self.plan, self.manifest.release
        return Refreshed(release, plan.snapshot, plan.changes, encoded, self._seconds(), record)

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)
