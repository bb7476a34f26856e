"""The gates: may this challenger be promoted? `decide` is a pure function of the evidence and the rules.

Every rule gives a reason, passed or not. Missing evidence is a refusal, never a pass. "insufficient" marks a rule that
could not be asked (too few queries in a slice, a kind of query this catalogue has none of): said, and not a refusal.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from evaluation.compare import Difference
from evaluation.evidence import Evidence
from evaluation.kinds import RANDOM
from evaluation.rules import Beats, ChampionRules, Floor, GateRules

Outcome = Literal["passed", "failed", "insufficient"]


class Reason(BaseModel):
    """What one rule said. `distance` = value - limit in the direction that is good: negative = short by that much."""

    model_config = ConfigDict(frozen=True)

    rule: str
    name: str
    slice: str | None = None
    value: float | None = None
    limit: float | None = None
    distance: float | None = None
    outcome: Outcome
    sentence: str


class Decision(BaseModel):
    """`passed` is true when no reason failed."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    reasons: tuple[Reason, ...]

    def refusals(self) -> tuple[Reason, ...]:
        """The reasons that refuse."""
        return tuple(reason for reason in self.reasons if reason.outcome == "failed")


def decide(evidence: Evidence, rules: GateRules) -> Decision:
    """Apply every rule of `rules` to `evidence`."""
    reasons = (
        *_validation(evidence),
        *_counts(evidence),
        _at_least("parity", "cosine of trained and served encoder", evidence.parity, rules.parity),
        *_fidelity(evidence, rules),
        *(_floor(evidence, floor) for floor in rules.floors),
        *(reason for beats in rules.beats for reason in _beats(evidence, beats)),
        *_champion(evidence, rules.champion),
        _at_most("latency", "p95 of one query, ms", evidence.latency_p95_ms, rules.latency.p95_ms),
    )
    return Decision(passed=all(reason.outcome != "failed" for reason in reasons), reasons=reasons)


def _validation(evidence: Evidence) -> Iterator[Reason]:
    if evidence.validation_passed is None:
        yield _missing("validation", "suites of the snapshot")
    else:
        passed = evidence.validation_passed
        yield Reason(
            rule="validation",
            name="suites of the snapshot",
            value=float(passed),
            limit=1.0,
            distance=float(passed) - 1.0,
            outcome="passed" if passed else "failed",
            sentence="The snapshot passed validation." if passed else "The snapshot did not pass validation.",
        )


def _counts(evidence: Evidence) -> Iterator[Reason]:
    if evidence.counts is None:
        yield _missing("counts", "rows of the collection")
        return
    counts = evidence.counts
    yield _exactly("counts", "rows of the collection", counts.collection_rows, counts.products, "products")
    yield _exactly("counts", "duplicate ids in the collection", counts.duplicate_ids, 0, "duplicates allowed")


def _fidelity(evidence: Evidence, rules: GateRules) -> Iterator[Reason]:
    if evidence.fidelity is None:
        yield _missing("fidelity", "overlap@10 with exact search")
        return
    yield _at_least("fidelity", "overlap@10 with exact search", evidence.fidelity.overlap, rules.fidelity.overlap)
    if not evidence.fidelity.filtered:
        yield _missing("fidelity", "overlap@10 under filters")
    for selectivity, overlap in sorted(evidence.fidelity.filtered.items()):
        name = "overlap@10 under a filter"
        yield _at_least("fidelity", name, overlap, rules.fidelity.filtered, f"selectivity={selectivity}")


def _floor(evidence: Evidence, floor: Floor) -> Reason:
    name = f"{floor.kind} {floor.system} {floor.metric}"
    measured = evidence.measured(floor.kind, floor.system, floor.metric)
    if measured is None:
        return _unmeasured(evidence, "floor", name, floor.kind, floor.required)
    limits = [] if floor.at_least is None else [floor.at_least]
    if floor.times_random is not None:
        random = evidence.measured(floor.kind, RANDOM, floor.metric)
        if random is None:
            return _missing("floor", f"{name} of the random baseline")
        limits.append(min(floor.times_random * random.mean, (1 + random.mean) / 2))
    return _at_least("floor", name, measured.mean, max(limits))


