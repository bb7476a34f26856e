"""The comparison as files: reports/compare.json, and reports/compare.md to read."""

import json
from collections.abc import Sequence
from typing import Any

from catalog.workspace import REPORTS
from evaluation.comparison.table import ConfigurationRow
from evaluation.comparison.tasks import TASKS
from evaluation.queries.kinds import KINDS

JSON, MARKDOWN = REPORTS / "compare.json", REPORTS / "compare.md"
_MARKS = {"better": "▲", "worse": "▼", "no difference shown": "", "base": ""}


def write(rows: Sequence[ConfigurationRow], inputs: dict[str, Any]) -> None:
    """Write both files."""
    REPORTS.mkdir(exist_ok=True)
    lines = [json.dumps(_rounded(row.model_dump(mode="json")), sort_keys=True) for row in rows]
    document = f'{{"inputs": {json.dumps(inputs, sort_keys=True)},\n"rows": [\n' + ",\n".join(lines) + "\n]}\n"
    JSON.write_text(document, encoding="utf-8")
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
    return "\n".join([*lines, *_missing(rows)]) + "\n"


def _missing(rows: Sequence[ConfigurationRow]) -> list[str]:
    """A second table: the fused vectors alone, whole, and what they lose with a modality of some products."""
    measured = [row for row in rows if row.facts.get("missing")]
    if not measured:
        return []
    base = measured[0]  # whose vectors are those of many a row
    measured = [base, *(row for row in measured[1:] if row.facts["missing"] != base.facts["missing"])]
    cells = [(one["kind"], one["lost"], one["share"]) for one in measured[0].facts["missing"] if one["share"] > 0]
    kinds = list(dict.fromkeys(kind for kind, _, _ in cells))
    heads = [f"{kind}, {KINDS[kind].primary}" for kind in kinds]
    heads += [f"{kind}: {lost} of {share:.0%}" for kind, lost, share in cells]
    lines = ["", "What products lose with a modality", "", "| configuration | " + " | ".join(heads) + " |"]
    lines.append("|---" * (len(heads) + 1) + "|")
    for row in measured:
        found = {(one["kind"], one["lost"], one["share"]): one for one in row.facts["missing"]}
        metric = {kind: "recall" if KINDS[kind].primary.startswith("recall") else "ndcg" for kind in kinds}
        whole = [f"{found[kind, 'image', 0.0][metric[kind]]:.3f}" for kind in kinds]
        lost = [f"{-found[cell][metric[cell[0]] + '_lost']:+.3f}" for cell in cells]
        lines.append(f"| {row.name} | " + " | ".join(whole + lost) + " |")
    return lines


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
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(own) for key, own in value.items()}
    return [_rounded(own) for own in value] if isinstance(value, list | tuple) else value
