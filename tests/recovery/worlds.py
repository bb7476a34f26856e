"""The workspaces that points start from and end in: each made once by real commands, then copied.

    bare       nothing was run
    ingested   a small catalogue is ingested, and nothing else was run
    champion   the drawn sample is ingested, trained and promoted
    later      champion, and a changed catalogue is ingested
    refreshed  later, refreshed
    retrained  champion, trained again with another seed and promoted
    trained    champion, killed in that second retrain when embedding began
    evaluated  trained, killed in that second retrain when all stages had ended

What an undisturbed run has computed is lent to the others as entries of DVC's run cache, but for training, export and
embedding: DVC takes an entry only where all that the stage reads has the same hashes, so a retrain after a kill ends
sooner, and only if it made the same bytes again.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from benchmarks.repository import copy_repository
from catalog.sources import open_source
from tests.pipeline.workspace import LEFT_OUT, TINY, write_shop
from tests.recovery.killing import After, Command, Ran, Seam
from tests.recovery.phases import COMMANDS, EMBEDDING_BEGINS, MARKS, STAGES_ENDED
from tests.recovery.service import Answers, ask_all, serving
from tests.recovery.state import State, left_in, state_of

OURS = ("PREFECT_", "ETALAGE_", "BENTOML_", "DVC_")
SHOP = "later-shop"
FIELDS = ("description", "brand", "price", "currency", "stock", "rating")
SMALL = {name: value for name, value in TINY.items() if name.startswith(("gates.", "evaluate."))}
SETTINGS = {"train.epochs": "4", "late.epochs": "2", **SMALL}
"""The Makefile's fast run, with fewer questions, and gates that ask for no quality."""
LENT = (
    "models.compose",
    "models.late.build",
    "evaluation.tuning.tune",
    "evaluation.rankers.rank",
    "evaluation.gates.parity",
    "evaluation.evaluate",
)
"""Modules of the stages after those that points kill."""
ALL = ("",)
Timeline = Mapping[str, float]
"""Mark -> seconds after the start of the command."""


@dataclass(frozen=True)
class World:
    """`folder` holds workspace/, tmp/ and the logs of its commands."""

    folder: Path
    prefect: str | None
    """API of the Prefect server; None starts one within each command."""

    @property
    def workspace(self) -> Path:
        """The working directory of its commands."""
        return self.folder / "workspace"

    @property
    def home(self) -> Path:
        """ETALAGE_HOME."""
        return self.workspace / ".etalage"

    @property
    def tmp(self) -> Path:
        """Its TMPDIR."""
        return self.folder / "tmp"

    def environment(self, **more: str) -> dict[str, str]:
        """What its commands see."""
        kept = {name: v for name, v in os.environ.items() if not name.startswith(OURS) and name != "PYTHONPATH"}
        own = {"ETALAGE_HOME": str(self.home), "TMPDIR": str(self.tmp), "COLUMNS": "200", "OMP_WAIT_POLICY": "PASSIVE"}
        server = {} if self.prefect is None else {"PREFECT_API_URL": self.prefect}
        return {**kept, **own, **server, **more}

    def start(self, log: str, *arguments: str, seam: Seam | None = None, **variables: str) -> Command:
        """Start `etalage <arguments>`."""
        return Command(self.workspace, self.environment(**variables), self.folder / log, *arguments, seam=seam)

    def run(self, log: str, *arguments: str, **variables: str) -> Ran:
        """`etalage <arguments>` to its end."""
        return self.start(log, *arguments, **variables).wait()

    @property
    def cache(self) -> Path:
        """Where its DVC keeps contents and runs."""
        return self.workspace / ".dvc" / "cache"

    def copy(self, folder: Path) -> "World":
        """Another one like it, without logs; what stood at `folder` is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        other = World(folder, self.prefect)
        other.tmp.mkdir(parents=True)
        subprocess.run(["cp", "-a", str(self.workspace), str(other.workspace)], check=True)
        return other

    def state(self) -> State:
        """What it holds."""
        return {**state_of(self.workspace), **{f"temporary: {name}": "" for name in left_in(self.tmp)}}


@dataclass(frozen=True)
class End:
    """An undisturbed run: what it leads to, what a service answers then, and when its phases were."""

    state: State
    answers: Answers
    timeline: Timeline


class Atlas:
    """All worlds, in the folder `into`; what is there already is not made again."""

    def __init__(self, into: Path, prefect: str | None, say: Callable[[str], None], products: int = 440) -> None:
        """`products`: how many the catalogue has that is ingested at last."""
        self.products = products
        self.into = into
        self.prefect = prefect
        self._say = say

    @property
    def shop(self) -> Path:
        """A changed catalogue, as a folder with a mapping."""
        folder = self.into / SHOP
        if not (folder / "mapping.yaml").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            write_shop(folder, every=1, most=self.products)
            change_shop(folder)
        return folder

    def world(self, name: str) -> World:
        """The world `name`, made if it is missing. Copy it before anything is run in it."""
        made = World(self.into / "worlds" / name, self.prefect)
        if not (made.folder / "made.json").is_file():
            self._say(f"making the world {name}")
            timeline = _MAKERS[name](self, made.folder)
            (made.folder / "made.json").write_text(json.dumps(timeline), encoding="utf-8")
        return made

    @property
    def cache(self) -> Path:
        """Contents and runs of undisturbed runs."""
        return self.into / "cache"

    def start(self, name: str, folder: Path, command: str) -> World:
        """A copy of the world `name` for a point that runs `command`, with what can be lent to it."""
        world = self.world(name).copy(folder)
        if command == "retrain":
            self.lend(world, LENT)
        return world

    def lend(self, world: World, modules: Sequence[str]) -> None:
        """Entries of stages whose command ends in one of `modules`, and what these made."""
        for entry in (self.cache / "runs").glob("*/*/*"):
            run = yaml.safe_load(entry.read_text(encoding="utf-8"))
            if run["cmd"].endswith(tuple(modules)):
                for out in run["outs"]:
                    self._give(out["md5"], world)
                _copy(entry, world.cache / entry.relative_to(self.cache))

    def _give(self, md5: str, world: World) -> None:
        path = Path("files", "md5", md5[:2], md5[2:])
        _copy(self.cache / path, world.cache / path)
        if md5.endswith(".dir"):
            for file in json.loads((self.cache / path).read_bytes()):
                self._give(file["md5"], world)

    def end(self, name: str) -> End:
        """What the world `name` is as the end of an undisturbed run, after `etalage gc`."""
        world = self.world(name)
        path = world.folder / "end.json"
        if not path.is_file():
            copy = world.copy(self.into / "ends" / name)
            answers = {}
            if (copy.home / "champion.json").is_file():
                with serving(copy.home, copy.folder / "serve.log", copy.environment()) as port:
                    answers = ask_all(port)
                assert_ended(copy.run("gc.log", "gc"))
            path.write_text(json.dumps({"state": dict(copy.state()), "answers": answers}), encoding="utf-8")
        told = json.loads(path.read_text(encoding="utf-8"))
        timeline = json.loads((world.folder / "made.json").read_text(encoding="utf-8"))
        return End(told["state"], told["answers"], timeline)

    def command(self, name: str) -> list[str]:
        """Arguments of the command `name`."""
        return [str(self.shop) if part == "SHOP" else part for part in COMMANDS[name]]

    def _run(self, world: World, name: str) -> Timeline:
        """A command to its end; when its marks were."""
        command = world.start(f"{name}.log", *self.command(name))
        seen: dict[str, float] = {}
        while command.process.poll() is None:
            time.sleep(0.05)
            note(command, seen)
        note(command, seen)
        assert_ended(command.wait())
        return seen


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def fill(source: Path, target: Path) -> None:
    """Copy what `target` lacks."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-an", f"{source}/.", str(target)], check=True)


