"""The tables of a snapshot as pandas frames, with the derived columns that the suites speak about. No verdicts here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidMedia, InvalidSnapshot, MediaTooLarge
from catalog.media import media_id, read_header
from catalog.products import CATEGORY, Interaction, Judgement, Product, Term
from catalog.snapshot import Snapshot, read_snapshot, snapshot_id
from catalog.tables import read_interactions, read_judgements, read_products, read_quarantine, read_terms
from catalog.words.tokens import normalise
from catalog.workspace import DATA, INTERACTIONS, JUDGEMENTS, MEDIA, PRODUCTS, QUARANTINE, SNAPSHOT, TERMS

# Table -> the columns that name one of its rows to a person; `row` (from 1) is in every frame.
KEYS: Mapping[str, tuple[str, ...]] = {
    "snapshot": (),
    "products": ("id",),
    "media": ("media_id",),
    "terms": ("field", "value"),
    "judgements": ("query", "product_id"),
    "interactions": ("user_id", "product_id"),
}

FEW_GROUPS = 3  # that many product groups may show one picture in the smallest shop

_PRODUCT_FIELDS = frozenset(field.name for field in fields(Product)) | {CATEGORY}
_MEDIA_COLUMNS = ("media_id", "modality", "format", "width", "height")


@dataclass(frozen=True)
class Frames:
    """A snapshot ready to be checked. `tables` holds one frame for each name of KEYS, empty where there is none.

    `facts` are values that sentences quote beside the numbers of an expectation.
    """

    snapshot: str
    source: str
    tables: Mapping[str, pd.DataFrame]
    facts: Mapping[str, str]


def read_frames(data: Path = DATA) -> Frames:
    """Read the snapshot in `data`. Raises InvalidSnapshot when a part is missing or cannot be read."""
    identity = snapshot_id(data)
    record = read_snapshot(_at(data, SNAPSHOT))
    products = read_products(_at(data, PRODUCTS))
    terms = read_terms(_at(data, TERMS))
    judgements = read_judgements(_at(data, JUDGEMENTS))
    interactions = read_interactions(_at(data, INTERACTIONS))
    quarantined = Counter(row.reason for row in read_quarantine(_at(data, QUARANTINE)))
    media = _media(_at(data, MEDIA), products)
    tables = {
        "products": _products(products, set(media["media_id"])),
        "media": media,
        "terms": _terms(terms, products),
        "judgements": _judgements(judgements, products),
        "interactions": _interactions(interactions, products),
    }
    found = {name: len(frame) for name, frame in tables.items()} | {
        "quarantined": quarantined.total(),
        "groups": len({product.group_id for product in products}),
        "without_image": sum(not product.images for product in products),
    }
    return Frames(
        snapshot=identity,
        source=record.source,
        tables={"snapshot": _snapshot(record, identity, found), **tables},
        facts={
            "identity": identity,
            "recorded_identity": record.id,
            "source_rows": f"{record.source_rows:,}",
            "quarantined": f"{quarantined.total():,}",
            "quarantine_reasons": _counted(quarantined),
            "dropped_reasons": _counted(record.dropped),
        },
    )


def _snapshot(record: Snapshot, identity: str, found: Mapping[str, int]) -> pd.DataFrame:
    """One row: what snapshot.json says beside what lies there."""
    recorded = {
        "products": record.products,
        "quarantined": sum(record.quarantined.values()),
        "media": record.media,
        "groups": record.groups,
        "without_image": record.without_image,
        "terms": record.terms,
        "judgements": record.judgements,
        "interactions": record.interactions,
    }
    dropped = sum(count for reason, count in record.dropped.items() if reason.startswith("judgements"))
    row: dict[str, Any] = {"row": 1, "id_recorded": record.id, "id_found": identity}
    for name, count in recorded.items():
        row |= {f"{name}_recorded": count, f"{name}_found": found[name]}
    row |= {
        "source_rows": record.source_rows,
        "accounted_rows": found["products"] + found["quarantined"],
        "quarantined_share": _share(found["quarantined"], record.source_rows),
        "dropped_rows": sum(record.dropped.values()),
        "dropped_judgements_share": _share(dropped, dropped + found["judgements"]),
    }
    return pd.DataFrame([row])


def _products(products: Sequence[Product], media: set[str]) -> pd.DataFrame:
    titles: set[str] = set()
    rows = []
    for product in products:
        title = normalise(product.title or "")
        rows.append(
            {
                "id": product.id or "",
                "group_id": product.group_id or "",
                "title": product.title or "",
                "pictures": len(product.images),
                "without_image": int(not product.images),
                "pictures_known": all(image in media for image in product.images),
                "repeats_title": int(bool(title) and title in titles),
                "category": product.category[-1] if product.category else None,
                "price": product.price,
                "currency": product.currency,
                "language": product.language,
                "stock": product.stock,
                "rating": product.rating,
                "updated_at": product.updated_at,
                "attributes_filled": all(
                    name.strip() and (value or "").strip() for name, value in product.attributes.items()
                ),
                "attributes_reachable": not any(name in _PRODUCT_FIELDS for name in product.attributes),
            }
        )
        titles.add(title)
    return _frame(rows)


def _media(folder: Path, products: Sequence[Product]) -> pd.DataFrame:
    """One row for each medium, its bytes looked at (id, header) and left behind; headers only, no pixel is decoded."""
    groups = {product.group_id for product in products}
    shown = Counter(pair[0] for pair in {(image, product.group_id) for product in products for image in product.images})
    rows = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            shard = pq.ParquetFile(path)
            for group in range(shard.num_row_groups):
                for row in shard.read_row_group(group, use_threads=False).to_pylist():
                    rows.append(_medium(row, shown[row["media_id"]], len(groups)))
        except KeyError as error:
            raise InvalidSnapshot(f"{path} lacks the column {error}: ingest the catalogue again.") from None
        except (pa.ArrowException, OSError) as error:
            raise InvalidSnapshot(f"{path} is not a readable media shard: {error}") from None
    columns = (*_MEDIA_COLUMNS, "size", "short_side", "id_matches", "header", "used", "shown_share")
    return _frame(rows) if rows else pd.DataFrame(columns=["row", *columns])


def _medium(row: Mapping[str, Any], shown: int, groups: int) -> dict[str, Any]:
    data: bytes = row["bytes"] or b""
    sides = (row["width"], row["height"])
    return {
        **{name: row[name] for name in ("width", "height")},
        **{name: row[name] or "" for name in ("media_id", "modality", "format")},
        "size": len(data),
        "short_side": min(sides) if None not in sides else None,
        "id_matches": media_id(data) == row["media_id"],
        "header": _header(data, *sides),
        "used": shown > 0,
        "shown_share": _share(shown, groups) if shown > FEW_GROUPS else 0.0,
    }


def _header(data: bytes, width: int | None, height: int | None) -> str:
    """ "agrees", or what is wrong between a picture's bytes and its row."""
    try:
        header = read_header(data)
    except (InvalidMedia, MediaTooLarge):
        return "unreadable"
    return "agrees" if (header.width, header.height) == (width, height) else "other size"


