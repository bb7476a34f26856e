"""Rows through an open file, from the process that read them to the one that serves them: plain arrays, no pickle.

Legend: N products, D width of the space.
"""

import json
from typing import Any, BinaryIO

import numpy as np

from catalog.arrays import read_arrays
from catalog.errors import NotReady
from models.embeddings import FIELDS
from search.collection import Freshness
from search.rows import Rows

_PRODUCTS = "products"  # payloads and words, as the bytes of one JSON document
_ABOUT = "about"  # so are encoder, snapshot, metric and freshness


def write_rows(file: BinaryIO, rows: Rows) -> None:
    """Write `rows` into `file`: [N, D] and [N] of each field, and two documents."""
    arrays: dict[str, Any] = {_vectors(field): rows.vectors[field] for field in FIELDS}
    arrays |= {_present(field): rows.present[field] for field in FIELDS}
    about = {"encoder": rows.encoder, "snapshot": rows.snapshot, "metric": rows.metric, "freshness": rows.freshness}
    documents = {_PRODUCTS: [rows.payloads, rows.words], _ABOUT: about}
    arrays |= {name: np.frombuffer(json.dumps(value).encode(), np.uint8) for name, value in documents.items()}
    np.savez(file, **arrays)


def read_rows(file: BinaryIO) -> Rows:
    """What `write_rows` wrote, from the file's beginning. Raises NotReady for anything else."""
    arrays = read_arrays(file)
    try:
        # one document, not a line each: the decoder then makes each name of a field once for all products
        payloads, words = json.loads(arrays.pop(_PRODUCTS).tobytes())
        about = json.loads(arrays[_ABOUT].tobytes())
        return Rows(
            ids=tuple(str(payload["id"]) for payload in payloads),
            payloads=tuple(payloads),
            words=tuple(words),
            vectors={field: arrays[_vectors(field)] for field in FIELDS},
            present={field: arrays[_present(field)] for field in FIELDS},
            **{**about, "freshness": Freshness(*about["freshness"])},
        )
    except (KeyError, ValueError, TypeError) as error:
        raise NotReady(
            f"The rows that were handed over are not whole ({type(error).__name__}): read them again."
        ) from None


def _vectors(field: str) -> str:
    return f"{field}_vectors"


def _present(field: str) -> str:
    return f"{field}_present"
