"""A collection that Milvus itself searches."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from catalog.errors import UnknownProduct
from search.collection import DECIMALS, FIELD_OF_LEG, LEXICAL, Scored, Vector
from search.deadline import seconds_left
from search.filters import EVERYTHING, FACETS, KEY, Filter, FilterFields, decode, encode, to_milvus
from search.lexical import stored_words
from search.matching import METRICS
from search.milvus.session import answering
from search.rows import Payload
from search.stored import COUNT, ENCODER, FACET_NAMES, HAVING, PAYLOAD, RELEASE, freshness_of, has, metric_of

MOST_AT_ONCE = 16_384  # results of one call, by Milvus
_LEAST_EF = 128
_KEYS_AT_ONCE = 500


class MilvusCollection:
    """See search.collection.Collection. Threads may share it."""

    def __init__(
        self, client: MilvusClient, uri: str, name: str, properties: Mapping[str, str], timeout_s: float
    ) -> None:
        """`properties` are those of the collection (search.stored); `timeout_s` limits each call, and so does
        search.deadline."""
        self.name = name
        self.release = properties[RELEASE]
        self.encoder = properties[ENCODER]
        self.metric = metric_of(properties)
        self.freshness = freshness_of(properties)
        self.fields = FilterFields(facets=tuple(json.loads(properties[FACET_NAMES])))
        self._count = int(properties[COUNT])
        self._client = client
        self._uri = uri
        self._timeout_s = timeout_s

    def count(self) -> int:
        """N."""
        return self._count

    def close(self) -> None:
        """End its connection, or its share in that of the process."""
        self._client.close()

    def search(self, leg: str, query: Vector | str, limit: int, narrow: Filter = EVERYTHING) -> Scored:
        """See Collection. At most MOST_AT_ONCE."""
        limit = min(limit, MOST_AT_ONCE)
        expression = to_milvus(narrow)
        data: Any
        params: dict[str, Any]
        if leg == LEXICAL:
            words = stored_words(str(query))
            if not words:
                return []
            field, data, params = LEXICAL, " ".join(words), {"metric_type": "BM25"}
        else:
            field, data = FIELD_OF_LEG[leg], np.asarray(query, dtype=np.float32)
            params = {"metric_type": METRICS[self.metric].milvus, "params": {"ef": max(limit, _LEAST_EF)}}
            there = f"{has(field)} == true"
            expression = f"{there} and {expression}" if expression else there
        with answering(self._uri):
            found = self._client.search(
                self.name,
                data=[data],
                anns_field=field,
                filter=expression,
                limit=limit,
                output_fields=[KEY],
                search_params=params,
                timeout=seconds_left(self._timeout_s),
            )[0]
        # BM25 comes negative from Lite and positive from a server.
        of_distance = abs if leg == LEXICAL else METRICS[self.metric].of_distance
        scores = [(decode(hit[KEY]), of_distance(hit["distance"])) for hit in found]
        rounded = [(product_id, round(score, DECIMALS)) for product_id, score in scores]
        return sorted(rounded, key=lambda scored: (-scored[1], scored[0]))

    def legs_of(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """The legs in which each product can be found at all."""
        legs = {}
        for product_id, entity in zip(ids, self._fetch(ids, [*map(has, HAVING)]), strict=True):
            able = [leg for leg, field in FIELD_OF_LEG.items() if entity[has(field)]]
            legs[product_id] = frozenset([*able, LEXICAL] if entity[has(LEXICAL)] else able)
        return legs

    def tags_of(self, ids: Sequence[str]) -> dict[str, Sequence[str]]:
        """The facet tags of each product. Raises UnknownProduct."""
        return {
            product_id: tuple(entity[FACETS])
            for product_id, entity in zip(ids, self._fetch(ids, [FACETS]), strict=True)
        }

    def products(self, ids: Sequence[str]) -> list[Payload]:
        """What a hit shows of each product. Raises UnknownProduct."""
        return [dict(entity[PAYLOAD]) for entity in self._fetch(ids, [PAYLOAD])]

    def vectors(self, ids: Sequence[str], field: str) -> Vector:
        """Rows [len(ids), D] of `field`, zero where missing. Raises UnknownProduct."""
        entities = self._fetch(ids, [field, has(field)])
        rows = np.array([entity[field] for entity in entities], dtype=np.float32)
        rows[[not entity[has(field)] for entity in entities]] = 0.0
        return rows

    def _fetch(self, ids: Sequence[str], fields: list[str]) -> list[dict[str, Any]]:
        """One entity for each of `ids`, in their order."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            keys = [encode(product_id) for product_id in ids[start : start + _KEYS_AT_ONCE]]
            with answering(self._uri):
                entities = self._client.query(
                    self.name,
                    filter=f"{KEY} in {json.dumps(keys, ensure_ascii=False)}",
                    output_fields=[KEY, *fields],
                    timeout=seconds_left(self._timeout_s),
                )
            found.update((entity[KEY], entity) for entity in entities)
        missing = [product_id for product_id in ids if encode(product_id) not in found]
        if missing:
            raise UnknownProduct(f"There is no product {missing[0][:100]!r} in {self.release}.")
        return [found[encode(product_id)] for product_id in ids]
