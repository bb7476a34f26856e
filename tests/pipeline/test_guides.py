"""The guides, word for word: every block of bash in them is run in a workspace with two releases, in order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.repository import copy_repository
from evaluation import gates
from tests.pipeline.workspace import LEFT_OUT, LONG, ROOT, TINY, Workspace

pytestmark = pytest.mark.slow

GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, shop: Path, server: str) -> Workspace:
    """A champion, and one before it that ranks otherwise. `.venv/bin/` is this Python's."""
    folder = tmp_path_factory.mktemp("guided")
    copy_repository(folder, without=LEFT_OUT)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, more in (("etalage", " -m flows"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{more} "$@"\n')
        (programs / name).chmod(0o755)
    ours = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    workspace = Workspace(folder, environment | {"PREFECT_API_URL": server, "COLUMNS": "200"})
    settings = [part for name, value in TINY.items() for part in ("--set", f"{name}={value}")]
    for arguments in (["ingest", str(shop)], ["retrain", *settings], ["retrain", "--set", "tune.floor=0.25"]):
        done = workspace.run(*arguments)
        assert done.code == 0, f"{arguments}: {done.out[-2000:]}\n{done.err[-4000:]}"
    return workspace


def run_block(workspace: Workspace, block: str) -> str:
    """A block as a reader pastes it. Its output; the first command that fails fails it."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def blocks(name: str) -> list[str]:
    found = BLOCK.findall((GUIDES / name).read_text(encoding="utf-8"))
    assert found, f"{name} shows no command"
    return found


def test_the_night_guide_brings_the_release_before_back_and_it_stays(released: Workspace) -> None:
    newest = released.champion()
    said = [run_block(released, block) for block in blocks("rolling_back.md")]

    assert newest is not None and newest in said[0]  # who answers, before
    assert released.champion() not in (None, newest)
    assert str(released.champion()) in said[2]  # and after
    assert newest in said[3] and "hits for shoes look wrong" in said[3]  # in the morning: both, and why
    assert released.run("promote", newest).code == 0  # "if the release was right after all"


@pytest.mark.parametrize("name", ["gate_report.md", "choosing_a_model.md"])
def test_every_command_of_a_guide_works(released: Workspace, name: str) -> None:
    for block in blocks(name):
        assert run_block(released, block)


def test_the_gate_guide_explains_every_rule_that_can_speak() -> None:
    code = Path(str(gates.__file__)).read_text(encoding="utf-8")
    rules = set(re.findall(r"(?:at_least|at_most|above|exactly|missing|unasked)\(\s*\"(\w+)\"", code))
    rules |= set(re.findall(r"rule=\"(\w+)\"", code))
    rules |= set(re.findall(r"_unmeasured\(evidence, \"(\w+)\"", code))
    told = re.findall(r"^\| `(\w+)` \|", (GUIDES / "gate_report.md").read_text(encoding="utf-8"), flags=re.M)
    assert len(rules) > 8
    assert set(told) == rules


def test_every_page_that_a_guide_points_at_is_there() -> None:
    for page in GUIDES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
