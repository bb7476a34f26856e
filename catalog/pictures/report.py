"""reports/pictures.json: what an ingest found out about the pictures, for a person to look at."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.pictures.lookalikes import PictureFindings
from catalog.workspace import PICTURES_REPORT

LISTED = 500
"""Findings of a kind that are written down; all are counted."""


def pictures_report(snapshot: str, findings: PictureFindings) -> dict[str, Any]:
    """The findings as plain JSON, named by the snapshot that they are of."""
    return {
        "snapshot": snapshot,
        "counts": {name: len(found) for name, found in findings.by_kind().items()},
        "placeholders": [asdict(found) for found in findings.placeholders[:LISTED]],
        "repeated": [asdict(found) for found in findings.repeated[:LISTED]],
        "twice": [list(ids) for ids in findings.twice[:LISTED]],
    }


def write_pictures_report(snapshot: str, findings: PictureFindings, path: Path = PICTURES_REPORT) -> None:
    """Write the report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".half")
    text = json.dumps(pictures_report(snapshot, findings), indent=2, ensure_ascii=False)
    half.write_text(text + "\n", encoding="utf-8")
    half.replace(path)
