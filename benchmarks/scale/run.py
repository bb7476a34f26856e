"""One way at one size: what a process of its own does, and its lines of the table."""

import gc
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale.clock import SHARES, Measured, measure, measure_words
from benchmarks.scale.served import Asked
from benchmarks.scale.ways import WAYS, Built
from benchmarks.scale.world import World

HEAD = (
    "| products | engine | query | recall@10 | p50 ms | p95 ms | x exact numpy | build s | memory MiB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
_WORDS = ("memory", "opened", "asked")  # ways that have a lexical leg
_KIB = 1024.0


@dataclass(frozen=True)
class Asking:
    """`server_pid`: the server's process where it runs on this machine, so that its memory can be told."""

    queries: int
    rounds: int
    server_pid: int | None = None


def lines_of(name: str, folder: Path, asking: Asking) -> list[str]:
    """Build way `name` over the world in `folder`, measure it, tell it."""
    world = World.read(folder, asking.queries)
    world.vectors.max()  # the file's pages are in memory before anything is timed
    pid = asking.server_pid if name == "server" else os.getpid()
    before = _anonymous_mib(pid)
    with WAYS[name](world, folder) as built:
        rows = _rows(name, built, world, asking)
        gc.collect()
        memory = _anonymous_mib(pid) - before
    costs = f"{built.seconds:.1f} | {'-' if pid is None else f'{memory:.0f}'}"
    cells = [f"{query} | {_told(row)}" for query, row in rows] or ["- | - | - | - | -"]
    return [f"| {len(world):,} | {built.name} | {row} | {costs if n == 0 else '|'} |" for n, row in enumerate(cells)]


def _rows(name: str, built: Built, world: World, asking: Asking) -> list[tuple[str, Measured]]:
    if built.way is None:
        return []
    rows = [(_query(share), measure(built.way, world, share, asking.rounds)) for share in SHARES]
    if name in _WORDS and isinstance(built.way, Asked):
        rows.append(("three words", measure_words(built.way, world, asking.rounds)))
    return rows


def _query(share: float) -> str:
    return "vector" if share == 1.0 else f"vector, {100 * share:g} % pass"


def _told(row: Measured) -> str:
    recall = "-" if row.recall is None else f"{row.recall:.3f}"
    return f"{recall} | {row.p50:.2f} | {row.p95:.2f} | {row.ratio:.2f}"


def _anonymous_mib(pid: int | None) -> float:
    """Memory of a process that no file stands behind: the mapped vectors are not in it. 0 where none is known."""
    if pid is None:
        return 0.0
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / _KIB
    raise OSError(f"/proc/{pid}/status does not tell RssAnon: this benchmark runs on Linux.")
