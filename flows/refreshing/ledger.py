"""What a collection holds, product by product, as short digests: what tells a refresh what changed without asking it.

`record` of the whole product, to see at once that nothing changed; `content` of what the encoder sees; `row` of what a
hit shows and its words; `late` of what late interaction sees. "" where that is not known.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from models.embedding_cache import content_key
from search.rows import MOST_DESCRIPTION, Payload, Rows, payload_of, product_of, words_of_product

FILE = "ledger.parquet"
_ABOUT = b"etalage"


class Entry(NamedTuple):
    """One product."""

    record: str
    content: str
    row: str
    late: str


@dataclass(frozen=True)
class Ledger:
    """`collection`: the digest that the collection carries while it holds this. `terms`: of the table of terms."""

    entries: Mapping[str, Entry]
    terms: str
    collection: str

    def save(self, folder: Path) -> None:
        """Write `folder`/ledger.parquet."""
        columns = {"id": list(self.entries)}
        columns |= {name: [getattr(entry, name) for entry in self.entries.values()] for name in Entry._fields}
        about = {"terms": self.terms, "collection": self.collection, "digest": _digest_of(self.entries)}
        table = pa.table(columns).replace_schema_metadata({_ABOUT: json.dumps(about)})
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / FILE, compression="zstd")


def load_ledger(folder: Path) -> Ledger | None:
    """What `save` wrote into `folder`; None where it is missing or broken: the collection itself knows better."""
    try:
        table = pq.read_table(folder / FILE)
        about = json.loads(table.schema.metadata[_ABOUT])
        columns = [table[name].to_pylist() for name in Entry._fields]
        entries = {key: Entry(*values) for key, *values in zip(table["id"].to_pylist(), *columns, strict=True)}
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    whole = about["digest"] == _digest_of(entries)
    return Ledger(entries, about["terms"], about["collection"]) if whole else None


def ledger_made(products: Sequence[Product], rows: Rows, terms: Iterable[Term], pictures: int) -> Ledger:
    """What a collection holds that was just filled with `rows` of `products`."""
    entries = ledger_of(rows, pictures, rows.digest).entries
    known = {
        product.id: entries[product.id]._replace(record=record_digest(product), content=content_key(product, pictures))
        for product in products
    }
    return Ledger({key: known[key] for key in rows.ids}, terms_digest(terms), rows.digest)


def ledger_of(rows: Rows, pictures: int, collection: str) -> Ledger:
    """What is known of products from their stored `rows` alone. A description that was cut tells no content."""
    entries = {}
    for payload, words in zip(rows.payloads, rows.words, strict=True):
        product = product_of(payload)
        cut = len(product.description) >= MOST_DESCRIPTION
        content = "" if cut else content_key(product, pictures)
        entries[product.id] = Entry("", content, row_digest(payload, words), late_digest(product))
    return Ledger(entries, "", collection)


def collection_digest(entries: Mapping[str, Entry], encoder: str, snapshot: str) -> str:
    """Names what a refreshed collection holds."""
    return "ledger-" + hashlib.sha256(f"{encoder}\0{snapshot}\0{_digest_of(entries)}".encode()).hexdigest()[:16]


def entry_of(product: Product, record: str, terms: TermIndex, pictures: int) -> Entry:
    """What the collection shall hold of `product`."""
    row = row_digest(payload_of(product), words_of_product(product, terms))
    return Entry(record, content_key(product, pictures), row, late_digest(product))


def record_digest(product: Product) -> str:
    """Of all fields."""
    values = [getattr(product, name) for name in _PLAIN]
    return _short(repr((values, list(product.attributes.items()))))


def row_digest(payload: Payload, words: str) -> str:
    """Of what is stored beside the vectors."""
    return _short(json.dumps([payload, words], sort_keys=True))


def late_digest(product: Product) -> str:
    """Of what late interaction sees: the title and the first picture."""
    return _short(json.dumps([product.title, product.images[:1]]))


def terms_digest(terms: Iterable[Term]) -> str:
    """Of the table of terms, whose words the lexical leg finds."""
    return _short(json.dumps([list(asdict(term).values()) for term in terms]))


_PLAIN: Sequence[str] = tuple(field.name for field in fields(Product) if field.name != "attributes")


def _digest_of(entries: Mapping[str, Entry]) -> str:
    whole = hashlib.sha256()
    for key, entry in sorted(entries.items()):
        whole.update(json.dumps([key, entry.content, entry.row, entry.late]).encode())
    return whole.hexdigest()


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
