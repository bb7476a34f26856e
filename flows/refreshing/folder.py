"""releases/<release>/refreshes/<number>/ on the way in: ledger, tokens and record, whole or not at all."""

import shutil
from pathlib import Path

from catalog.media import MediaStore
from catalog.products import Product
from catalog.syncing import sync
from flows.durable import write_durably
from flows.refreshing.ledger import FILE, Ledger, load_ledger
from models.embedding_cache import EmbeddingCache
from models.encoder import Encoder
from models.late.encoder import LateEncoder
from models.late.folder import TOKENS as RELEASED_TOKENS
from models.late.later import later_tokens
from models.late.params import LateParams
from models.late.tokens import ProductTokens
from search.late import LATE
from search.refreshes import RECORD, REFRESHES, TOKENS, RefreshRecord, contents, read_record, refresh_folder
from search.release import ENCODER, RANKING, ReleaseManifest


def prepare(release: Path, record: RefreshRecord, ledger: Ledger, tokens: ProductTokens | None) -> RefreshRecord:
    """Put the folder of a refresh that begins in its place. Returns its record, which names what lies there."""
    folder = refresh_folder(release, record.number)
    draft = folder.with_name(f".{record.number}.new")
    shutil.rmtree(draft, ignore_errors=True)
    ledger.save(draft)
    if tokens is not None:
        tokens.save(draft / TOKENS)
    record = record.model_copy(update={"files": contents(draft)})
    for path in draft.rglob("*"):
        sync(path)
    write_durably(draft / RECORD, record.model_dump_json(indent=2) + "\n")
    shutil.rmtree(folder, ignore_errors=True)  # of a refresh that was cut short
    draft.rename(folder)
    sync(folder.parent)
    return record


def mark_done(release: Path, record: RefreshRecord) -> RefreshRecord:
    """The collection holds what `record` says: from now on whoever serves the release follows."""
    record = record.model_copy(update={"status": "done"})
    write_durably(refresh_folder(release, record.number) / RECORD, record.model_dump_json(indent=2) + "\n")
    return record


def prune(release: Path, number: int) -> None:
    """Keep the records of refreshes before `number`, and of what lay beside them only the release as it was made."""
    for folder in (release / REFRESHES).iterdir():
        if folder.name.startswith("."):
            shutil.rmtree(folder)
        elif 0 < int(folder.name) < number:
            shutil.rmtree(folder / TOKENS, ignore_errors=True)
            (folder / FILE).unlink(missing_ok=True)


def keep_as_made(release: Path, ledger: Ledger) -> None:
    """Write down what the collection held when the release was made, while it is known."""
    folder = refresh_folder(release, 0)
    folder.parent.mkdir(exist_ok=True)
    shutil.rmtree(draft := folder.with_name(".0.new"), ignore_errors=True)
    if load_ledger(folder) == ledger:
        return
    ledger.save(draft)
    sync(draft / FILE)
    folder.mkdir(exist_ok=True)
    (draft / FILE).replace(folder / FILE)
    sync(folder)
    shutil.rmtree(draft)


class LateTokens:
    """What late interaction has to know of products that differ from the release in the folder `release`."""

    def __init__(self, release: Path, manifest: ReleaseManifest, media: MediaStore, cache: EmbeddingCache) -> None:
        self.folder = release / RANKING / LATE
        self._release = release
        self._manifest = manifest
        self._media = media
        self._cache = cache

    def made(self, products: list[Product], after: Ledger, before: Ledger, number: int) -> ProductTokens | None:
        """Tokens of `products` that differ; None where none does, or the release has no late interaction.

        `before` is what the collection holds so far, refresh `number`: where no more differs by now than then, its
        tokens are taken over and nothing is loaded to make any.
        """
        if not self.folder.is_dir():
            return None
        as_made = load_ledger(refresh_folder(self._release, 0))
        differ = _differing(after, as_made)
        if not differ:
            return None
        kept = refresh_folder(self._release, number)
        if number and differ == _differing(before, as_made) and self._is_whole(kept):
            return ProductTokens.load(kept / TOKENS)
        chosen = sorted((p for p in products if p.id in differ), key=lambda product: product.id)
        heads = LateEncoder.load(self.folder, Encoder.load(self._release / ENCODER))
        most = LateParams.model_validate(self._manifest.params.get("late") or {}).title_words
        base = ProductTokens.load(self.folder / RELEASED_TOKENS)
        return later_tokens(chosen, self._media, heads, self.folder, base, most, self._cache)

    def _is_whole(self, folder: Path) -> bool:
        record = read_record(folder)
        return record is not None and (folder / TOKENS).is_dir() and record.files == contents(folder)


def _differing(ledger: Ledger, as_made: Ledger | None) -> dict[str, str]:
    """Product id -> what late interaction sees of it, where that is not as the release was made."""
    known = {} if as_made is None else as_made.entries
    return {key: e.late for key, e in ledger.entries.items() if key not in known or known[key].late != e.late}
