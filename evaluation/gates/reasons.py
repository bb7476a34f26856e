"""What one rule of the gates says, and how a number is held against a limit, with one sentence for each outcome."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["passed", "warned", "failed", "insufficient"]


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


def at_least(rule: str, name: str, value: float | None, limit: float, where: str | None = None) -> Reason:
    """value >= limit; a value that is None or not a number is missing evidence."""
    return _bounded(rule, name, value, limit, where, "at least", 1.0)


def above(rule: str, name: str, value: float | None, limit: float, where: str | None = None) -> Reason:
    """value > limit."""
    return _bounded(rule, name, value, limit, where, "more than", 1.0)


def at_most(rule: str, name: str, value: float | None, limit: float, where: str | None = None) -> Reason:
    """value <= limit."""
    return _bounded(rule, name, value, limit, where, "at most", -1.0)


def _bounded(
    rule: str, name: str, value: float | None, limit: float, where: str | None, asked: str, sign: float
) -> Reason:
    if value is None or value != value:
        return missing(rule, name, where)
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


def exactly(rule: str, name: str, value: int, limit: int, what: str) -> Reason:
    """value == limit."""
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


def missing(rule: str, name: str, where: str | None = None) -> Reason:
    """A refusal: nothing was measured."""
    place = f" in {where}" if where else ""
    sentence = f"There is no evidence of {name}{place}, and what was not measured does not pass."
    return Reason(rule=rule, name=name, slice=where, outcome="failed", sentence=sentence)


def unasked(rule: str, name: str, sentence: str) -> Reason:
    """Said, and not a refusal: this could not be asked here."""
    return Reason(rule=rule, name=name, outcome="insufficient", sentence=sentence)