def _terms(terms: Sequence[Term], products: Sequence[Product]) -> pd.DataFrame:
    occurring = {facet for product in products for facet in product.facets().items()}
    occurring |= {(CATEGORY, level) for product in products for level in product.category}
    return _frame(
        {
            "field": term.field or "",
            "value": term.value or "",
            "language": term.language or "",
            "term": term.term or "",
            "occurs": (term.field, term.value) in occurring,
        }
        for term in terms
    )


def _judgements(judgements: Sequence[Judgement], products: Sequence[Product]) -> pd.DataFrame:
    known = {product.id for product in products}
    grades: dict[str, dict[str, set[int]]] = {}
    for row in judgements:
        grades.setdefault(row.query, {}).setdefault(row.product_id, set()).add(row.grade or 0)
    answered = {query for query, of_query in grades.items() if any(max(given) > 0 for given in of_query.values())}
    return _frame(
        {
            "query": row.query or "",
            "product_id": row.product_id,
            "grade": row.grade,
            "language": row.language,
            "product_known": row.product_id in known,
            "one_grade": len(grades[row.query][row.product_id]) == 1,
            "query_answered": row.query in answered,
        }
        for row in judgements
    )


def _interactions(interactions: Sequence[Interaction], products: Sequence[Product]) -> pd.DataFrame:
    known = {product.id for product in products}
    return _frame(
        {
            "user_id": row.user_id or "",
            "product_id": row.product_id,
            "action": row.action or "",
            "at": row.at or "",
            "product_known": row.product_id in known,
        }
        for row in interactions
    )


def _frame(rows: Any) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    frame.insert(0, "row", range(1, len(frame) + 1))
    return frame


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _counted(counts: Mapping[str, int]) -> str:
    """ "8 no_title, 4 broken_picture", most first; "none" when empty."""
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in most_first if count) or "none"


def _at(data: Path, path: Path) -> Path:
    """`path`, a path of catalog.workspace under data/, in the snapshot folder `data`."""
    return data / path.relative_to(DATA)
