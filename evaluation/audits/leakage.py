"""What leaks do to the scores: the engine with and without the queries that training could have given away."""

from collections.abc import Sequence

import polars as pl

from catalog.products import Product
from evaluation.audits.leaks import Leaks
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.results import Leak, Leakage, LeakEffect
from evaluation.significance import mean_interval

SHOWN = 12  # pairs that the report itself lists: the nearest of each detector


def leakage(
    leaks: Leaks, questions: EvaluationSet, pool: Sequence[Product], scores: pl.DataFrame, *, seed: int, rounds: int
) -> Leakage:
    """What was found, and the engine's primary metric of each kind with and without the queries it touches."""
    touched = touched_queries(questions, pool, leaks.touched)
    effects = []
    for kind in questions.kinds():
        metric = KINDS[kind].primary
        rows = scores.filter((pl.col("system") == ENGINE) & (pl.col("kind") == kind))
        inside = rows.filter(pl.col("query_id").is_in(sorted(touched)))[metric].to_numpy()
        outside = rows.filter(~pl.col("query_id").is_in(sorted(touched)))[metric].to_numpy()
        without = mean_interval(outside, seed=seed, rounds=rounds) if len(outside) else None
        effects.append(
            LeakEffect(
                kind=kind,
                metric=metric,
                n=len(rows),
                touched=len(inside),
                mean=float(rows[metric].to_numpy().mean()),
                touched_mean=float(inside.mean()) if len(inside) else None,
                without_mean=without.mean if without else None,
                without_low=without.low if without else None,
                without_high=without.high if without else None,
            )
        )
    return Leakage(
        detectors=leaks.detectors,
        test_products=len(pool),
        touched_products=len(leaks.touched),
        queries=len(questions.queries),
        touched_queries=len(touched),
        effects=tuple(effects),
        examples=tuple(_examples(leaks.pairs)),
    )


def touched_queries(questions: EvaluationSet, pool: Sequence[Product], touched: frozenset[str]) -> frozenset[str]:
    """Queries whose photo shows a touched product, or of whose best answers at least half are touched."""
    photos = {media_id for product in pool if product.id in touched for media_id in product.images}
    found = set()
    for query in questions.queries:
        grades = questions.judgements[query.query_id]
        best = max(grades.values(), default=0)
        answers = [product_id for product_id, grade in grades.items() if grade == best > 0]
        known = sum(product_id in touched for product_id in answers)
        if query.image in photos or (known and 2 * known >= len(answers)):
            found.add(query.query_id)
    return frozenset(found)


def _examples(pairs: Sequence[Leak]) -> list[Leak]:
    """The first pairs of each detector among the test products, detectors in turns."""
    by_detector: dict[str, list[Leak]] = {}
    for pair in pairs:
        if pair.split == "test":
            by_detector.setdefault(pair.detector, []).append(pair)
    turns = max(map(len, by_detector.values()), default=0)
    return [rows[turn] for turn in range(turns) for rows in by_detector.values() if turn < len(rows)][:SHOWN]
