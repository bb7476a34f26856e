"""Champion against challenger: paired on the same queries, overall, per kind and per slice.

Every query counts by the primary metric of its kind. `overall` weighs the kinds the same; a slice takes all queries
in it, of whatever kind. Nothing is decided here: evaluation.gates.decide does.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from catalog.errors import EtalageError
from evaluation.gates.rules import ChampionRules
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.significance import (
    Interval,
    holm,
    mean_interval,
    paired_p_value,
    stratified_interval,
    unpaired_upper_bound,
)

Scope = Literal["overall", "kind", "slice"]


class EvaluationSetMismatch(EtalageError):
    """Two results were measured on different queries, grades or pools: they cannot be compared."""


class Difference(BaseModel):
    """challenger - champion over `n` queries; `low` and `high` bound 95 %, `lower_bound` is one-sided 95 %.

    `champion_low` and `champion_high` bound 95 % of the champion's own mean; None in what was kept before they were.
    `adjusted_p`: of "the two are the same", with Holm's correction over all kinds and slices that are asked about. A
    table that was not corrected says 0: sure.
    """

    model_config = ConfigDict(frozen=True)

    scope: Scope
    name: str  # "overall", a kind, or "dimension=value"
    metric: str
    n: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float
    lower_bound: float
    adjusted_p: float = 0.0
    champion_low: float | None = None
    champion_high: float | None = None


class Fall(BaseModel):
    """The champion on a kind: `recorded` over its own questions, `found` over today's `n`. `upper_bound` is the
    one-sided 95 % bound of found - recorded."""

    model_config = ConfigDict(frozen=True)

    kind: str
    metric: str
    n: int
    recorded: float
    found: float
    upper_bound: float


class Comparison(BaseModel):
    """All differences, the overall one first; `evaluation_set` is the fingerprint both sides share. `falls`: what
    became of the champion's own scores on today's questions; empty where they are its own, or where `unheld` says why
    they cannot be held against each other."""

    model_config = ConfigDict(frozen=True)

    evaluation_set: str
    differences: tuple[Difference, ...]
    falls: tuple[Fall, ...] = ()
    unheld: str = ""


def compare(champion: pl.DataFrame, challenger: pl.DataFrame, rules: ChampionRules) -> Comparison:
    """Compare the `engine` rows of two per_query tables (see evaluation.scores) query by query.

    Raises EvaluationSetMismatch unless both name the same evaluation set and the same queries.
    """
    fingerprint = _shared_fingerprint(champion, challenger)
    paired = _primary(challenger).join(_primary(champion).select("query_id", champion="value"), on="query_id")
    paired = paired.rename({"value": "challenger"}).sort("query_id")
    if len(paired) != len(_primary(champion)) or len(paired) != len(_primary(challenger)) or paired.is_empty():
        raise EvaluationSetMismatch("Champion and challenger did not answer the same queries of the evaluation set.")
    return Comparison(evaluation_set=fingerprint, differences=tuple(_differences(paired, rules)))


def falls(recorded: pl.DataFrame, found: pl.DataFrame, rules: ChampionRules) -> tuple[Fall, ...]:
    """The champion's `engine` rows as recorded against those `found` on today's questions, by kind.

    Not paired: the questions are others, so both sides are resampled.
    """
    before, after = _primary(recorded), _primary(found)
    told = []
    for kind in sorted(set(before["kind"]) & set(after["kind"])):
        then, now = (rows.filter(pl.col("kind") == kind)["value"].to_numpy() for rows in (before, after))
        bound = unpaired_upper_bound(now, then, seed=rules.seed, rounds=rules.bootstrap_rounds)
        n = min(len(then), len(now))
        told.append(
            Fall(
                kind=kind,
                metric=KINDS[kind].primary,
                n=n,
                recorded=float(then.mean()),
                found=float(now.mean()),
                upper_bound=bound,
            )
        )
    return tuple(told)


def _differences(paired: pl.DataFrame, rules: ChampionRules) -> list[Difference]:
    by_kind = {kind: paired.filter(pl.col("kind") == kind) for kind in sorted(paired["kind"].unique())}
    overall = stratified_interval(
        [_difference(rows) for rows in by_kind.values()], seed=rules.seed, rounds=rules.bootstrap_rounds
    )
    champion = stratified_interval(
        [rows["champion"].to_numpy() for rows in by_kind.values()], seed=rules.seed, rounds=rules.bootstrap_rounds
    )
    challenger = float(np.mean([rows["challenger"].mean() for rows in by_kind.values()]))
    found = [_row("overall", "overall", "mean of the primary metrics", champion, challenger, overall)]
    asked: list[tuple[Scope, str, str, pl.DataFrame]] = [
        ("kind", kind, KINDS[kind].primary, rows) for kind, rows in by_kind.items()
    ]
    per_slice = paired.explode("slices").rename({"slices": "slice"}).drop_nulls("slice")
    for name in sorted(per_slice["slice"].unique()):
        if name.partition("=")[0] in rules.dimensions:
            asked.append(("slice", name, "primary metric", per_slice.filter(pl.col("slice") == name)))
    rounds = enough_rounds(sum(len(rows) >= rules.minimum for *_, rows in asked), rules)
    return _corrected([*found, *(_measured(*each, rules, rounds) for each in asked)], rules)


def enough_rounds(tests: int, rules: ChampionRules) -> int:
    """So many that Holm's correction over `tests` can still find one sure: its p is `tests` / (rounds + 1) at best."""
    return max(rules.bootstrap_rounds, math.ceil(4 * tests / rules.alpha))


