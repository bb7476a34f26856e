"""The rows of a release in an embedded store, by Milvus Lite's own interface.

It gives what search.milvus.rows.read_rows gives, to the last bit. pymilvus would start a gRPC server in this process to
ask it, and import pandas: more time and memory than the reading.
"""

import logging
import time
from pathlib import Path

import pyarrow as pa
from milvus_lite import DataDirLockedError, MilvusLite, MilvusLiteError

from catalog.errors import NotReady
from search.filters import KEY
from search.rows import Rows
from search.stored import READ, RowReader, check_finished, check_path, collection_name, no_collection, taken

_READ_AT_ONCE = 1_000  # of its rows in Python objects at a time
_PAUSE = 0.1  # seconds


def read_release(path: Path, release: str, encoder: str, wait_s: float) -> tuple[str, Rows]:
    """The name of the collection of `release` in the store at `path`, and every row of it.

    Raises ReleaseNotFound when it is not there, EncoderMismatch when it was not built by the encoder with fingerprint
    `encoder`, and NotReady when it was never finished, or the store stays in other hands for `wait_s` or is broken.
    """
    check_path(path)
    logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)  # what it logs at ERROR it also raises
    name = collection_name(release)
    try:
        with _opened(path, wait_s) as store:
            if name not in store.list_collections():
                raise no_collection(release, str(path))
            collection = store.get_collection(name)
            properties = collection.schema.properties
            check_finished(name, properties, release, encoder)
            collection.load()
            reader = RowReader()
            keys = [row[KEY] for row in collection.query(output_fields=[KEY])]
            for start in range(0, len(keys), _READ_AT_ONCE):
                reader.add(collection.get(keys[start : start + _READ_AT_ONCE], output_fields=list(READ)))
            return name, reader.rows(name, properties)
    except (MilvusLiteError, pa.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise NotReady(f"The embedded Milvus store {path} cannot be read: {reason[0][:300]}.") from error


def _opened(path: Path, wait_s: float) -> MilvusLite:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return MilvusLite(str(path))
        except DataDirLockedError:
            if time.monotonic() >= deadline:
                raise taken(path, wait_s) from None
        time.sleep(_PAUSE)
