"""A collection that is changed where it stands: rows are upserted and deleted under those who read it.

    with store.changing("r20261121-1", encoder.fingerprint) as change:
        change.begin(3, rows.fields)
        list(change.put(rows))                # upserts whole rows; each is as it was or as it will be, never neither
        change.remove(["p17"])
        change.finish(3, snapshot, digest, products, rows.fields, rows)

`begin` marks the collection before its first row is touched, `finish` takes the mark away with the last word: whoever
finds the mark knows that this was cut short. Every step may be done twice.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymilvus import MilvusClient

from catalog.errors import NotReady
from search.collection import Freshness
from search.filters import KEY, FilterFields, encode
from search.matching import MetricName
from search.milvus.schema import to_entities
from search.rows import Rows
from search.stored import (
    COUNT,
    DIGEST,
    ENCODER,
    FACET_NAMES,
    READ,
    REFRESH,
    REFRESHING,
    SNAPSHOT,
    RowReader,
    freshness_of,
    metric_of,
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What a collection says of itself. `digest` names its rows; who wrote them knows how."""

    snapshot: str
    digest: str
    products: int
    freshness: Freshness
    encoder: str
    metric: MetricName
    facets: tuple[str, ...]


def held(properties: Mapping[str, str]) -> Held:
    """What the properties of a finished collection say."""
    return Held(
        snapshot=properties[SNAPSHOT],
        digest=properties[DIGEST],
        products=int(properties[COUNT]),
        freshness=freshness_of(properties),
        encoder=properties[ENCODER],
        metric=metric_of(properties),
        facets=tuple(json.loads(properties[FACET_NAMES])),
    )


class CollectionChange:
    """One writer at a time may hold it."""

    def __init__(self, client: MilvusClient, name: str, properties: Mapping[str, str]) -> None:
        """`properties` are those of the finished collection `name`."""
        self.name = name
        self.held = held(properties)
        self._client = client
        self._properties = properties
        client.load_collection(name)

    def begin(self, number: int, fields: FilterFields) -> None:
        """Say that refresh `number` is under way; from now on filters may name old and new `fields`."""
        both = sorted({*self.held.facets, *fields.facets})
        self._say({REFRESHING: str(number), FACET_NAMES: json.dumps(both, ensure_ascii=False)})

    def rows(self, ids: Sequence[str], snapshot: str = "") -> Rows:
        """The rows of `ids`, one at least, as they are stored, those that are there: as rows of `snapshot`.

        Raises NotReady where none is.
        """
        reader, found = RowReader(), 0
        for start in range(0, len(ids), _AT_ONCE):
            keys = [encode(product_id) for product_id in ids[start : start + _AT_ONCE]]
            entities = self._client.query(
                self.name,
                filter=f"{KEY} in {json.dumps(keys, ensure_ascii=False)}",
                output_fields=list(READ),
                consistency_level="Strong",
            )
            found += len(entities)
            if entities:
                reader.add([dict(entity) for entity in entities])
        if not found:
            raise NotReady(f"Collection {self.name} does not hold product {ids[0][:60]!r}: build the release again.")
        return reader.rows(self.name, {**self._properties, COUNT: str(found), SNAPSHOT: snapshot})

    def put(self, rows: Rows) -> Iterator[int]:
        """Upsert `rows`, those of other ids stay. Gives how many are written, after each call of Milvus."""
        for start in range(0, len(rows), _AT_ONCE):
            entities = to_entities(rows, range(start, min(start + _AT_ONCE, len(rows))))
            self._client.upsert(self.name, entities)
            yield start + len(entities)

    def remove(self, ids: Sequence[str]) -> None:
        """Delete the rows of `ids`; those that are gone already are no error."""
        for start in range(0, len(ids), _AT_ONCE):
            self._client.delete(self.name, ids=[encode(product_id) for product_id in ids[start : start + _AT_ONCE]])

    def finish(
        self, number: int, snapshot: str, digest: str, products: int, fields: FilterFields, put: Rows | None
    ) -> None:
        """Check that `put` and the number of `products` are what is stored now, and say that refresh `number` is done.

        `snapshot` and `digest` name what the collection holds. Raises NotReady when it does not.
        """
        self._client.flush(self.name)
        if put is not None and self.rows(put.ids, put.snapshot).digest != put.digest:
            raise NotReady(f"Collection {self.name} does not hold what was written: run `etalage refresh` again.")
        asked = self._client.query(self.name, filter="", output_fields=["count(*)"], consistency_level="Strong")
        if (counted := asked[0]["count(*)"]) != products:
            raise NotReady(
                f"Collection {self.name} holds {counted} of {products} products: run `etalage refresh` again."
            )
        self._say({
            REFRESH: str(number),
            REFRESHING: "",
            SNAPSHOT: snapshot,
            DIGEST: digest,
            COUNT: str(products),
            FACET_NAMES: json.dumps(fields.facets, ensure_ascii=False),
        })  # fmt: skip

    def _say(self, properties: dict[str, Any]) -> None:
        self._client.alter_collection_properties(self.name, properties)
        self._properties = {**self._properties, **properties}
