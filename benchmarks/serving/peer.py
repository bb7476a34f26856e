"""A search as a shop would write it by hand: FastAPI, the trained encoders in torch, MilvusClient on Milvus Lite.

    python -m benchmarks.serving.peer STORE PORT

One search of the fused vectors; a photo and words are summed. It is what the benchmark compares the service with, so
it does what the documentation of each library says (the model once, inference_mode, `def` endpoints in the thread
pool, one client, an index), and no more.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import sys
from typing import Annotated, Any, Protocol

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File, Form, UploadFile
from numpy.typing import NDArray
from pydantic import BaseModel
from pymilvus import MilvusClient

from benchmarks.serving.paths import PEER_PHOTOS, PEER_READY, SEARCH
from benchmarks.serving.peer_store import COLLECTION, EF
from catalog.media import decode_image
from catalog.workspace import MODEL
from models.dual_encoder import DualEncoder
from models.encoder import cores
from models.prefixes import unit_prefix

Vector = NDArray[np.float32]


class TextSearch(BaseModel):
    """The body of POST /search."""

    text: str
    k: int = 10


class QueryEncoder(Protocol):
    """What the application needs of its model."""

    def text(self, text: str) -> Vector:
        """[D], of unit length."""

    def photo(self, photo: bytes) -> Vector:
        """[D], of unit length."""


class TorchEncoder:
    """The trained towers, eager; `dim` numbers of each vector, as the collection has them."""

    def __init__(self, model: DualEncoder, dim: int) -> None:
        self.model = model
        self.dim = dim

    @torch.inference_mode()
    def text(self, text: str) -> Vector:
        """[D], of unit length."""
        return self._cut(self.model.encode_text([text]))

    @torch.inference_mode()
    def photo(self, photo: bytes) -> Vector:
        """[D], of unit length."""
        pixels = self.model.image.preprocess.prepare_batch([decode_image(photo)])
        return self._cut(self.model.encode_pixels(torch.from_numpy(pixels)))

    def _cut(self, rows: torch.Tensor) -> Vector:
        vector: Vector = unit_prefix(rows, self.dim)[0].numpy()
        return vector


def create_app(encoder: QueryEncoder, client: MilvusClient) -> FastAPI:
    """The application; `client` has the collection loaded."""
    app = FastAPI()

    def nearest(vector: Vector, k: int) -> dict[str, Any]:
        found = client.search(
            COLLECTION,
            data=[vector],
            limit=k,
            output_fields=["title"],
            search_params={"metric_type": "COSINE", "params": {"ef": max(EF, k)}},
        )[0]
        return {"hits": [{"id": hit["id"], "score": hit["distance"], **hit["entity"]} for hit in found]}

    @app.get(PEER_READY)
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post(SEARCH)
    def by_words(asked: TextSearch) -> dict[str, Any]:
        return nearest(encoder.text(asked.text), asked.k)

    @app.post(PEER_PHOTOS)
    def by_photo(
        image: Annotated[UploadFile, File()],
        text: Annotated[str | None, Form()] = None,
        k: Annotated[int, Form()] = 10,
    ) -> dict[str, Any]:
        vector = encoder.photo(image.file.read())
        return nearest(vector if text is None else vector + encoder.text(text), k)

    return app


def main(store: str, port: int) -> None:
    """Load the model and the collection, and serve until the process is told to end."""
    torch.set_num_threads(cores())
    client = MilvusClient(store)
    client.load_collection(COLLECTION)
    fields = client.describe_collection(COLLECTION)["fields"]
    dim = next(field["params"]["dim"] for field in fields if field["name"] == "vector")
    encoder = TorchEncoder(DualEncoder.load(MODEL), int(dim))
    uvicorn.run(create_app(encoder, client), host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
