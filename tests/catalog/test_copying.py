"""A folder is copied whole, and what stops it keeps its number."""

import errno
from pathlib import Path

import pytest

from catalog.copying import copy_folder


def test_what_is_there_is_copied_and_what_is_named_stays_behind(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("a.txt", "inside/b.txt", "baseline/c.txt"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    target.mkdir()
    copy_folder(source, target, "baseline")
    copied = {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}
    assert copied == {"a.txt": "a.txt", "inside/b.txt": "inside/b.txt"}


def test_what_stops_it_is_the_error_of_the_system(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "gone.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError) as caught:
        copy_folder(source, tmp_path / "target")
    assert caught.value.errno == errno.ENOENT
