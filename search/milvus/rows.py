"""Rows into a collection of Milvus and out of it again: fill, verify, read. One writer a collection."""

import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from catalog.errors import NotReady
from models.embeddings import FIELDS
from search.filters import KEY
from search.matching import METRICS
from search.milvus.schema import indexes, schema_for, to_entities
from search.rows import Rows
from search.settings import IndexChoice
from search.stored import DIGEST, ENCODER, FACET_NAMES, HAVING, METRIC, READ, RELEASE, SNAPSHOT, RowReader, has

_ROWS_A_CALL = 500  # Milvus takes 64 MB a call; 1,000 rows is the portable limit
_READ_AT_ONCE = 2_000  # Milvus answers with 100 MB at most; Milvus Lite sorts the whole collection for every page
_VERIFIED = 20  # products that must find themselves before a collection counts as finished
_SAME = 1e-3  # in the score
_INDEX_PAUSE = 0.2  # seconds
_LITE = "milvus_lite"


def fill(client: MilvusClient, name: str, rows: Rows, release: str, index: IndexChoice) -> None:
    """Create the collection `name`, insert every row, flush once, index and load. It is not marked as finished."""
    properties = {
        RELEASE: release,
        ENCODER: rows.encoder,
        SNAPSHOT: rows.snapshot,
        METRIC: rows.metric,
        DIGEST: rows.digest,
        FACET_NAMES: json.dumps(rows.fields.facets, ensure_ascii=False),
    }
    client.create_collection(name, schema=schema_for(rows), properties=properties)
    for start in range(0, len(rows), _ROWS_A_CALL):
        client.insert(name, to_entities(rows, range(start, min(start + _ROWS_A_CALL, len(rows)))))
    client.flush(name)
    lite = client.get_server_version().startswith(_LITE)
    client.create_index(name, indexes(index, lite, rows.metric), sync=False)
    for field in HAVING:
        while (state := client.describe_index(name, field)["state"]) != "Finished":
            if state == "Failed":
                raise NotReady(f"Milvus could not build the index {field} of {name}: build the release again.")
            time.sleep(_INDEX_PAUSE)
    client.load_collection(name)


def verify(client: MilvusClient, name: str, rows: Rows) -> None:
    """Every row is there, and products find themselves by each of their vectors. Raises NotReady."""
    counted = client.query(name, filter="", output_fields=["count(*)"], consistency_level="Strong")[0]["count(*)"]
    if counted != len(rows):
        raise NotReady(f"Collection {name} holds {counted} of {len(rows)} products: build the release again.")
    metric = METRICS[rows.metric]
    for field in FIELDS:
        there = np.flatnonzero(rows.present[field])
        for row in there[:: max(1, len(there) // _VERIFIED)]:
            found = client.search(
                name,
                data=[rows.vectors[field][row]],
                anns_field=field,
                filter=f"{has(field)} == true",
                limit=1,
                output_fields=[KEY],
                search_params={"metric_type": metric.milvus},
            )[0]
            if not found or not metric.of_distance(found[0]["distance"]) >= metric.best - _SAME:
                raise NotReady(f"Product {rows.ids[row]} does not find itself by its {field} vector in {name}.")


def read_rows(client: MilvusClient, name: str, properties: Mapping[str, str]) -> Rows:
    """Every row of a finished collection. Raises NotReady when some are gone."""
    client.load_collection(name)
    reader = RowReader()
    pages = client.query_iterator(name, batch_size=_READ_AT_ONCE, output_fields=list(READ))
    while page := pages.next():
        reader.add(page)
    pages.close()
    return reader.rows(name, properties)


def properties_of(client: MilvusClient, name: str, timeout_s: float | None = None) -> dict[str, str]:
    """What describes a collection, by the names in search.stored."""
    described: dict[str, Any] = client.describe_collection(name, timeout=timeout_s)
    return dict(described.get("properties") or {})
