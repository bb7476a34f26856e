"""Champion against challenger on tables small enough to add up by hand."""

from collections.abc import Sequence

import polars as pl
import pytest

from evaluation.gates.compare import Comparison, Difference, EvaluationSetMismatch, compare, enough_rounds, falls
from evaluation.gates.rules import ChampionRules
from evaluation.metrics import METRICS
from evaluation.scores import SCHEMA

RULES = ChampionRules(bootstrap_rounds=200, dimensions=("language",))
Row = tuple[str, str, float, Sequence[str]]  # query id, kind, value of every metric, slices


def table(rows: Sequence[Row], evaluation_set: str = "set", system: str = "engine") -> pl.DataFrame:
    names = ("evaluation_set", "query_id", "kind", "system", "slices", *METRICS)
    values = [
        (evaluation_set, query, kind, system, list(slices), *[value] * len(METRICS))
        for query, kind, value, slices in rows
    ]
    return pl.DataFrame([dict(zip(names, row, strict=True)) for row in values], schema=SCHEMA)


def found(comparison: Comparison, name: str) -> Difference:
    (row,) = [row for row in comparison.differences if row.name == name]
    return row


def test_overall_weighs_kinds_the_same_and_a_slice_takes_all_its_queries() -> None:
    champion = table(
        [
            ("p1", "title_to_photo", 0.0, ["language=en"]),
            ("p2", "title_to_photo", 0.0, ["language=en"]),
            ("p3", "title_to_photo", 1.0, ["language=zh"]),
            ("a1", "attribute_en", 0.5, ["language=en", "leaf=Hats"]),
        ]
    )
    challenger = table(
        [
            ("a1", "attribute_en", 0.1, ["language=en", "leaf=Hats"]),
            ("p3", "title_to_photo", 1.0, ["language=zh"]),
            ("p2", "title_to_photo", 0.0, ["language=en"]),
            ("p1", "title_to_photo", 1.0, ["language=en"]),
        ]
    )
    comparison = compare(champion, challenger, RULES)
    assert comparison.differences[0].name == "overall"
    # title_to_photo: (1 + 0 + 0) / 3; attribute_en: -.4; overall: their mean
    assert found(comparison, "title_to_photo").difference == pytest.approx(1 / 3)
    assert found(comparison, "attribute_en").difference == pytest.approx(-0.4)
    assert found(comparison, "overall").difference == pytest.approx((1 / 3 - 0.4) / 2)
    assert found(comparison, "overall").champion == pytest.approx((1 / 3 + 0.5) / 2)
    assert found(comparison, "language=en").difference == pytest.approx((1 + 0 - 0.4) / 3)
    photos = found(comparison, "title_to_photo")
    assert photos.champion_low is not None and photos.champion_high is not None
    assert 0.0 <= photos.champion_low < photos.champion == pytest.approx(1 / 3)
    assert photos.champion < photos.champion_high <= 1.0
    assert (found(comparison, "attribute_en").champion_low, found(comparison, "attribute_en").champion_high) == (
        0.5,
        0.5,
    )
    assert found(comparison, "language=en").n == 3
    assert found(comparison, "language=zh").difference == 0.0
    assert "leaf=Hats" not in {row.name for row in comparison.differences}


def test_only_the_engine_is_compared() -> None:
    rows: list[Row] = [("p1", "title_to_photo", 0.5, [])]
    champion = pl.concat([table(rows), table([("p1", "title_to_photo", 1.0, [])], system="random")])
    assert found(compare(champion, table(rows), RULES), "overall").difference == 0.0


def test_the_primary_metric_of_the_kind_is_compared() -> None:
    rows: list[Row] = [("p1", "title_to_photo", 0.5, [])]
    challenger = table(rows).with_columns(pl.lit(1.0).alias("nDCG@10"))
    assert found(compare(table(rows), challenger, RULES), "title_to_photo").difference == 0.0
    challenger = table(rows).with_columns(pl.lit(1.0).alias("recall@10"))
    assert found(compare(table(rows), challenger, RULES), "title_to_photo").difference == pytest.approx(0.5)


def test_another_evaluation_set_is_refused() -> None:
    rows: list[Row] = [("p1", "title_to_photo", 0.5, [])]
    with pytest.raises(EvaluationSetMismatch, match="evaluation set new and the champion on old"):
        compare(table(rows, "old"), table(rows, "new"), RULES)


def test_other_queries_under_the_same_name_are_refused() -> None:
    two: list[Row] = [("p1", "title_to_photo", 0.5, []), ("p2", "title_to_photo", 0.5, [])]
    for champion, challenger in ((two, two[:1]), (two[:1], two)):
        with pytest.raises(EvaluationSetMismatch, match="same queries"):
            compare(table(champion), table(challenger), RULES)
    with pytest.raises(EvaluationSetMismatch):
        compare(table([]), table([]), RULES)


def test_the_champion_on_other_questions_is_told_by_kind_and_not_paired() -> None:
    recorded = table([(f"p{n}", "title_to_photo", 1.0, ()) for n in range(30)])
    today = table([(f"q{n}", "title_to_photo", n % 2, ()) for n in range(20)] + [("s", "shop", 1.0, ())], "today")
    (fall,) = falls(recorded, today, RULES)
    assert (fall.kind, fall.metric, fall.n, fall.recorded, fall.found) == ("title_to_photo", "recall@10", 20, 1.0, 0.5)
    assert -0.5 < fall.upper_bound < -0.2


def test_kinds_and_slices_are_corrected_together_and_those_with_too_few_queries_do_not_count() -> None:
    def side(value: float) -> pl.DataFrame:
        kinds = [(f"t{n}", "title_to_photo", value * (n % 4 == 0), ["language=en"]) for n in range(40)]
        return table([*kinds, *((f"s{n}", "shop", 0.5, ["language=zh"]) for n in range(5))])

    rules = ChampionRules(bootstrap_rounds=2000, dimensions=("language",), minimum=10)
    comparison = compare(side(1.0), side(0.0), rules)
    kind, english = found(comparison, "title_to_photo"), found(comparison, "language=en")
    assert (kind.difference, english.difference) == (-0.25, -0.25)
    assert kind.adjusted_p == english.adjusted_p == 2 * (1 / 2001)  # a family of two, at the floor of 2000 rounds
    assert found(comparison, "shop").adjusted_p == 1.0  # as it was: no part of the family


def test_a_kind_that_surely_lost_is_sure_among_two_hundred_slices_too() -> None:
    """Resamples as many as the family asks for: with 200 of them no p of 200 tests could be below .05."""
    names = [f"category={number}" for number in range(200)]
    rules = ChampionRules(bootstrap_rounds=200, dimensions=("category",), minimum=20)
    better = table([(f"q{n}", "title_to_photo", 1.0, names) for n in range(30)])
    worse = table([(f"q{n}", "title_to_photo", 0.0, names) for n in range(30)])
    assert enough_rounds(201, rules) == 16_080
    comparison = compare(challenger=worse, champion=better, rules=rules)
    assert all(row.adjusted_p < rules.alpha for row in comparison.differences if row.scope != "overall")