def note(command: Command, seen: dict[str, float]) -> None:
    """When each mark was seen first."""
    said = command.says()
    for mark, pattern in MARKS.items():
        if mark not in seen and pattern.search(said):
            seen[mark] = round(time.monotonic() - command.started, 3)


def assert_ended(ran: Ran) -> None:
    """A command that no point disturbed must succeed."""
    assert ran.code == 0, f"exit {ran.code}: {ran.log[-4000:]}"


def change_shop(folder: Path) -> None:
    """Other titles for every ninth product; the other fields and the judgements as the sample has them, or the refresh
    would be refused for their loss."""
    source, table, mapping = open_source("sample"), folder / "products.jsonl", folder / "mapping.yaml"
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    values = {record.values.get("id"): record.values for record in source.records()}
    for row in rows:
        row |= {name: values[row["id"]].get(name, "") for name in FIELDS}
    for row in rows[::9]:
        row["title"] = f"New {row['title']}"
    known = {row["id"] for row in rows}
    judged = [asdict(each) for each in source.side_tables().judgements if each.product_id in known]
    for path, lines in ((table, rows), (folder / "judgements.jsonl", judged)):
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    told = json.loads(mapping.read_text(encoding="utf-8"))
    told["columns"] |= {name: name for name in FIELDS}
    told["judgements"] = {"file": "judgements.jsonl", "language": "language"}
    mapping.write_text(json.dumps(told), encoding="utf-8")


def _bare(atlas: Atlas, folder: Path) -> Timeline:
    world = World(folder, atlas.prefect)
    shutil.rmtree(folder, ignore_errors=True)
    world.tmp.mkdir(parents=True)
    world.workspace.mkdir()
    copy_repository(world.workspace, without=LEFT_OUT)
    return {}


def _champion(atlas: Atlas, folder: Path) -> Timeline:
    world = atlas.world("bare").copy(folder)
    atlas.lend(world, ALL)
    assert_ended(world.run("ingest.log", "ingest", "sample"))
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    assert_ended(world.run("retrain.log", "retrain", *settings))
    fill(world.cache, atlas.cache)
    return {}


def _after(start: str, command: str) -> Callable[[Atlas, Path], Timeline]:
    def make(atlas: Atlas, folder: Path) -> Timeline:
        world = atlas.start(start, folder, command)
        timeline = atlas._run(world, command)
        fill(world.cache, atlas.cache)
        return timeline

    return make


def _killed(start: str, command: str, mark: str, *lent: str) -> Callable[[Atlas, Path], Timeline]:
    def make(atlas: Atlas, folder: Path) -> Timeline:
        world = atlas.start(start, folder, command)
        atlas.lend(world, lent)
        ran = world.start(f"{command}.log", *atlas.command(command)).kill_after(After(MARKS[mark].pattern, 0.0))
        assert ran.code is None, ran.log[-3000:]
        return {}

    return make


_MAKERS: dict[str, Callable[[Atlas, Path], Timeline]] = {
    "bare": _bare,
    "champion": _champion,
    "ingested": _after("bare", "ingest"),
    "later": _after("champion", "ingest"),
    "refreshed": _after("later", "refresh"),
    "retrained": _after("champion", "retrain"),
    "trained": _killed("champion", "retrain", EMBEDDING_BEGINS, "models.train", "models.export"),
    "evaluated": _killed("trained", "retrain", STAGES_ENDED),
}
