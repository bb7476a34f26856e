"""A release's collection in Milvus: fields, indexes, and rows there and back, in the subset that all backends share.

key (id, encoded)   group_key   fused image text (unit vectors)   has_fused has_image has_text
words -> lexical (BM25)   has_lexical   facets (tags)   price rating stock   in_stock   payload (what a hit shows)

A missing vector is stored as the first axis beside has_<field> = false: a zero vector has no cosine.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pymilvus import DataType, Function, FunctionType, MilvusClient

from catalog.errors import NotReady
from models.embeddings import FIELDS
from search.collection import LEXICAL
from search.filters import FACETS, GROUP, IN_STOCK, KEY, RANGES, encode
from search.lexical import K1, B
from search.matching import METRICS, MetricName
from search.rows import Floats, Rows, sellable
from search.settings import IndexChoice

WORDS = "words"
PAYLOAD = "payload"
PREFIX = "products_"
ALIAS = "products"

# Properties of a collection.
ENCODER = "etalage.encoder"
RELEASE = "etalage.release"
SNAPSHOT = "etalage.snapshot"
DIGEST = "etalage.rows"
FACET_NAMES = "etalage.facets"
METRIC = "etalage.metric"
COUNT = "etalage.products"  # set last: a collection without it was never finished

HAVING = (*FIELDS, LEXICAL)  # what a product can have or lack
READ = (*FIELDS, *(f"has_{name}" for name in HAVING), WORDS, PAYLOAD)
MOST_TAGS = 4096
_BUILD: Mapping[str, dict[str, int]] = {"HNSW": {"M": 24, "efConstruction": 200}}


def collection_name(release: str) -> str:
    """products_<release>; Milvus allows letters, digits and _ in names."""
    return PREFIX + release.replace("-", "_")


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


def has(name: str) -> str:
    """Name of the flag that says whether a product has a vector in that field, or words for the lexical leg."""
    return f"has_{name}"


def metric_of(properties: Mapping[str, str]) -> MetricName:
    """How the collection's vectors are compared. Raises NotReady when this version does not know it."""
    named = properties.get(METRIC, "cosine")  # older collections do not say it, and are all of one kind
    for metric in METRICS:
        if named == metric:
            return metric
    raise NotReady(f"The collection compares vectors by {named!r}, which this version does not know.")


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


class RowReader:
    """Gathers entities, in any order, into Rows."""

    def __init__(self) -> None:
        self._payloads: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._vectors: dict[str, list[Floats]] = {field: [] for field in FIELDS}
        self._present: dict[str, list[bool]] = {field: [] for field in FIELDS}

    def add(self, entities: Sequence[dict[str, Any]]) -> None:
        """Take entities that hold the fields READ."""
        for entity in entities:
            self._payloads.append(dict(entity[PAYLOAD]))
            self._words.append(str(entity[WORDS]) if entity[has(LEXICAL)] else "")
            for field in FIELDS:
                self._present[field].append(bool(entity[has(field)]))
        for field in FIELDS:
            self._vectors[field].append(np.array([entity[field] for entity in entities], dtype=np.float32))

    def rows(self, encoder: str, snapshot: str, metric: MetricName) -> Rows:
        """All that was added, sorted by id."""
        order = sorted(range(len(self._payloads)), key=lambda row: str(self._payloads[row]["id"]))
        present = {field: np.array(flags, dtype=bool)[order] for field, flags in self._present.items()}
        vectors = {field: np.concatenate(parts)[order] for field, parts in self._vectors.items()}
        for field, matrix in vectors.items():
            matrix[~present[field]] = 0.0
        return Rows(
            ids=tuple(str(self._payloads[row]["id"]) for row in order),
            payloads=tuple(self._payloads[row] for row in order),
            words=tuple(self._words[row] for row in order),
            vectors=vectors,
            present=present,
            encoder=encoder,
            snapshot=snapshot,
            metric=metric,
        )


def _axis(dim: int) -> Floats:
    vector = np.zeros(dim, dtype=np.float32)
    vector[0] = 1.0
    return vector
