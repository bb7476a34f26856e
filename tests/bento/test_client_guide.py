"""Every example of the guide is run as it stands, against a Bento that is really served, with API keys.

The one thing that is changed is the port.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.keys import add_key
from tests.bento.running import RELEASE, Shop, serving
from tests.bento.tiny_encoder import photo

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "calling_from_a_shop.md").read_text(encoding="utf-8")
EXAMPLES = [(language, code) for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.M | re.S)]
ADDRESS = "127.0.0.1:3000"


def of(language: str) -> list[str]:
    return [code for found, code in EXAMPLES if found == language]


@dataclass(frozen=True)
class Running:
    """A served release: where, with which key, and where its feedback goes."""

    port: int
    key: str
    journal: Path


@pytest.fixture(scope="module")
def running(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("guide")
    keys, journal = folder / "keys.json", folder / "journal"
    secret = add_key(keys, "web-shop", ("search", "feedback"))[1]
    places = {"ETALAGE_SERVICE_KEYS": str(keys), "ETALAGE_SERVICE_JOURNAL_FOLDER": str(journal)}
    with serving(shop, folder / "service.log", **places) as served:
        yield Running(served.port, secret, journal)


def ran(command: list[str], code: str, running: Running, folder: Path, key: str | None = None) -> str:
    """What a program with the example's text prints, in a folder with a photo in it."""
    (folder / "photo.jpg").write_bytes(photo("Red"))
    program = folder / {"node": "example.mjs"}.get(Path(command[0]).name, "example")
    program.write_text(code.replace(ADDRESS, f"127.0.0.1:{running.port}"), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "ETALAGE_KEY": running.key if key is None else key,
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        [*command, str(program)], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def clicks(running: Running) -> int:
    files = (running.journal / "feedback").glob("*.jsonl")
    return sum('"click"' in line for file in files for line in file.read_text().splitlines())


def test_every_example_is_of_a_language_that_is_run_and_calls_the_service():
    assert {language for language, _ in EXAMPLES} == {"sh", "bash", "python", "js"}
    for language, code in EXAMPLES:
        assert ADDRESS in code or language == "sh"
    (key,) = of("sh")  # makes the key with the command that the fixture calls the code of
    assert re.search(r"etalage keys add web-shop --scope search --scope feedback\)", key)


@pytest.mark.parametrize("number", range(len(of("bash"))))
def test_a_curl_example_is_answered(number: int, running: Running, tmp_path: Path):
    before = clicks(running)
    printed = ran(["bash", "-euo", "pipefail"], of("bash")[number], running, tmp_path)
    answers = [json.loads(part) for part in re.split(r"(?<=\})(?=\{)", printed)]
    if "/feedback" in of("bash")[number]:
        like, product, told = answers
        assert like["hits"] and product["product"]["title"] == "Red dress" and told == {"kept": 1, "repeated": 0}
        assert clicks(running) == before + 1
    else:
        assert len(answers[0]["hits"]) == 3 and answers[0]["release"] == RELEASE


@pytest.mark.parametrize("number", range(len(of("python"))))
def test_a_python_example_runs_and_prints_what_it_found(number: int, running: Running, tmp_path: Path):
    before = clicks(running)
    code = of("python")[number]
    printed = ran([sys.executable], code, running, tmp_path)
    if "feedback" in code:
        assert printed.startswith("1 p") and "Red dress" in printed and clicks(running) == before + 1
    elif "asyncio" in code:
        assert [line.split()[0] for line in printed.splitlines()] == [RELEASE] * 3 and "Blue shoes" in printed
    else:
        assert printed.startswith("404 unknown_product There is no product 'no-such-id'")
        assert "The query is empty" in printed and len(printed.splitlines()) == 2


def test_the_javascript_example_runs_and_prints_what_it_found(running: Running, tmp_path: Path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not on this machine")
    before = clicks(running)
    (code,) = of("js")
    lines = ran([node], code, running, tmp_path).splitlines()
    assert len(lines) == 7 and lines[0].endswith("Red dress") and lines[4:] == ["3", "Red dress", "1"]
    assert clicks(running) == before + 1


def test_an_example_that_is_refused_fails(running: Running, tmp_path: Path):
    for command, language in ((["bash", "-euo", "pipefail"], "bash"), ([sys.executable], "python")):
        with pytest.raises(AssertionError, match="unknown or was revoked"):
            ran(command, of(language)[0], running, tmp_path, key="wrong")


def test_the_guide_has_every_class_of_errors_that_a_caller_meets_and_the_patience_that_is_the_default():
    from etalage_client import Patience, errors

    for name in re.findall(r"^\| `(\w+)`", GUIDE, flags=re.M):
        assert issubclass(getattr(errors, name), errors.EtalageClientError)
    told = re.search(r"`Patience\(deadline=(\d+), tries=(\d+)\)` bounds", GUIDE)
    assert told is not None and (float(told[1]), int(told[2])) == (Patience().deadline, Patience().tries)
    assert f"{Patience().first:g} s, doubling up to {Patience().most:g} s" in GUIDE
