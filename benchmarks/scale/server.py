"""A Milvus server: the dense leg's part of the project's schema, so that old ones without BM25 can be measured too."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import numpy as np
from pymilvus import DataType, MilvusClient

from benchmarks.scale.served import RELEASE, Asked
from benchmarks.scale.world import World
from search.collection import DENSE, FIELD_OF_LEG
from search.filters import KEY, FilterFields
from search.matching import METRICS
from search.milvus.collection import MilvusCollection
from search.milvus.schema import HNSW
from search.milvus.session import answering, connect
from search.stored import COUNT, ENCODER, FACET_NAMES, has
from search.stored import RELEASE as RELEASE_PROPERTY

FIELD = FIELD_OF_LEG[DENSE]
PRICE = "price"

_TIMEOUT_S = 900.0
_ROWS_A_CALL = 1_000


@contextmanager
def filled(world: World, uri: str, token: str) -> Iterator[Asked]:
    """A collection of its own name, filled, indexed and loaded; it is dropped at the end of the block.

    Raises NotReady when the server does not answer.
    """
    client = connect(uri, token, _TIMEOUT_S)
    name = f"etalage_scale_{uuid4().hex[:12]}"
    try:
        with answering(uri):
            _fill(client, name, world)
        about = {RELEASE_PROPERTY: RELEASE, ENCODER: "", COUNT: str(len(world))}
        about[FACET_NAMES] = json.dumps(FilterFields().facets)
        yield Asked(MilvusCollection(client, uri, name, about, _TIMEOUT_S))
    finally:
        with answering(uri):
            client.drop_collection(name)
        client.close()


def _fill(client: MilvusClient, name: str, world: World) -> None:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(KEY, DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field(FIELD, DataType.FLOAT_VECTOR, dim=world.vectors.shape[1])
    schema.add_field(has(FIELD), DataType.BOOL)
    schema.add_field(PRICE, DataType.DOUBLE)
    client.create_collection(name, schema=schema)
    for start in range(0, len(world), _ROWS_A_CALL):
        part = range(start, min(start + _ROWS_A_CALL, len(world)))
        vectors = np.array(world.vectors[part.start : part.stop])
        client.insert(
            name,
            [
                {KEY: f"p{row:08}", FIELD: vector, has(FIELD): True, PRICE: float(world.prices[row])}
                for row, vector in zip(part, vectors, strict=True)
            ],
        )
    client.flush(name)
    index = MilvusClient.prepare_index_params()
    index.add_index(FIELD, index_name=FIELD, index_type="HNSW", metric_type=METRICS["cosine"].milvus, params=HNSW)
    client.create_index(name, index, timeout=_TIMEOUT_S)
    client.load_collection(name, timeout=_TIMEOUT_S)
