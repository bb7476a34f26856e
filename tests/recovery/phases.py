"""The phases that are killed in, how each is recognised in a command's log, and the seeded points in them.

Half of a phase's points lie between its marks by time, the other half at seams in its files, where it has such: what
takes milliseconds is never met by a clock.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.recovery.killing import After, Seam

COMMANDS: Mapping[str, Sequence[str]] = {
    "ingest": ("ingest", "SHOP"),
    "retrain": ("retrain", "--set", "train.seed=11", "--set", "tune.queries=20"),
    "refresh": ("refresh",),
}


def _finished(task: str) -> str:
    return rf"Task run '{task}[^']*' - Finished in state Completed"


EMBEDDING_BEGINS, STAGES_ENDED = "embedding begins", "stages ended"
MARKS: Mapping[str, re.Pattern[str]] = {
    "flow begins": re.compile(r"Beginning flow run"),
    "recovered": re.compile(_finished("recover")),
    "snapshot taken": re.compile(_finished("snapshot")),
    "snapshot versioned": re.compile(_finished("version")),
    "training begins": re.compile(r"Running stage 'train'"),
    "training ended": re.compile(r"Running stage 'export'"),
    EMBEDDING_BEGINS: re.compile(r"Running stage 'embed'"),
    "embedding ended": re.compile(r"(Running stage|Stage) 'compose'"),
    STAGES_ENDED: re.compile(_finished("reach-evaluate")),
    "indexed": re.compile(_finished("index")),
    "decided": re.compile(_finished("decide")),
    "packaged": re.compile(_finished("package")),
    "proved": re.compile(_finished("prove")),
    "moved": re.compile(_finished("move-champion")),
    "validated": re.compile(_finished("validate")),
    "refreshed": re.compile(_finished("refresh-index")),
}


@dataclass(frozen=True)
class Phase:
    """Where a phase is met: `command` in a copy of the world `start`, between two marks; it leads to the world `end`.

    `complete` are the worlds whose states may answer meanwhile, in their order. Seams are patterns of file operations.
    """

    name: str
    start: str
    command: str
    begins: str
    ends: str
    end: str
    complete: tuple[str, ...]
    seams: tuple[str, ...] = ()
    only_seams: bool = False
    measured_from: str = ""
    """The mark with which it begins in an undisturbed run, where that is another one."""


PHASES: Sequence[Phase] = (
    Phase(
        "ingest", "champion", "ingest", "flow begins", "snapshot taken", "later", ("champion",),
        (
            r"os\.rename data \.data\.old", r"os\.rename \.data\.new data", r"shutil\.rmtree \.data\.old",
            r"open \.data\.new/\S+",
        ),
    ),
    Phase(
        "dvc add", "champion", "ingest", "snapshot taken", "snapshot versioned", "later", ("champion",),
        (r"open \S*\bdata\.dvc", r"os\.rename \S+ \S*cache/files", r"open \S*cache/files", r"open \S*\.dvc/tmp"),
    ),
    Phase(
        "indexing", "evaluated", "retrain", "recovered", "indexed", "retrained", ("champion", "retrained"),
        (r"open \S*etalage\.db/\S+", r"os\.rename \S*etalage\.db\S* ", r"os\.rename \S+\.new \S*releases/r\w+$"),
        measured_from=STAGES_ENDED,
    ),
    Phase(
        "Bento build", "evaluated", "retrain", "decided", "packaged", "retrained", ("champion", "retrained"),
        (r"open \S*bentos/etalage/\S*bento\.yaml", r"open \S*bentos/etalage/\S+", r"open \S*bentofile\.yaml"),
    ),
    Phase(
        "alias switch", "evaluated", "retrain", "proved", "moved", "retrained", ("champion", "retrained"),
        (
            r"open \S*promotion\.json\.new", r"os\.rename \S+ \S*promotion\.json$",
            r"os\.rename \S+ \S*champion\.json$",
            r"os\.rename \S+ \S*aliases\.json$", r"open \S*history\.jsonl", r"os\.remove \S*promotion\.json",
        ),
        only_seams=True,
    ),
    Phase(
        "refresh", "later", "refresh", "validated", "refreshed", "refreshed", ("later", "refreshed"),
        (r"open \S*refreshes/\S*record\.json", r"open \S*etalage\.db/\S+", r"sqlite3\.connect \S*embeddings"),
    ),
    Phase(
        "training", "champion", "retrain", "training begins", "training ended", "retrained", ("champion", "retrained"),
        (r"open \S*dvc\.lock", r"open \S*artifacts/model/\S+", r"os\.rename \S+ \S*checkpoint\S*"),
    ),
    Phase(
        "embedding", "trained", "retrain", EMBEDDING_BEGINS, "embedding ended", "retrained", ("champion", "retrained"),
        (r"open \S*artifacts/embeddings/\S+", r"open \S*dvc\.lock"),
    ),
)  # fmt: skip


FIRST = Phase(
    "first ingest", "bare", "ingest", "flow begins", "snapshot versioned", "ingested", (),
    (r"os\.rename \.data\.new data", r"open \S*\bdata\.dvc"), only_seams=True,
)  # fmt: skip
"""The cheapest one: no champion, no service."""


DELAYS = (0, 0, 20, 100, 300)
"""Milliseconds after a seam: what is written there may take as long."""


@dataclass(frozen=True)
class Point:
    """One kill. `trigger` is a share of the phase's time, or a seam."""

    number: int
    seed: int
    phase: Phase
    trigger: float | Seam

    def after(self, timeline: Mapping[str, float]) -> After:
        """The trigger as seconds after the mark with which the phase begins, by the times of an undisturbed run."""
        assert isinstance(self.trigger, float)
        length = timeline[self.phase.ends] - timeline[self.phase.measured_from or self.phase.begins]
        return After(MARKS[self.phase.begins].pattern, round(self.trigger * length, 3))


def points(seed: int, count: int, phases: Sequence[Phase] = PHASES) -> list[Point]:
    """`count` points spread over all `phases`, the same for one seed."""
    chosen = []
    for place, phase in enumerate(phases):
        own = triggers(random.Random(f"{seed} {phase.name}"), phase, len(range(place, count, len(phases))))
        chosen += [(turn, place, phase, trigger) for turn, trigger in enumerate(own)]
    in_turn = sorted(chosen, key=lambda entry: entry[:2])
    return [Point(number, seed, phase, trigger) for number, (_, _, phase, trigger) in enumerate(in_turn, 1)]


def triggers(dice: random.Random, phase: Phase, count: int) -> list[float | Seam]:
    """`count` of a phase: a half at seams, a half in equal parts of its time."""
    at_seams = count if phase.only_seams else min(count // 2, len(phase.seams))
    seams: list[str] = []
    while len(seams) < at_seams:
        seams += dice.sample(phase.seams, min(at_seams - len(seams), len(phase.seams)))
    by_time = count - at_seams
    shares = [round((part + dice.random()) / by_time, 3) for part in range(by_time)]
    return [*shares, *(Seam(pattern, 1, dice.randrange(4), dice.choice(DELAYS)) for pattern in seams)]
