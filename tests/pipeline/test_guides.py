"""The guides, word for word: every block of bash in them is run, in order; only ports and hosts are this machine's."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import IO

import httpx
import pytest

from benchmarks.repository import copy_repository
from evaluation.gates import decide
from flows.parameters import change_params
from search.milvus.store import MilvusStore
from tests.bento.running import free_port
from tests.pipeline.export import write_export
from tests.pipeline.prefect_api import Server
from tests.pipeline.workspace import LEFT_OUT, LONG, ROOT, TINY, Workspace, answers, write_shop
from tests.search.milvus_server import MilvusServer

pytestmark = pytest.mark.slow

GUIDES = ROOT / "docs" / "guides"
SCHEDULING = ROOT / "docs" / "operations" / "scheduling.md"
SCALING = ROOT / "docs" / "scaling.md"
SERVER = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
"""A block that does not end by itself: a command, and one that serves."""
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, server: str) -> tuple[Workspace, list[str]]:
    """A workspace in which a stranger followed the guide to the first champion, and what each step said.

    `.venv/bin/` is this Python's; params ask as little as a tiny world can give.
    """
    folder = tmp_path_factory.mktemp("guided")
    copy_repository(folder, without=LEFT_OUT)
    write_shop(folder / "my_shop", every=3)
    write_export(folder / "my_shop")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, more in (("etalage", " -m flows"), ("python", ""), ("prefect", " -m prefect")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{more} "$@"\n')
        (programs / name).chmod(0o755)
    ours = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    workspace = Workspace(folder, environment | {"PREFECT_API_URL": server, "COLUMNS": "200"})
    change_params([f"{name}={value}" for name, value in TINY.items()], folder / "params.yaml")
    return workspace, [run_block(workspace, block) for block in blocks("your_catalogue.md")]


@pytest.fixture(scope="module")
def released(begun: tuple[Workspace, list[str]]) -> Workspace:
    """A champion, and one before it that ranks otherwise."""
    workspace, _ = begun
    done = workspace.run("retrain", "--set", "tune.floor=0.25")
    assert done.code == 0, f"{done.out[-2000:]}\n{done.err[-4000:]}"
    return workspace


def run_block(workspace: Workspace, block: str) -> str:
    """A block as a reader pastes it. Its output; the first command that fails fails it."""
    with shell(workspace, block, subprocess.PIPE, subprocess.PIPE) as process:
        out, err = (said.decode(errors="replace") for said in process.communicate(timeout=LONG))
    assert process.returncode == 0, f"{block}\n{out[-2000:]}\n{err[-4000:]}"
    return out


@contextmanager
def shell(workspace: Workspace, block: str, out: int | IO[bytes], err: int | IO[bytes]) -> Iterator[Popen[bytes]]:
    """A block in a terminal of its own. What still runs of it at the end is ended: politely, then not."""
    process = Popen(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def terminal(workspace: Workspace, block: str, log: Path) -> Iterator[Popen[bytes]]:
    """A block that goes on until it is stopped; what it says is in `log`."""
    with log.open("wb") as file, shell(workspace, block, file, file) as process:
        yield process


def wait_for(url: str, process: Popen[bytes], log: Path) -> None:
    """Until `url` answers, which `process` serves."""
    deadline = time.monotonic() + LONG
    while not answers(url):
        assert process.poll() is None, f"it ended: {log.read_text(errors='replace')[-3000:]}"
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
        time.sleep(0.3)


def blocks(name: str) -> list[str]:
    return blocks_of(GUIDES / name)


def blocks_of(page: Path) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert found, f"{page.name} shows no command"
    return found


def test_the_guide_to_an_own_catalogue_ends_with_answers_from_it(begun: tuple[Workspace, list[str]]) -> None:
    workspace, (looked, mapped, taken, mended, asked) = begun

    assert "Product name" in looked and "The price 'twelve' is not a number" in looked
    assert "EUR" in mapped
    assert "In quarantine: 5 rows" in taken and "rows.csv holds 5 rows" in taken
    assert "'twelve' became '12.00'" in mended
    assert workspace.champion() is not None
    assert len(re.findall("umbrella|雨伞", asked, flags=re.I)) >= 3
    assert (workspace.folder / "reports" / "ingest.html").is_file()


def test_the_night_guide_brings_the_release_before_back_and_it_stays(released: Workspace) -> None:
    newest = released.champion()
    said = [run_block(released, block) for block in blocks("rolling_back.md")]

    assert newest is not None and newest in said[0]  # who answers, before
    assert released.champion() not in (None, newest)
    assert str(released.champion()) in said[2]  # and after
    assert newest in said[3] and "hits for shoes look wrong" in said[3]  # in the morning: both, and why
    assert released.run("promote", newest).code == 0  # "if the release was right after all"


def test_the_night_guides_other_way_is_a_page_that_goes_back(released: Workspace, tmp_path: Path) -> None:
    newest = released.champion()
    late = released.run("rollback", "--instead-of", "r-of-yesterday")
    assert late.code == 1 and f"Release {newest} is the champion and not r-of-yesterday" in late.err
    (told,) = SERVER.findall((GUIDES / "rolling_back.md").read_text(encoding="utf-8"))
    add, serve = (line.partition("#")[0].strip() for line in told.splitlines())
    port, log = free_port(), tmp_path / "admin.log"
    address, headers = f"http://127.0.0.1:{port}", {"x-api-key": run_block(released, add).strip()}
    client = httpx.Client(base_url=address, headers=headers, timeout=LONG)
    with terminal(released, f"{serve} --port {port}", log) as process, client:
        wait_for(f"{address}/login", process, log)
        found = re.findall(r'name="release" value="([^"]+)"', client.get("/").text)
        chosen = "&".join(f"release={release}" for release in found)
        for page in ("/compare", "/slices", "/worst", "/quality"):
            assert all(release in client.get(f"{page}?{chosen}").text for release in found), page
        pictures = re.findall(r'<img src="([^"]+)"', client.get(f"/worst?release={newest}").text)
        assert pictures and client.get(pictures[0]).headers["content-type"] == "image/jpeg"
        form = dict(re.findall(r'name="(champion|to)" value="([^"]+)"', client.get("/rollback").text))
        done = client.post("/rollback", data={**form, "reason": "hits for shoes look wrong"})
    assert (done.status_code, done.text) == (200, f"Release {form['to']} answers again.\n")
    assert (form["champion"], released.champion()) == (newest, form["to"])
    said = released.run("why").out
    assert "on call (key" in said and "hits for shoes look wrong" in said
    assert released.run("promote", str(newest)).code == 0
    (released.home / "keys.json").unlink()  # the next guides ask without a key


@pytest.mark.parametrize("name", ["gate_report.md", "choosing_a_model.md"])
def test_every_command_of_a_guide_works(released: Workspace, name: str) -> None:
    for block in blocks(name):
        assert run_block(released, block)


def test_three_terminals_retrain_by_a_server_and_a_worker(released: Workspace, tmp_path: Path) -> None:
    port = free_port()
    own = {"PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_API_PORT": str(port)}
    bare = {name: value for name, value in released.environment.items() if name != "PREFECT_API_URL"}
    here = Workspace(released.folder, bare | own)
    logs = tmp_path / "server.log", tmp_path / "worker.log"
    start, deploy, work, tell = (block.replace("4200", str(port)) for block in blocks_of(SCHEDULING))
    with terminal(here, start, logs[0]) as server:
        wait_for(f"http://127.0.0.1:{port}/api/health", server, logs[0])
        run_block(here, deploy)
        with terminal(here, work, logs[1]):
            [run] = Server(f"http://127.0.0.1:{port}/api").wait_for(1)
        assert run["state_type"] == "COMPLETED", logs[1].read_text(errors="replace")[-3000:]
        run_block(Workspace(here.folder, here.environment | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}), tell)


def test_the_move_to_a_milvus_server_is_what_the_page_says(released: Workspace, tmp_path: Path) -> None:
    [move] = [block for block in blocks_of(SCALING) if "etalage serve" in block]
    port = free_port()
    log = tmp_path / "serve.log"
    with MilvusServer(tmp_path / "milvus") as milvus:
        block = move.replace("http://milvus:19530", milvus.uri).replace("etalage serve", f"etalage serve --port {port}")
        assert milvus.uri in block
        with terminal(released, block, log) as served:
            wait_for(f"http://127.0.0.1:{port}/readyz", served, log)
        store = MilvusStore(milvus.uri)
        try:
            assert [stored.release for stored in store.releases() if stored.champion] == [released.champion()]
        finally:
            store.close()


def test_the_gate_guide_explains_every_rule_that_can_speak() -> None:
    code = Path(str(decide.__file__)).read_text(encoding="utf-8")
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
