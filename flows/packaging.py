"""The Bento of a release, from the flows' side: beside serving.py the only file of flows/ that knows bento/."""

from pathlib import Path

from bento.serve import NAME, bento_folder


def tag_of(release: str) -> str:
    """The Bento's tag: etalage:<release>."""
    return f"{NAME}:{release}"


def is_packaged(release: str, home: Path) -> bool:
    """Whether the release's Bento is in the store of `home`; its content is not looked at."""
    return (bento_folder(tag_of(release), home) / "bento.yaml").is_file()


def package(release_folder: Path, home: Path) -> str:
    """Build the release's Bento, or leave it when it is there and whole. Returns its tag. Raises NotReady."""
    from bento.build import build_bento

    return build_bento(release_folder, home)
