"""On the disk, and not only in memory."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Put a file on the disk, or a folder's own entries, so that a rename in it is not lost."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
