"""Equal retrains (A/A): the champion's own snapshot trained with other seeds, and what the gates say of each.

The stages run one after the other in one process for each seed, without DVC and Prefect (see retrained.py); the
gates get the evidence as `etalage retrain` gathers it. What no seed can change (the collection against exact search,
its rows) is taken from the champion's own verdict. A seed that is finished is not done again.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import polars as pl
import yaml

from benchmarks.faults.workspace import Workspace, copied, released
from evaluation.gates.compare import compare
from evaluation.gates.decide import Decision, decide
from evaluation.gates.evidence import Evidence
from evaluation.gates.rules import GateRules
from evaluation.measure import margins, measurements
from evaluation.params import EvaluateParams
from evaluation.scores import PER_QUERY_FILE, read_scores

FIRST_SEED = 1001


@dataclass(frozen=True)
class Retrain:
    """What was kept of one seed: its scores of each query, and the evidence that needs no champion."""

    seed: str
    scores: pl.DataFrame
    evidence: Evidence


@dataclass(frozen=True)
class Decided:
    """A retrain beside a champion: the difference of their means over kinds, and the gates' answer."""

    overall: float
    decision: Decision


def equal(world: Workspace, scratch: Path, seeds: int) -> list[Path]:
    """`seeds` retrains of `world`: the evidence of each as a JSON file, and its scores beside it."""
    results = scratch / "equal"
    results.mkdir(parents=True, exist_ok=True)
    own = Workspace(scratch / "equal-world")
    if not own.folder.exists():
        copied(world, own.folder)
    found = [results / f"{seed}.json" for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
    for path in found:
        if not path.is_file():
            done = own.run([sys.executable, "-m", "benchmarks.faults.retrained", path.stem, str(path)])
            if done.code:
                raise RuntimeError(f"Seed {path.stem} ended with code {done.code}: {done.output[-3000:]}")
            print(f"seed {path.stem}: {done.seconds:.0f} s", flush=True)
    return found


def read(path: Path) -> Retrain:
    """What `equal` kept there. What follows from the scores of each query is worked out anew."""
    scores, asked = read_scores(path.with_suffix(".parquet")), EvaluateParams()
    changes = {
        "margins": margins(scores, seed=asked.seed, rounds=asked.bootstrap_rounds),
        "measurements": measurements(scores, seed=asked.seed, rounds=asked.bootstrap_rounds),
    }
    kept = Evidence.model_validate(json.loads(path.read_text(encoding="utf-8"))["evidence"])
    return Retrain(path.stem, scores, kept.model_copy(update=changes))


def against_champion(world: Workspace, retrains: list[Retrain]) -> list[Decided]:
    """What today's gates say of each retrain beside the champion of `world`."""
    champion, rules = read_scores(released(world) / "reports" / "evaluation" / PER_QUERY_FILE), _rules(world)
    return [_decided(each, "the champion", champion, rules) for each in retrains]


def against_each_other(world: Workspace, retrains: list[Retrain]) -> list[Decided]:
    """What today's gates would say of each retrain, were each of the others the champion."""
    rules = _rules(world)
    return [_decided(ours, theirs.seed, theirs.scores, rules) for ours, theirs in permutations(retrains, 2)]


def _decided(retrain: Retrain, champion: str, scores: pl.DataFrame, rules: GateRules) -> Decided:
    comparison = compare(scores, retrain.scores, rules.champion)
    evidence = retrain.evidence.model_copy(update={"champion": champion, "comparison": comparison})
    return Decided(comparison.differences[0].difference, decide(evidence, rules))


def _rules(world: Workspace) -> GateRules:
    return GateRules.model_validate(yaml.safe_load((world.work / "params.yaml").read_text(encoding="utf-8"))["gates"])


def summary(found: list[Decided]) -> str:
    """How many were refused, by which rule and where; the range of the overall difference."""
    refused = [each for each in found if not each.decision.passed]
    reasons = Counter(f"{r.rule} {r.slice or r.name}" for each in refused for r in each.decision.refusals())
    warned = Counter(r.name for each in found for r in each.decision.reasons if r.outcome == "warned")
    overall = sorted(each.overall for each in found)
    lines = [f"{len(refused)} of {len(found)} were refused."]
    lines += [f"  {count} x {reason}" for reason, count in reasons.most_common()]
    lines += [f"  told of and not refused: {count} x {name}" for name, count in warned.most_common()]
    lines.append(f"Overall difference from the champion: {overall[0]:+.4f} to {overall[-1]:+.4f}.")
    return "\n".join(lines)
