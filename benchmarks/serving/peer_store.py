"""What the search by hand asks: the release's fused vectors and titles, in an embedded store of its own."""

from collections.abc import Mapping
from pathlib import Path

from pymilvus import DataType, MilvusClient

from models.embeddings import ProductEmbeddings
from search.milvus.session import embedded

COLLECTION = "products"
EF = 64
_ROWS_A_CALL = 1000
_MOST_BYTES = 65_535  # of a text in Milvus


def write_store(path: Path, embeddings: ProductEmbeddings, titles: Mapping[str, str]) -> None:
    """Make the store at `path` (it ends in .db). HNSW: on Milvus Lite it answers sooner than FLAT."""
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.VARCHAR, max_length=_MOST_BYTES, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=_MOST_BYTES)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=embeddings.fused.shape[1])
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="COSINE", params={"M": 16, "efConstruction": 200})
    rows = [
        {"id": product_id, "title": titles[product_id], "vector": vector}
        for product_id, vector in zip(embeddings.ids, embeddings.fused, strict=True)
        if vector.any()
    ]
    with embedded(path, wait_s=10) as client:
        client.create_collection(COLLECTION, schema=schema)
        for start in range(0, len(rows), _ROWS_A_CALL):
            client.insert(COLLECTION, rows[start : start + _ROWS_A_CALL])
        client.flush(COLLECTION)
        client.create_index(COLLECTION, index)
