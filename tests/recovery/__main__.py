"""Kill real processes at seeded points and in named events, run them again, and report what is left.

    python -m tests.recovery --into /tmp/recovery --seed 1 --points 30

What is finished is kept in the folder --into: stopped and started again, it goes on. Exit code 1 if anything failed.
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.pipeline.workspace import prefect_server
from tests.recovery.events import EVENTS
from tests.recovery.phases import points
from tests.recovery.trial import Outcome, load_outcome, try_point
from tests.recovery.worlds import Atlas


def main(arguments: list[str]) -> int:
    """All points and events that are asked for; 0 if all ended as undisturbed runs."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and services that were started end too
    into = Path(options.into).absolute()
    into.mkdir(parents=True, exist_ok=True)
    with prefect_server(Path(tempfile.mkdtemp(dir=into)) / "prefect") as url:
        atlas = Atlas(into, url, say)
        outcomes = []
        for point in points(options.seed, options.points):
            if options.only and point.number not in options.only:
                continue
            path = into / "results" / f"seed{options.seed}of{options.points}-{point.number:02d}.json"
            outcomes.append(_kept(path) or _saved(path, try_point(atlas, point)))
        for name in options.events:
            path = into / "results" / f"event {name}.json"
            outcomes.append(_kept(path) or _saved(path, EVENTS[name](atlas)))
    return report(outcomes)


def report(outcomes: list[Outcome]) -> int:
    """Say how many ended as they should; the exit code."""
    passed = sum(outcome.passed for outcome in outcomes)
    say("")
    for outcome in outcomes:
        say(outcome.line())
    say(f"{passed} of {len(outcomes)} ended as an undisturbed run.")
    return 0 if passed == len(outcomes) else 1


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)


def _kept(path: Path) -> Outcome | None:
    """An outcome of before, if it was good."""
    outcome = load_outcome(path)
    return outcome if outcome is not None and outcome.passed else None


def _saved(path: Path, outcome: Outcome) -> Outcome:
    outcome.save(path)
    say(outcome.line())
    return outcome


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.recovery", description=__doc__)
    parser.add_argument("--into", default=str(Path(tempfile.gettempdir()) / "etalage-recovery"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of points; all without it")
    parser.add_argument("--events", nargs="*", default=list(EVENTS), choices=list(EVENTS))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
