"""A release whose files are not those of its manifest is not opened, and the sentence names what is wrong."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import TamperedRelease
from search.contents import check_contents, digests, sealed
from search.release import ReleaseManifest, read_manifest, write_manifest
from tests.bento.world import make_manifest

FILES = {
    "encoder/text.onnx": b"graph",
    "encoder/probes/text.npy": b"numbers",
    "ranking/ranking.json": b"{}",
    "ranking/late/tokens/places.npy": b"places",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed release of four small files."""
    for name, content in {**FILES, "encoder/baseline/text.onnx": b"frozen", "reports/gate.json": b"{}"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    write_manifest(sealed(make_manifest("r1", "e" * 16), tmp_path), tmp_path)
    return tmp_path


def checked(folder: Path) -> ReleaseManifest:
    manifest = read_manifest(folder)
    check_contents(manifest, folder)
    return manifest


def test_the_manifest_holds_the_sha256_of_every_file_that_serves(folder: Path) -> None:
    assert checked(folder).files == {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    assert list(digests(folder)) == sorted(FILES)


def test_what_no_release_serves_may_change(folder: Path) -> None:
    (folder / "encoder/baseline/text.onnx").write_bytes(b"another")
    (folder / "reports/gate.json").unlink()
    (folder / "sbom.cdx.json").write_bytes(b"{}")
    checked(folder)


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: flip(folder / "encoder/text.onnx"), "encoder/text.onnx was changed"),
        (lambda folder: flip(folder / "ranking/late/tokens/places.npy"), "ranking/late/tokens/places.npy was changed"),
        (lambda folder: (folder / "ranking/ranking.json").unlink(), "ranking/ranking.json is missing"),
        (lambda folder: (folder / "ranking/extra.pkl").write_bytes(b""), "ranking/extra.pkl was added"),
        (lambda folder: (folder / "encoder/text.onnx").write_bytes(b""), "encoder/text.onnx was changed"),
        (
            lambda folder: (folder / "encoder/text.onnx").rename(folder / "encoder/image.onnx"),
            "encoder/text.onnx is missing, encoder/image.onnx was added",
        ),
        (lambda folder: (folder / "encoder/link").symlink_to("nowhere"), "encoder/link was added"),
        (lambda folder: os.mkfifo(folder / "ranking/pipe"), "ranking/pipe was added"),
    ],
)
def test_a_changed_missing_or_added_file_is_named(folder: Path, change: Callable[[Path], object], told: str) -> None:
    change(folder)
    with pytest.raises(TamperedRelease, match=rf"^Release r1 is not what its manifest says: {told}; restore"):
        checked(folder)


def test_of_many_wrong_files_three_are_named_and_the_rest_counted(folder: Path) -> None:
    for name in FILES:
        flip(folder / name)
    with pytest.raises(TamperedRelease, match=r"(\S+ was changed, ){2}\S+ was changed and 1 more; restore"):
        checked(folder)


def test_a_manifest_of_an_earlier_version_is_refused_with_what_to_do(folder: Path) -> None:
    write_manifest(make_manifest("r1", "e" * 16), folder)
    with pytest.raises(TamperedRelease, match="`etalage promote r1` writes them"):
        checked(folder)


def test_a_manifest_that_has_digests_keeps_them(folder: Path) -> None:
    before = read_manifest(folder)
    flip(folder / "ranking/ranking.json")
    assert sealed(before, folder) == before
