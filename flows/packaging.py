"""The Bento of a release, from the flows' side: beside serving.py the only file of flows/ that knows bento/."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from bento.process.serve import NAME, bento_folder
from catalog.errors import ReleaseNotFound

BENTO = "bento.yaml"


def tag_of(release: str) -> str:
    """The Bento's tag: etalage:<release>."""
    return f"{NAME}:{release}"


def is_packaged(release: str, home: Path) -> bool:
    """Whether the release's Bento is in the store of `home`; its content is not looked at."""
    return (bento_folder(tag_of(release), home) / BENTO).is_file()


def demand_follower(release: str, home: Path) -> None:
    """Raises ReleaseNotFound where the release's Bento is missing, or its code is of before there were refreshes."""
    if not (bento_folder(tag_of(release), home) / "src" / "search" / "refreshes.py").is_file():
        raise ReleaseNotFound(
            f"Release {release} has no Bento that can follow a refresh: `etalage promote {release}` builds it."
        )


def package(release_folder: Path, home: Path) -> str:
    """Build the release's Bento, or leave it when it is there and whole. Returns its tag. Raises NotReady."""
    from bento.packing.build import build_bento

    return build_bento(release_folder, home)


def packaged(home: Path) -> dict[str, Path]:
    """Release -> folder of every Bento in the store of `home`, half of one too."""
    return {path.name: path for path in bento_folder(tag_of("any"), home).parent.glob("*") if path.is_dir()}


def half_built(home: Path) -> Iterable[Path]:
    """What builds left behind that were killed; who holds the lock of `home` knows that none is under way."""
    from bento.packing import build

    return build.half_built(home)


def unpack(release: str, home: Path) -> None:
    """Remove the release's Bento, where there is one. Without its bento.yaml, half of one counts for none."""
    folder = bento_folder(tag_of(release), home)
    if folder.is_dir():
        (folder / BENTO).unlink(missing_ok=True)
        shutil.rmtree(folder)
