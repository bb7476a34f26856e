"""What planted faults are stopped by, and how often equal retrains are refused.

    python -m benchmarks.faults [NAME ...] [--source FOLDER --mapping NAME] [--scratch FOLDER]
    python -m benchmarks.faults equal --seeds 20 [...]
    python -m benchmarks.faults table [...]          # of what is finished; nothing is planted

From the root of the repository. A small shop is taken from the source (the built-in sample without one), a champion is
released in it by `etalage ingest` and `etalage retrain`, and each fault is planted in a copy of that world of its own.
What is finished lies in the scratch folder and is not done again. Worlds are removed when their fault is done.
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.faults import artefacts, catalogue, code
from benchmarks.faults.base import PRODUCTS, base
from benchmarks.faults.equal import against_champion, against_each_other, equal, read, summary
from benchmarks.faults.fault import Fault, Outcome, run
from benchmarks.faults.seeds import lucky, told
from benchmarks.faults.server import prefect_server
from benchmarks.faults.workspace import Workspace

FAULTS: tuple[Fault, ...] = (*artefacts.FAULTS, *catalogue.FAULTS, *code.FAULTS)


def main() -> None:
    """Make the world, plant and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="'equal', or parts of names of faults; all without any")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--source", default="sample")
    parser.add_argument("--mapping", default=None)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "etalage-faults")
    options = parser.parse_args()
    if options.names == ["table"]:
        kept = [(fault, known(fault, options.scratch)) for fault in FAULTS]
        print(table([outcome for _, outcome in kept if outcome is not None]))
        print("\nNot planted yet:", ", ".join(fault.name for fault, outcome in kept if outcome is None) or "none")
        return
    world = base(options.scratch / "base", options.source, options.mapping, options.products)
    if options.names == ["equal"]:
        trained = [read(path) for path in equal(world, options.scratch, options.seeds)]
        print("Equal retrains against the champion:", summary(against_champion(world, trained)))
        print("Each against each of the others:", summary(against_each_other(world, trained)))
        print(told(lucky(world, {each.seed: each.scores for each in trained})))
        return
    named = [[fault for fault in FAULTS if part in fault.name] for part in options.names] or [list(FAULTS)]
    with prefect_server(options.scratch / "prefect") as server:
        served = Workspace(world.folder, {"PREFECT_API_URL": server})
        found = [outcome_of(fault, served, options.scratch) for faults in named for fault in faults]
    print(table(found))
    print(f"\n{sum(each.stopped for each in found)} of {len(found)} faults were stopped for their own reason.")


def kept_at(fault: Fault, scratch: Path) -> Path:
    """Where the outcome of `fault` lies."""
    return scratch / "outcomes" / f"{fault.name.replace(' ', '-')}.json"


def known(fault: Fault, scratch: Path) -> Outcome | None:
    """What became of `fault` the last time; None where it was not planted yet."""
    path = kept_at(fault, scratch)
    return Outcome(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def outcome_of(fault: Fault, world: Workspace, scratch: Path) -> Outcome:
    """What became of `fault`, now or the last time."""
    if (before := known(fault, scratch)) is not None:
        return before
    kept = kept_at(fault, scratch)
    folder = scratch / "worlds" / kept.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    outcome = run(fault, world, folder)
    how = "stopped" if outcome.stopped else "MISSED"
    print(f"{how:<8} {outcome.seconds:>5.0f} s  {fault.name}: {outcome.sentence}", flush=True)
    kept.parent.mkdir(exist_ok=True)
    (folder / "output.log").replace(kept.with_suffix(".log"))
    kept.write_text(json.dumps(asdict(outcome), ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(folder)
    return outcome


def table(found: list[Outcome]) -> str:
    """As Markdown."""
    lines = ["| fault | stopped by | what it said | command | s |", "|---|---|---|---|---|"]
    for each in found:
        by = f"{each.by} ({each.code})" if each.stopped else f"**missed**: {each.by} ({each.code})"
        sentence = each.sentence if len(each.sentence) < 300 else f"{each.sentence[:297]}..."
        cells = (each.fault, by, sentence.replace("|", "/"), f"`{each.command}`", f"{each.seconds:.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
