"""A small snapshot that passes every suite, as plain lists that a test spoils before it is written."""

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from catalog.media import media_id
from catalog.products import Interaction, Judgement, Product, Quarantined, Term
from catalog.shards import write_shards
from catalog.snapshot import Snapshot, snapshot_id, write_snapshot
from catalog.tables import (
    write_interactions,
    write_judgements,
    write_products,
    write_quarantine,
    write_terms,
)

COLOURS = ("Red", "Blue", "Green")
KINDS = ("Shirts", "Shoes", "Bags", "Hats")
PRODUCTS, GROUPS = 60, 30  # two variants a group


def picture(number: int, size: tuple[int, int] = (96, 72)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256, 90)).save(stream, "PNG")
    return stream.getvalue()


def product(number: int, **changes: Any) -> Product:
    kind, colour = KINDS[number // 2 % len(KINDS)], COLOURS[number % len(COLOURS)]
    made = Product(
        id=f"p{number}",
        group_id=f"g{number // 2}",
        title=f"{colour} {kind} number {number}",
        category=("Clothes", kind),
        attributes={"colour": colour},
        price=10.0 + number,
        currency="EUR",
        language="en",
        stock=number % 5,
        rating=4.5,
        updated_at="2026-05-01T12:00:00+02:00",
        images=(media_id(picture(number)),),
    )
    return replace(made, **changes)


@dataclass
class World:
    """Everything of one snapshot. `recorded` overrides what snapshot.json says."""

    products: list[Product] = field(default_factory=lambda: [product(number) for number in range(PRODUCTS)])
    media: list[tuple[str, bytes]] = field(
        default_factory=lambda: [(media_id(picture(number)), picture(number)) for number in range(PRODUCTS)]
    )
    terms: list[Term] = field(
        default_factory=lambda: [
            Term("colour", "Red", "zh", "红色"),
            Term("colour", "Blue", "zh", "蓝色"),
            Term("category", "Shirts", "zh", "衬衫"),
        ]
    )
    judgements: list[Judgement] = field(
        default_factory=lambda: [Judgement("red shirt", "p0", 2, "en"), Judgement("red shirt", "p1", 0, "en")]
    )
    interactions: list[Interaction] = field(
        default_factory=lambda: [Interaction("u1", "p0", "view", "2026-05-01T12:00:00Z", "red shirt")]
    )
    quarantined: list[Quarantined] = field(default_factory=list)
    recorded: dict[str, Any] = field(default_factory=dict)
    spoil_media: Callable[[list[dict[str, Any]]], None] | None = None  # is given the rows of the first shard

    def change(self, number: int, **changes: Any) -> None:
        """Spoil one product."""
        self.products[number] = replace(self.products[number], **changes)

    def write(self, data: Path) -> Path:
        """Write the snapshot as ingest lays it out, with a true snapshot.json but for `recorded`."""
        write_products(self.products, data / "products.parquet")
        write_shards(self.media, data / "media")
        if self.spoil_media is not None:
            shard = min((data / "media").glob("*.parquet"))
            rows = pq.ParquetFile(shard).read().to_pylist()
            self.spoil_media(rows)
            pq.write_table(pa.Table.from_pylist(rows), shard)
        write_terms(self.terms, data / "terms.parquet")
        write_judgements(self.judgements, data / "judgements.parquet")
        write_interactions(self.interactions, data / "interactions.parquet")
        write_quarantine(self.quarantined, data / "quarantine.parquet")
        record = Snapshot(
            id=snapshot_id(data),
            source="folder:shop",
            source_rows=len(self.products) + len(self.quarantined),
            products=len(self.products),
            quarantined=dict(Counter(row.reason for row in self.quarantined)),
            media=len({identity for identity, _ in self.media}),
            without_image=sum(not made.images for made in self.products),
            groups=len({made.group_id for made in self.products}),
            terms=len(self.terms),
            judgements=len(self.judgements),
            interactions=len(self.interactions),
            dropped={},
        )
        write_snapshot(replace(record, **self.recorded), data / "snapshot.json")
        return data
