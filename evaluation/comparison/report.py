"""The comparison as files: reports/compare.json, and reports/compare.md to read."""

import json
from collections.abc import Sequence
from typing import Any

from catalog.workspace import REPORTS
from evaluation.comparison.table import TASKS, ConfigurationRow

JSON, MARKDOWN = REPORTS / "compare.json", REPORTS / "compare.md"
_MARKS = {"better": "▲", "worse": "▼", "no difference shown": "", "base": ""}


def write(rows: Sequence[ConfigurationRow], inputs: dict[str, Any]) -> None:
    """Write both files."""
    REPORTS.mkdir(exist_ok=True)
    document = {"inputs": inputs, "rows": [row.model_dump(mode="json") for row in rows]}
    JSON.write_text(json.dumps(_rounded(document), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    MARKDOWN.write_text(markdown(rows), encoding="utf-8")


def markdown(rows: Sequence[ConfigurationRow]) -> str:
    """A Markdown table: a line for each configuration, a column for each task; ▲ ▼ surely better or worse than base."""
    tasks = [task for task in TASKS if any(task in row.tasks for row in rows)]
    lines = [
        "| configuration | sets | " + " | ".join(tasks) + " | ms a query | training s |",
        "|---" * (len(tasks) + 4) + "|",
    ]
    family = ""
    for row in rows:
        if row.family != family:
            family = row.family
            lines.append(f"| **{family}** |" + " |" * (len(tasks) + 3))
        cells = [_cell(row, task) for task in tasks]
        setting = ", ".join(f"`{key}={_short(value)}`" for key, value in row.set.items())
        query = row.facts.get("query_ms") or {}
        lines.append(
            f"| {row.name} | {setting} | " + " | ".join(cells) + f" | {sum(query.values()):.0f} "
            f"| {row.facts['train'].get('seconds', 0):.0f} |"
        )
    return "\n".join(lines) + "\n"


def _cell(row: ConfigurationRow, task: str) -> str:
    own = row.tasks.get(task)
    if own is None:
        return "-"
    spread = f" ± {row.seeds[task].deviation:.3f}" if task in row.seeds else ""
    interval = f" ({own.low:.3f}-{own.high:.3f})" if own.verdict == "base" else ""
    return f"{own.mean:.3f}{interval}{spread} {_MARKS[own.verdict]}".strip()


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {key: _rounded(own) for key, own in value.items()}
    return [_rounded(own) for own in value] if isinstance(value, list | tuple) else value
