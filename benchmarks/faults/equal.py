"""Equal retrains (A/A): the champion's own snapshot trained with other seeds, and what the gates say of each.

The stages run one after the other in one process for each seed, without DVC and Prefect (see retrained.py); the
gates get the evidence as `etalage retrain` gathers it. What no seed can change (the collection against exact search,
its rows) is taken from the champion's own verdict. A seed that is finished is not done again.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.faults.workspace import Workspace, copied, released
from evaluation.compare import compare
from evaluation.evidence import Evidence
from evaluation.gates import Decision, decide
from evaluation.rules import GateRules
from evaluation.scores import PER_QUERY_FILE, read_scores

FIRST_SEED = 1001


@dataclass(frozen=True)
class Retrained:
    """One seed: its mean over kinds against the champion's, and the gates' answer."""

    seed: int
    overall: float
    decision: Decision


def equal(world: Workspace, scratch: Path, seeds: int) -> list[Retrained]:
    """Decisions of `seeds` retrains of `world`; the evidence of each is a JSON file under `scratch`."""
    results = scratch / "equal"
    results.mkdir(parents=True, exist_ok=True)
    own = Workspace(scratch / "equal-world")
    if not own.folder.exists():
        copied(world, own.folder)
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        path = results / f"{seed}.json"
        if not path.is_file():
            done = own.run([sys.executable, "-m", "benchmarks.faults.retrained", str(seed), str(path)])
            if done.code:
                raise RuntimeError(f"Seed {seed} ended with code {done.code}: {done.output[-3000:]}")
            print(f"seed {seed}: {done.seconds:.0f} s", flush=True)
        found.append(decided(world, path))
    return found


def decided(world: Workspace, path: Path) -> Retrained:
    """What today's gates say of a retrain: from its evidence and its scores, which were kept."""
    rules = GateRules.model_validate(yaml.safe_load((world.work / "params.yaml").read_text(encoding="utf-8"))["gates"])
    kept = json.loads(path.read_text(encoding="utf-8"))
    champion = read_scores(released(world) / "reports" / "evaluation" / PER_QUERY_FILE)
    comparison = compare(champion, read_scores(path.with_suffix(".parquet")), rules.champion)
    evidence = Evidence.model_validate(kept["evidence"]).model_copy(update={"comparison": comparison})
    return Retrained(kept["seed"], comparison.differences[0].difference, decide(evidence, rules))


def summary(found: list[Retrained]) -> str:
    """How many were refused, by which rule and where; the range of the overall difference."""
    refused = [each for each in found if not each.decision.passed]
    reasons = Counter(f"{r.rule} {r.slice or r.name}" for each in refused for r in each.decision.refusals())
    overall = sorted(each.overall for each in found)
    lines = [f"{len(refused)} of {len(found)} equal retrains were refused."]
    lines += [f"  {count} x {reason}" for reason, count in reasons.most_common()]
    lines.append(f"Overall difference from the champion: {overall[0]:+.4f} to {overall[-1]:+.4f}.")
    return "\n".join(lines)
