"""Milvus Lite makes the folder of a collection before its schema: a kill between the two leaves a stump.

It is no collection, and in the way of one of its name ("File exists"). Who makes or removes collections, and so holds
the lock of the home, clears them away; nobody reads them.
"""

import shutil
from pathlib import Path

_COLLECTIONS = "collections"
_SCHEMA = "schema.json"


def stumps(uri: str) -> list[Path]:
    """Folders in the embedded store at `uri` that never became a collection; none for a server, which keeps its own."""
    if "://" in uri:
        return []
    folders = (path for path in Path(uri, _COLLECTIONS).glob("*") if path.is_dir())
    return sorted(folder for folder in folders if not (folder / _SCHEMA).exists())


def clear_stumps(uri: str) -> None:
    """Remove them all."""
    for folder in stumps(uri):
        shutil.rmtree(folder)
