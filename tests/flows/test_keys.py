"""`etalage keys`: a secret is shown once, the file is private and whole, an open address without keys is refused."""

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bento.process.serve import serve_command
from flows.errors import USAGE
from flows.keys import add_key, keys_of, require_keys, revoke_key
from search.key_file import read_keys
from search.keys import InvalidKeys
from tests.flows.test_cli import ROOT, etalage


def test_a_secret_is_printed_once_alone_and_is_in_no_file(tmp_path: Path):
    done = etalage("keys", "add", "web shop", "--scope", "feedback", "--scope", "search", cwd=tmp_path)
    secret = done.stdout.strip()
    assert done.returncode == 0 and done.stdout == secret + "\n", done.stderr
    assert secret not in done.stderr
    assert "the first key here: a service of this home that was open asks for one" in done.stderr
    key = read_keys(tmp_path / ".etalage" / "keys.json").holder(secret)
    assert key is not None and (key.name, key.scopes) == ("web shop", ("search", "feedback"))
    listed = etalage("keys", "list", cwd=tmp_path).stdout
    assert "web shop" in listed and "search, feedback" in listed and key.id in listed
    digits = secret.split("_")[2]
    for file in (tmp_path / ".etalage").iterdir():
        assert digits not in file.read_text()
    assert digits not in listed
    ended = etalage("keys", "revoke", key.id, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"Key {key.id} of web shop is revoked.\n")
    assert read_keys(tmp_path / ".etalage" / "keys.json").holder(secret) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "web", "--scope", "root"], "'root' is not a scope"),
        (["add", " "], "A key's name"),
        (["list"], "There is no key file"),
        (["revoke", "3f9a1c07"], "There is no key file"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_makes_no_file(tmp_path: Path, arguments: list[str], sentence: str):
    done = etalage("keys", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / ".etalage" / "keys.json").exists()


def test_the_commands_need_neither_prefect_nor_milvus():
    code = (
        "import sys, flows.keys; print({'prefect', 'pymilvus', 'bentoml', 'torch', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_only_its_owner_reads_the_file_unless_someone_allowed_more(tmp_path: Path):
    path = tmp_path / "home" / "keys.json"
    key, _ = add_key(path, "web", ("search",))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    revoke_key(path, key.id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_sixteen_who_add_a_key_at_once_all_find_theirs(tmp_path: Path):
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(16) as pool:
        secrets = [secret for _, secret in pool.map(lambda n: add_key(path, f"app {n}", ("search",)), range(16))]
    keys = read_keys(path)
    assert len(keys.keys) == 16 and all(keys.holder(secret) for secret in secrets)


def test_a_broken_file_is_left_as_it_is(tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text('{"keys": "none"}')
    for change in (lambda: add_key(path, "web", ("search",)), lambda: revoke_key(path, "3f9a1c07")):
        with pytest.raises(InvalidKeys, match="not a key file"):
            change()
    assert json.loads(path.read_text()) == {"keys": "none"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "shop.example.org"])
def test_serving_strangers_without_keys_is_refused_before_anything_starts(tmp_path: Path, host: str):
    done = etalage("serve", "--host", host, cwd=tmp_path)
    assert done.returncode == USAGE
    assert done.stderr == (
        f"Strangers reach {host}, and there are no API keys: make one with `etalage keys add NAME`, "
        "or serve on 127.0.0.1.\n"
    )
    add_key(tmp_path / "keys.json", "web", ("search",))
    require_keys(tmp_path, host)


def test_a_broken_key_file_is_told_before_the_service_starts_on_loopback_too(tmp_path: Path):
    require_keys(tmp_path, "127.0.0.1")
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(InvalidKeys, match="not a key file"):
        require_keys(tmp_path, "127.0.0.1")


def test_a_named_key_file_must_be_there_and_reaches_the_service_as_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert keys_of(tmp_path) == tmp_path / "keys.json"
    assert "ETALAGE_SERVICE_KEYS" not in serve_command("etalage:r1", tmp_path)[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETALAGE_SERVICE_KEYS", "mine.json")
    assert keys_of(tmp_path / "home") == tmp_path / "mine.json"
    assert serve_command("etalage:r1", tmp_path)[1]["ETALAGE_SERVICE_KEYS"] == str(tmp_path / "mine.json")
    with pytest.raises(InvalidKeys, match="There is no key file"):
        require_keys(tmp_path, "127.0.0.1")