def _beats(evidence: Evidence, rule: Beats) -> Iterator[Reason]:
    name = f"{rule.kind} {rule.system} {rule.metric} against {rule.baseline}"
    margin = evidence.margin(rule.kind, rule.system, rule.baseline, rule.metric)
    if margin is None:
        yield _unmeasured(evidence, "beats", name, rule.kind, rule.required)
    elif margin.baseline_mean >= rule.ceiling:
        gain = f"{name} (which is near its ceiling), lower bound of the gain"
        yield _above("beats", gain, margin.lower_bound, -rule.tolerance)
    else:
        yield _at_least("beats", name, margin.mean, (1 + rule.by) * margin.baseline_mean)
        yield _above("beats", f"{name}, lower bound of the gain", margin.lower_bound, 0.0)


def _champion(evidence: Evidence, rules: ChampionRules) -> Iterator[Reason]:
    if evidence.champion is None:
        sentence = "There is no champion yet to compare with."
        yield Reason(rule="champion", name="overall", outcome="insufficient", sentence=sentence)
        return
    if evidence.comparison is None or not any(row.scope == "overall" for row in evidence.comparison.differences):
        yield _missing("champion", f"overall difference from champion {evidence.champion}")
        return
    for difference in evidence.comparison.differences:
        yield _not_worse(difference, rules)


def _not_worse(difference: Difference, rules: ChampionRules) -> Reason:
    tolerance = {"overall": rules.overall, "kind": rules.kind, "slice": rules.slice}[difference.scope]
    name = "lower bound of the difference from the champion"
    where = None if difference.scope == "overall" else difference.name
    if difference.scope != "overall" and difference.n < rules.minimum:
        return Reason(
            rule="champion",
            name=name,
            slice=where,
            value=difference.lower_bound,
            limit=-tolerance,
            outcome="insufficient",
            sentence=f"{difference.name}: {difference.n} queries, {rules.minimum} are needed: insufficient evidence.",
        )
    return _above("champion", name, difference.lower_bound, -tolerance, where)


def _at_least(rule: str, name: str, value: float | None, limit: float, where: str | None = None) -> Reason:
    return _bounded(rule, name, value, limit, where, "at least", 1.0)


def _above(rule: str, name: str, value: float | None, limit: float, where: str | None = None) -> Reason:
    return _bounded(rule, name, value, limit, where, "more than", 1.0)


def _at_most(rule: str, name: str, value: float | None, limit: float) -> Reason:
    return _bounded(rule, name, value, limit, None, "at most", -1.0)


def _bounded(
    rule: str, name: str, value: float | None, limit: float, where: str | None, asked: str, sign: float
) -> Reason:
    if value is None or value != value:
        return _missing(rule, name, where)
    distance = sign * (value - limit)
    passed = distance > 0 if asked == "more than" else distance >= 0
    place = f" in {where}" if where else ""
    verdict = ": passed" if passed else f" and misses it by {abs(distance):.4g}"
    return Reason(
        rule=rule,
        name=name,
        slice=where,
        value=value,
        limit=limit,
        distance=distance,
        outcome="passed" if passed else "failed",
        sentence=f"{name}{place} is {value:.4g}, must be {asked} {limit:.4g}{verdict}.",
    )


def _exactly(rule: str, name: str, value: int, limit: int, what: str) -> Reason:
    passed = value == limit
    return Reason(
        rule=rule,
        name=name,
        value=float(value),
        limit=float(limit),
        distance=float(-abs(value - limit)),
        outcome="passed" if passed else "failed",
        sentence=f"{name}: {value}, {limit} {what}" + ("." if passed else f": off by {abs(value - limit)}."),
    )


def _missing(rule: str, name: str, where: str | None = None) -> Reason:
    place = f" in {where}" if where else ""
    sentence = f"There is no evidence of {name}{place}, and what was not measured does not pass."
    return Reason(rule=rule, name=name, slice=where, outcome="failed", sentence=sentence)


def _unmeasured(evidence: Evidence, rule: str, name: str, kind: str, required: bool) -> Reason:
    why = evidence.unasked.get(kind)
    if why is None or required:
        return _missing(rule, name)
    return Reason(rule=rule, name=name, outcome="insufficient", sentence=f"{name} was not asked: {why}.")
