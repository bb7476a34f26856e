"""How an expectation is written here: a Great Expectations class, plus why it is there, how bad it is, and what to say.

    expect(
        gxe.ExpectColumnValuesToBeUnique, "id_unique", column="id",
        claim="No two products have the same id.",
        reason="A hit, a judgement and a release name a product by its id.",
        says="{count:,} of {total:,} products share their id with another: {examples}.",
    )

`says` is a format string. About rows it may use count, total (rows that break the claim, rows it speaks about) and
examples; about one number observed, low and high; always rows (of the table), first[column] and facts[...].
"""

from typing import Any, ClassVar

import great_expectations.expectations as gxe
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from great_expectations.expectations.metrics import ColumnAggregateMetricProvider, column_aggregate_value

from validation.report import Severity

SEVERITIES: dict[Severity, str] = {"stop": "critical", "warn": "warning"}  # ours -> Great Expectations' own

CODE_OF_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"  # BCP 47 without its rarest forms
CODE_OF_CURRENCY = r"^[A-Z]{3}$"  # ISO 4217
HAS_A_WORD = r"[^\W_]"  # a letter or digit of any script


def expect(
    kind: type[Any],
    name: str,
    *,
    claim: str,
    reason: str,
    says: str,
    severity: Severity = "stop",
    **arguments: Any,
) -> gxe.Expectation:
    """One expectation with its meta: name, claim, reason, severity (stop | warn) and the sentence of its failure.

    `arguments` go to `kind`. The description is what Data Docs print instead of Great Expectations' own words.
    """
    limit = interval(arguments.get("min_value"), arguments.get("max_value"))
    words = [claim, f"Limit: {limit}." if limit else "", f"Why: {reason}", f"({severity})"]
    return kind(
        **arguments,
        severity=SEVERITIES[severity],
        description=" ".join(filter(None, words)),
        meta={"name": name, "claim": claim, "reason": reason, "severity": severity, "says": says},
    )


def interval(low: float | None, high: float | None) -> str:
    """ "at least 2 and at most 5"; "" without ends."""
    ends = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
    return " and ".join(filter(None, ends))


class ColumnLargestShare(ColumnAggregateMetricProvider):  # type: ignore[misc]  # GX has no types we read
    """Share of the rows that hold the column's most frequent value; 0 for an empty column."""

    metric_name = "column.largest_share"

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column: Any, **_: Any) -> float:
        return float(column.value_counts().iloc[0] / len(column)) if column.notna().any() else 0.0


class ExpectColumnLargestShareToBeBetween(ColumnAggregateExpectation):  # type: ignore[misc]
    """The most frequent value of a column holds a share of the rows between two limits. GX has none such."""

    min_value: float | None = None
    max_value: float | None = None
    strict_min: bool = False
    strict_max: bool = False

    metric_dependencies: ClassVar[tuple[str, ...]] = ("column.largest_share",)
    success_keys: ClassVar[tuple[str, ...]] = ("min_value", "max_value", "strict_min", "strict_max")

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        return self._validate_metric_value_between(
            metric_name="column.largest_share",
            metrics=metrics,
            runtime_configuration=runtime_configuration,
            execution_engine=execution_engine,
        )
