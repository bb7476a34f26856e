"""Seeds that only look better: of many equal retrains the best is better by chance, and the table must not call it so.

Every retrain against the champion on every kind of query, by the test of `etalage compare` (evaluation.verdicts).
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from benchmarks.faults.workspace import Workspace, released
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.scores import PER_QUERY_FILE, read_scores
from evaluation.verdicts import ALPHA, ComparedRow, against_base

ROUNDS = 30_000
BASE = "champion"


def lucky(world: Workspace, tables: Mapping[str, pl.DataFrame]) -> list[ComparedRow]:
    """All retrains on all kinds, the champion as base. `tables`: per_query of each retrain."""
    champion = read_scores(released(world) / "reports" / "evaluation" / PER_QUERY_FILE)
    scores = {name: _by_kind(table) for name, table in {BASE: champion, **tables}.items()}
    turned = {kind: {name: values[kind] for name, values in scores.items()} for kind in scores[BASE]}
    return [row for row in against_base(turned, BASE, seed=7, rounds=ROUNDS) if row.system != BASE]


def told(rows: list[ComparedRow]) -> str:
    """How many look better, and how many are called so."""
    looks = [row for row in rows if row.difference > 0 and row.p < ALPHA]
    called = [row for row in rows if row.verdict == "better"]
    lines = [
        f"{len(rows)} comparisons of a kind of query: {len(looks)} look better (p below {ALPHA:g}, one by one); "
        f"with Holm's correction {len(called)} are called better."
    ]
    best = max(rows, key=lambda row: row.difference)
    lines.append(
        f"The best: seed {best.system} on {best.task}, {best.difference:+.3f}, p {best.p:.4f}, "
        f"corrected {best.adjusted_p:.4f}: {best.verdict}."
    )
    return "\n".join(lines)


def _by_kind(scores: pl.DataFrame) -> dict[str, Any]:
    engine = scores.filter(pl.col("system") == ENGINE).sort("query_id")
    kinds = sorted(engine["kind"].unique())
    return {kind: engine.filter(pl.col("kind") == kind)[KINDS[kind].primary].to_numpy() for kind in kinds}
