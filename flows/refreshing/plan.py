"""What a refresh has to do, from what the collection holds and what the catalogue says now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import InvalidSnapshot
from catalog.products import Product, Term
from catalog.words.terms import TermIndex
from flows.refreshing.ledger import Entry, Ledger, collection_digest, entry_of, record_digest, terms_digest
from search.refreshes import Changes


@dataclass(frozen=True)
class Plan:
    """`new`, `content` (other words or pictures) and `scalars` (anything else) are to be written, `gone` deleted.

    `ledger` is what the collection holds then.
    """

    products: Sequence[Product]
    terms: TermIndex
    snapshot: str
    ledger: Ledger
    new: Sequence[Product]
    content: Sequence[Product]
    scalars: Sequence[Product]
    gone: Sequence[str]

    @property
    def changes(self) -> Changes:
        """All of them, counted."""
        written = len(self.new) + len(self.content) + len(self.scalars)
        return Changes(
            new=len(self.new),
            content=len(self.content),
            scalars=len(self.scalars),
            gone=len(self.gone),
            unchanged=len(self.products) - written,
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.changes.unchanged == len(self.products) and not self.gone


def plan_of(
    before: Ledger, products: Sequence[Product], terms: Sequence[Term], pictures: int, encoder: str, snapshot: str
) -> Plan:
    """How a collection that holds `before` comes to hold `products` of `snapshot`.

    Most products are told apart by one digest of all that they are; only of the others is anything worked out. Raises
    InvalidSnapshot where two have the same id.
    """
    names, known = terms_digest(terms), before.entries
    index = TermIndex(terms)
    entries: dict[str, Entry] = {}
    new: list[Product] = []
    content: list[Product] = []
    scalars: list[Product] = []
    for product in sorted(products, key=lambda product: product.id):
        if product.id in entries:
            raise InvalidSnapshot(f"Two products have the id {product.id[:60]!r}: ingest the catalogue again.")
        record, held = record_digest(product), known.get(product.id)
        if held is not None and held.record == record and before.terms == names:
            entries[product.id] = held
            continue
        entry = entries[product.id] = entry_of(product, record, index, pictures)
        if held is None:
            new.append(product)
        elif held.content != entry.content:
            content.append(product)
        elif held.row != entry.row:
            scalars.append(product)
    return Plan(
        products=products,
        terms=index,
        snapshot=snapshot,
        ledger=Ledger(entries, names, collection_digest(entries, encoder, snapshot)),
        new=new,
        content=content,
        scalars=scalars,
        gone=sorted(known.keys() - entries.keys()),
    )
