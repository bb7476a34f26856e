"""From an answer of Great Expectations to a Finding: numbers, limits, and one sentence that says what and how much."""

from collections.abc import Mapping, Sequence
from typing import Any

from validation.expectations import interval
from validation.frames import KEYS, Frames
from validation.report import Finding

QUOTED = 3  # rows named in a sentence
_WIDEST = 40  # characters of one value


def name_of(result: Any) -> str:
    """The name that validation.expectations.expect gave the expectation."""
    return str(result.expectation_config.meta["name"])


def finding_of(table: str, result: Any, frames: Frames) -> Finding:
    """One answer in our words. An expectation that could not be computed stops, whatever its severity."""
    meta, rows = result.expectation_config.meta, len(frames.tables[table])
    raised = _raised(result.exception_info)
    fields: dict[str, Any] = {} if raised else _fields(table, result, frames)
    sentence = f'"{meta["claim"]}" could not be checked: {raised}' if raised else meta["says"].format_map(fields)
    held = bool(result.success) and not raised
    return Finding(
        name=f"{table}.{name_of(result)}",
        table=table,
        severity="stop" if raised else meta["severity"],
        success=held,
        claim=meta["claim"],
        reason=meta["reason"],
        observed=fields.get("observed", fields.get("count")),
        limit=_limit(fields),
        rows=rows,
        sentence=None if held else f"{table}: {sentence}",
        examples=tuple(fields.get("shown", ())),
    )


def _fields(table: str, result: Any, frames: Frames) -> dict[str, Any]:
    """What the format string `says` may use; see validation.expectations."""
    frame, answer, arguments = frames.tables[table], result.result, result.expectation_config.kwargs
    fields = {"rows": len(frame), "facts": frames.facts, "first": frame.iloc[0] if len(frame) else {}}
    if "observed_value" in answer:
        observed = answer["observed_value"]
        ends = {"low": arguments.get("min_value"), "high": arguments.get("max_value")}
        return {**fields, **ends, "observed": 0 if observed is None else observed}
    shown = [_row_named(table, row) for row in answer.get("partial_unexpected_index_list") or ()]
    count, total = answer.get("unexpected_count", 0), answer.get("element_count", 0)
    return {**fields, "count": count, "total": total, "shown": shown, "examples": _listed(shown, count)}


def _limit(fields: Mapping[str, Any]) -> str:
    """What is allowed: an interval for an expectation about one number, no row for one about rows."""
    if "observed" not in fields:
        return "no row" if fields else "unknown"
    return interval(fields["low"], fields["high"])


def _row_named(table: str, row: Mapping[str, Any]) -> str:
    """'shirt-7', or 'shirt-7' (-2.0) where the value says more; a row without its key is named by its number."""
    keys = KEYS[table]
    named = [_quoted(row[key]) for key in keys if _present(row.get(key))]
    name = " / ".join(named) if len(named) == len(keys) and keys else f"row {row['row']}"
    values = [value for column, value in row.items() if column not in (*keys, "row") and _present(value)]
    said = [_short(str(value)) for value in values if not isinstance(value, bool)]
    return f"{name} ({', '.join(said)})" if said else name


def _listed(shown: Sequence[str], count: int) -> str:
    """The first few of `count` rows, and how many more there are."""
    quoted = list(dict.fromkeys(shown))[:QUOTED]
    more = count - sum(name in quoted for name in shown)
    return ", ".join(quoted) + (f" and {more:,} more" if more > 0 else "")


def _present(value: Any) -> bool:
    return value is not None and value == value and str(value).strip() != ""


def _quoted(value: Any) -> str:
    return f"'{_short(str(value))}'"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _raised(information: Mapping[str, Any]) -> str:
    """The first exception of an answer, or "". Great Expectations files them flat, or by metric."""
    entries = [information] if "raised_exception" in information else list(information.values())
    messages = [str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")]
    return messages[0] if messages else ""