def _corrected(found: Sequence[Difference], rules: ChampionRules) -> list[Difference]:
    """With Holm's correction over the kinds and slices that have enough queries to be asked about."""
    family = [place for place, row in enumerate(found) if row.scope != "overall" and row.n >= rules.minimum]
    adjusted = dict(zip(family, holm([found[place].adjusted_p for place in family]), strict=True))
    return [
        row.model_copy(update={"adjusted_p": adjusted.get(place, row.adjusted_p)}) for place, row in enumerate(found)
    ]


def _measured(
    scope: Scope, name: str, metric: str, rows: pl.DataFrame, rules: ChampionRules, rounds: int
) -> Difference:
    both = [rows[side].to_numpy() for side in ("challenger", "champion")]
    p = paired_p_value(*both, seed=rules.seed, rounds=rounds)
    interval, champion = (
        mean_interval(values, seed=rules.seed, rounds=rules.bootstrap_rounds) for values in (_difference(rows), both[1])
    )
    return _row(scope, name, metric, champion, float(both[0].mean()), interval, p)


def _row(
    scope: Scope, name: str, metric: str, champion: Interval, challenger: float, interval: Interval, p: float = 0.0
) -> Difference:
    return Difference(
        scope=scope,
        name=name,
        metric=metric,
        n=interval.n,
        champion=champion.mean,
        challenger=challenger,
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        lower_bound=interval.lower_bound,
        adjusted_p=p,
        champion_low=champion.low,
        champion_high=champion.high,
    )


def _difference(rows: pl.DataFrame) -> NDArray[np.float64]:
    difference: NDArray[np.float64] = rows["challenger"].to_numpy() - rows["champion"].to_numpy()
    return difference


def _primary(scores: pl.DataFrame) -> pl.DataFrame:
    """The engine's rows with one column `value`: the primary metric of the query's kind."""
    engine = scores.filter(pl.col("system") == ENGINE)
    parts = [
        engine.filter(pl.col("kind") == kind).select("query_id", "kind", "slices", value=pl.col(KINDS[kind].primary))
        for kind in sorted(engine["kind"].unique())
    ]
    return pl.concat(parts) if parts else engine.select("query_id", "kind", "slices", value=pl.lit(0.0))


def _shared_fingerprint(champion: pl.DataFrame, challenger: pl.DataFrame) -> str:
    ours, theirs = (sorted(table["evaluation_set"].unique()) for table in (challenger, champion))
    if len(ours) != 1 or len(theirs) != 1 or ours != theirs:
        raise EvaluationSetMismatch(
            f"The challenger was measured on evaluation set {', '.join(ours) or 'none'} and the champion on "
            f"{', '.join(theirs) or 'none'}: measure the champion again on today's set (evaluation.gates.rescore)."
        )
    return str(ours[0])
