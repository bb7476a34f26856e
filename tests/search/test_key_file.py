"""The key file is read again when it changes, and a file that cannot be read lets nobody in."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from search.key_file import KeyFile, key_path, read_keys
from search.keys import InvalidKeys, Keys, make_key

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def write(path: Path, keys: Keys) -> None:
    """As the command line does: a new file in the place of the old one."""
    draft = path.with_name("draft")
    draft.write_text(keys.model_dump_json())
    draft.replace(path)


def test_a_change_is_seen_at_once_and_an_unchanged_file_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "keys.json"
    key, secret = make_key("web", ("search",), NOW)
    file = KeyFile(path, required=False)
    assert file.now() is None
    write(path, Keys(keys=(key,)))
    assert file.now().holder(secret) == key
    reads = []
    monkeypatch.setattr("search.key_file.read_keys", lambda path: (reads.append(path), read_keys(path))[1])
    for _ in range(5):
        file.now()
    assert reads == []
    before = path.stat()
    write(path, Keys(keys=(key.model_copy(update={"name": "app"}),)))  # as long as before
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # and, by a coarse clock, as old
    assert path.stat().st_size == before.st_size
    assert file.now().keys[0].name == "app"
    assert len(reads) == 1


def test_a_file_that_goes_away_under_a_service_does_not_open_it(tmp_path: Path):
    path = tmp_path / "keys.json"
    file = KeyFile(path, required=False)
    write(path, Keys())
    assert file.now() == Keys()
    path.unlink()
    for _ in range(2):
        with pytest.raises(InvalidKeys, match="no key file"):
            file.now()
    write(path, Keys())
    assert file.now() == Keys()


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path):
    with pytest.raises(InvalidKeys, match="no key file"):
        KeyFile(tmp_path / "keys.json", required=True).now()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version": 2, "keys": []}', b'{"keys": [{}]}', b"\xff\xfe"]
)
def test_a_broken_file_lets_nobody_in_until_it_is_mended(tmp_path: Path, content: bytes):
    path = tmp_path / "keys.json"
    file = KeyFile(path, required=False)
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(InvalidKeys, match="not a key file"):
            file.now()
    write(path, Keys())
    assert file.now() == Keys()


def test_what_a_broken_file_holds_is_not_repeated(tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text('{"keys": "etalage_secret"}')
    with pytest.raises(InvalidKeys) as refused:
        read_keys(path)
    assert "secret" not in str(refused.value)


def test_a_folder_in_its_place_is_told(tmp_path: Path):
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(InvalidKeys, match="cannot be read"):
        KeyFile(tmp_path / "keys.json", required=False).now()


def test_the_file_lies_in_the_home_unless_another_is_named(tmp_path: Path):
    assert key_path(tmp_path, None) == tmp_path / "keys.json"
    assert key_path(tmp_path, Path("/etc/etalage/keys")) == Path("/etc/etalage/keys")
