"""What a release's files must be, byte for byte: sha256 of each, in its manifest, checked before any of them is read.

    manifest = sealed(manifest, folder)    # once, when it is written
    check_contents(manifest, folder)       # whenever it is opened

This tells a file that was changed, lost or added. Who may write the manifest as well can seal what he likes: keep
releases where only the flows write.
"""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalog.errors import TamperedRelease
from models.encoder_folder import BASELINE
from search.release import ENCODER, RANKING, ReleaseManifest

PARTS = (ENCODER, RANKING)
UNREAD = f"{ENCODER}/{BASELINE}/"
"""Left out of the digests, as of the encoder's fingerprint: no release serves it."""
MAX_NAMED = 3


def digests(folder: Path) -> dict[str, str]:
    """Path below `folder` -> sha256 in hex, of every file of encoder/ and ranking/, sorted by path."""
    paths = (path for part in PARTS for path in (folder / part).rglob("*") if not path.is_dir())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    names = [name for name in names if not name.startswith(UNREAD)]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:  # hashing lets go of the interpreter's lock
        return dict(zip(names, threads.map(lambda name: sha256_of(folder / name), names), strict=True))


def sealed(manifest: ReleaseManifest, folder: Path) -> ReleaseManifest:
    """`manifest` with the digests of what lies in `folder` now; one that has digests keeps them."""
    return manifest if manifest.files is not None else manifest.model_copy(update={"files": digests(folder)})


def check_contents(manifest: ReleaseManifest, folder: Path) -> None:
    """Raises TamperedRelease, naming the files, unless `folder` holds exactly what its manifest says."""
    if manifest.files is None:
        raise TamperedRelease(
            f"The manifest of release {manifest.release} has no digests of its files (it is of an earlier version): "
            f"`etalage promote {manifest.release}` writes them, once you know that they are as they were."
        )
    found = digests(folder)
    if wrong := differences(manifest.files, found):
        raise TamperedRelease(
            f"Release {manifest.release} is not what its manifest says: {wrong}; "
            "restore the folder, or promote another release."
        )


def differences(sealed: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Which files `found` (path -> sha256) are not as `sealed`, in words, the first MAX_NAMED; "" when all are."""
    wrong = [
        f"{name} {'is missing' if name not in found else 'was changed'}"
        for name, digest in sorted(sealed.items())
        if found.get(name) != digest
    ]
    wrong += [f"{name} was added" for name in found if name not in sealed]
    more = f" and {len(wrong) - MAX_NAMED} more" if len(wrong) > MAX_NAMED else ""
    return ", ".join(wrong[:MAX_NAMED]) + more


def sha256_of(path: Path) -> str:
    """In hex; "" for what is no file."""
    if not path.is_file():  # a pipe would be waited for, a dangling link has no content
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
