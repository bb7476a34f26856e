"""The embed stage: every product of the snapshot through the served encoder.

    python -m models.embed         (from the root of a workspace; `dvc repro embed`)

Reads data/ and artifacts/encoder, writes artifacts/embeddings. Finished batches are kept in artifacts/checkpoint by
content, so a stage that was killed goes on where it was.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from catalog.arrays import read_arrays
from catalog.errors import NotReady
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product
from catalog.snapshot import snapshot_id
from catalog.tables import read_products
from catalog.words.text import product_text
from catalog.workspace import CHECKPOINT, EMBEDDINGS, ENCODER
from models.embeddings import Floats, Mask, ProductEmbeddings, save_embeddings
from models.encoder import Encoder, EncoderLike
from models.params import EmbedParams
from models.progress import Position, display

Batch = dict[str, Floats | Mask]  # text, image [B, D]; has_text, has_image [B]


def main() -> None:
    """Embed the snapshot of this workspace."""
    params = load_section("embed", EmbedParams)
    encoder, products = Encoder.load(ENCODER), read_products()
    cache = CHECKPOINT / "embed" / encoder.fingerprint
    started = time.monotonic()
    with display() as show:

        def told(done: int, total: int) -> None:
            speed = done / max(1e-9, time.monotonic() - started)
            show.show(Position("embedding", done, total, speed, unit="products"))

        embeddings = embed_products(products, MediaStore(), encoder, snapshot_id(), params, cache, told)
    save_embeddings(embeddings, EMBEDDINGS)
    shutil.rmtree(CHECKPOINT / "embed", ignore_errors=True)


def embed_products(
    products: Sequence[Product],
    media: MediaStore,
    encoder: EncoderLike,
    snapshot: str,
    params: EmbedParams | None = None,
    cache: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ProductEmbeddings:
    """Encode texts and pictures of `products`, batch by batch, and fuse them.

    A product with several pictures has the mean of the first `params.pictures`. `cache` is where finished batches are
    kept; `progress(done, total)` is told after each. Raises NotReady when a vector is not a unit vector.
    """
    params = params or EmbedParams()
    parts: list[Batch] = []
    for start in range(0, len(products), params.batch_size):
        batch = products[start : start + params.batch_size]
        parts.append(_cached(batch, media, encoder, params.pictures, cache))
        progress(start + len(batch), len(products))
    return joined([product.id for product in products], parts, encoder, snapshot)


def joined(ids: Sequence[str], parts: Sequence[Batch], encoder: EncoderLike, snapshot: str) -> ProductEmbeddings:
    """The batches `parts` of the products `ids`, one after the other, and their fused vectors.

    Raises NotReady when a vector is not a unit vector.
    """
    nothing = np.zeros((0, encoder.dim), dtype=np.float32)
    text = np.concatenate([nothing, *(part["text"] for part in parts)])
    image = np.concatenate([nothing, *(part["image"] for part in parts)])
    has_text = np.concatenate([np.zeros(0, dtype=bool), *(part["has_text"] for part in parts)])
    has_image = np.concatenate([np.zeros(0, dtype=bool), *(part["has_image"] for part in parts)])
    fused = encoder.fuse_products(text, image, has_text, has_image)
    for name, vectors, there in (
        ("text", text, has_text),
        ("image", image, has_image),
        ("fused", fused, has_text | has_image),
    ):
        _check(name, ids, vectors, there)
    return ProductEmbeddings(list(ids), fused, text, image, has_text, has_image, encoder.fingerprint, snapshot)


def _cached(
    batch: Sequence[Product], media: MediaStore, encoder: EncoderLike, pictures: int, cache: Path | None
) -> Batch:
    if cache is None:
        return encode_batch(batch, media, encoder, pictures)
    content = [[encoder.fingerprint, pictures], *([p.id, product_text(p), p.images[:pictures]] for p in batch)]
    path = cache / f"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]}.npz"
    if path.is_file():
        return read_arrays(path)
    encoded = encode_batch(batch, media, encoder, pictures)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as stream:
        np.savez(stream, **encoded)  # type: ignore[arg-type]
    unfinished.replace(path)
    return encoded


def encode_batch(batch: Sequence[Product], media: MediaStore, encoder: EncoderLike, pictures: int) -> Batch:
    """Vectors of the words of each product, and of its first `pictures` pictures, encoded now."""
    texts = [product_text(product) for product in batch]
    has_text = np.array([bool(text) for text in texts], dtype=bool)
    text = np.zeros((len(batch), encoder.dim), dtype=np.float32)
    text[has_text] = encoder.encode_product_text([text for text in texts if text])

    owners = [row for row, product in enumerate(batch) for _ in product.images[:pictures]]
    wanted = [identity for product in batch for identity in product.images[:pictures]]
    files = [data for found in media.iterate(wanted, len(wanted) or 1) for _, data in found]
    image = np.zeros((len(batch), encoder.dim), dtype=np.float32)
    np.add.at(image, owners, encoder.encode_image(files))
    image /= np.maximum(np.linalg.norm(image, axis=1, keepdims=True), 1e-12)
    has_image = np.array([bool(product.images) for product in batch], dtype=bool)
    return {"text": text, "image": image, "has_text": has_text, "has_image": has_image}


def _check(name: str, ids: Sequence[str], vectors: Floats, there: Mask) -> None:
    """Milvus would take NaN and zero vectors silently; here they stop the stage."""
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - there) < 1e-3))
    if len(wrong):
        first = wrong[0]
        raise NotReady(
            f"The {name} vector of product '{ids[first]}' has length {lengths[first]:.4f} instead of "
            f"{int(there[first])} ({len(wrong)} such products): the encoder is broken, train and export it again."
        )


if __name__ == "__main__":
    main()
