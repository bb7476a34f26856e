"""A release's collection in Milvus: fields, indexes, and rows as entities, in the subset that all backends share.

key (id, encoded)   group_key   fused image text (unit vectors)   has_fused has_image has_text
words -> lexical (BM25)   has_lexical   facets (tags)   price rating stock   in_stock   payload (what a hit shows)

A missing vector is stored as the first axis beside has_<field> = false: a zero vector has no cosine.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pymilvus import DataType, Function, FunctionType, MilvusClient

from models.embeddings import FIELDS
from search.collection import LEXICAL
from search.filters import FACETS, GROUP, IN_STOCK, KEY, RANGES, encode
from search.lexical import K1, B
from search.matching import METRICS, MetricName
from search.rows import Floats, Rows, sellable
from search.settings import IndexChoice
from search.stored import HAVING, PAYLOAD, WORDS, has

MOST_TAGS = 4096
HNSW = {"M": 24, "efConstruction": 200}  # how the graph is built
_BUILD: Mapping[str, dict[str, int]] = {"HNSW": HNSW}


def schema_for(rows: Rows) -> Any:
    """Fields of a collection that holds `rows`."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(KEY, DataType.VARCHAR, is_primary=True, max_length=4096)
    schema.add_field(GROUP, DataType.VARCHAR, max_length=4096)
    for field in FIELDS:
        schema.add_field(field, DataType.FLOAT_VECTOR, dim=rows.vectors[field].shape[1])
    for name in HAVING:
        schema.add_field(has(name), DataType.BOOL)
    analyzer = {"tokenizer": "standard"}  # stored_words are safe with any; Lite knows no `whitespace`
    schema.add_field(WORDS, DataType.VARCHAR, max_length=65_535, enable_analyzer=True, analyzer_params=analyzer)
    schema.add_field(LEXICAL, DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, input_field_names=[WORDS], output_field_names=[LEXICAL]))
    schema.add_field(FACETS, DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=MOST_TAGS, max_length=2048)
    for field in RANGES:
        schema.add_field(field, DataType.DOUBLE, nullable=True)
    schema.add_field(IN_STOCK, DataType.BOOL)
    schema.add_field(PAYLOAD, DataType.JSON)
    return schema


def indexes(choice: IndexChoice, lite: bool, metric: MetricName) -> Any:
    """An index for each vector field, and BM25 with our constants. HNSW on Lite loses filtered hits: FLAT there."""
    kind = choice if choice != "auto" else "FLAT" if lite else "HNSW"
    params = MilvusClient.prepare_index_params()
    for field in FIELDS:
        name = METRICS[metric].milvus
        params.add_index(field, index_name=field, index_type=kind, metric_type=name, params=_BUILD.get(kind, {}))
    bm25: dict[str, Any] = {"bm25_k1": K1, "bm25_b": B}
    if lite:
        bm25 = {"params": json.dumps(bm25)}  # pymilvus 3 sends constants one by one; Lite reads this key alone
    sparse = "SPARSE_INVERTED_INDEX"
    params.add_index(LEXICAL, index_name=LEXICAL, index_type=sparse, metric_type="BM25", params=bm25)
    return params


def to_entities(rows: Rows, at: Iterable[int]) -> list[dict[str, Any]]:
    """Rows number `at` as MilvusClient.insert takes them."""
    entities = []
    for row in at:
        payload = rows.payloads[row]
        entity: dict[str, Any] = {
            KEY: encode(rows.ids[row]),
            GROUP: encode(payload["group_id"]),
            WORDS: rows.words[row] or "-",
            has(LEXICAL): bool(rows.words[row]),
            FACETS: list(rows.tags[row]),
            IN_STOCK: sellable(payload),
            PAYLOAD: payload,
        }
        entity |= {field: None if payload[field] is None else float(payload[field]) for field in RANGES}
        for field in FIELDS:
            there = bool(rows.present[field][row])
            entity[has(field)] = there
            entity[field] = rows.vectors[field][row] if there else _axis(rows.vectors[field].shape[1])
        entities.append(entity)
    return entities


def _axis(dim: int) -> Floats:
    vector = np.zeros(dim, dtype=np.float32)
    vector[0] = 1.0
    return vector
