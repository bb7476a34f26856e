"""Vectors of every product of a snapshot, as one folder: artifacts/embeddings.

products.parquet                 id, has_text, has_image; row i is row i of the arrays
fused.npy  text.npy  image.npy   float32 [N, D], unit rows, zero where missing
embeddings.json                  encoder fingerprint, snapshot id, N, D
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from catalog.arrays import read_array
from catalog.errors import NotReady
from catalog.workspace import EMBEDDINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
FIELDS = ("fused", "text", "image")


@dataclass(frozen=True)
class ProductEmbeddings:
    """N products, D dimensions. `encoder` and `snapshot` say what they were made with and from."""

    ids: Sequence[str]
    fused: Floats
    text: Floats
    image: Floats
    has_text: Mask
    has_image: Mask
    encoder: str
    snapshot: str

    def __len__(self) -> int:
        return len(self.ids)


def save_embeddings(embeddings: ProductEmbeddings, folder: Path = EMBEDDINGS) -> None:
    """Write the folder; embeddings.json last, so a half-written one is never read."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"id": list(embeddings.ids), "has_text": embeddings.has_text, "has_image": embeddings.has_image}
    pq.write_table(pa.table(columns), folder / "products.parquet")
    for field in FIELDS:
        np.save(folder / f"{field}.npy", getattr(embeddings, field))
    count, dim = embeddings.fused.shape
    about = {"encoder": embeddings.encoder, "snapshot": embeddings.snapshot, "products": count, "dim": dim}
    (folder / "embeddings.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_embeddings(folder: Path = EMBEDDINGS) -> ProductEmbeddings:
    """Read what `save_embeddings` wrote. Raises NotReady when it is missing or its parts do not fit together."""
    try:
        about = json.loads((folder / "embeddings.json").read_text(encoding="utf-8"))
        table = pq.read_table(folder / "products.parquet")
        arrays = {field: read_array(folder / f"{field}.npy") for field in FIELDS}
    except FileNotFoundError as error:
        raise NotReady(f"{folder} holds no embeddings ({error.filename} is missing): run the embed stage.") from None
    shape = (about["products"], about["dim"])
    if any(array.shape != shape for array in arrays.values()) or table.num_rows != shape[0]:
        raise NotReady(
            f"{folder} does not hold {shape[0]} products of {shape[1]} dimensions: run the embed stage again."
        )
    return ProductEmbeddings(
        ids=table["id"].to_pylist(),
        has_text=table["has_text"].to_numpy(),
        has_image=table["has_image"].to_numpy(),
        encoder=about["encoder"],
        snapshot=about["snapshot"],
        **arrays,
    )
