"""A folder that is put in its place only when it is written."""

from pathlib import Path

from catalog.whole import part_of, put


def write(part: Path, text: str) -> Path:
    part.mkdir()
    (part / text).write_text(text)
    return part


def test_what_was_there_stands_until_the_new_folder_is_put_and_then_nothing_of_it_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "place"
    put(write(part_of(folder), "old"), folder)
    part = write(part_of(folder), "new")
    assert [file.name for file in folder.iterdir()] == ["old"]
    put(part, folder)
    assert [file.name for file in folder.iterdir()] == ["new"]
    assert not part.exists()


def test_what_a_killed_writer_left_is_no_part_of_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    write(part_of(folder), "half")
    put(write(part_of(folder), "whole"), folder)
    assert [file.name for file in folder.iterdir()] == ["whole"]
