"""reports/curves.csv: one row per epoch, for DVC plots. Columns of a metric that an epoch lacks stay empty."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_curves(history: Sequence[Mapping[str, float | int]], path: Path) -> None:
    """Write the history of a training; the columns are all names that occur, in the order they came up."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in history:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table.getvalue(), encoding="utf-8")
