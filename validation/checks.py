"""Run the suites over a snapshot: `validate_snapshot(data, params) -> ValidationReport`. Writes nothing."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx

from catalog.errors import InvalidSnapshot
from catalog.workspace import DATA
from validation.findings import finding_of, name_of
from validation.frames import KEYS, TABLES, Frames, read_frames
from validation.params import ValidateParams
from validation.report import ValidationReport, hash_of
from validation.suites import suite_of

SHOWN = 5  # rows that an expectation keeps as examples


@dataclass(frozen=True)
class Checked:
    """A report, and for each table what Great Expectations answered (Data Docs are made of it)."""

    report: ValidationReport
    results: Mapping[str, Any]


def validate_snapshot(data: Path = DATA, params: ValidateParams | None = None) -> ValidationReport:
    """Check the snapshot in `data` against every suite. A snapshot that cannot be read is a failed report, no error."""
    return check_snapshot(data, params).report


def check_snapshot(data: Path = DATA, params: ValidateParams | None = None) -> Checked:
    """As validate_snapshot, with the answers of Great Expectations beside the report."""
    params = params or ValidateParams()
    try:
        frames = read_frames(data)
    except InvalidSnapshot as error:
        return Checked(_report(params, snapshot=None, source=None, products=0, unreadable=str(error)), {})
    filled = [table for table in TABLES if len(frames.tables[table]) or table == "products"]
    results = _answers(frames, filled, params)
    report = _report(
        params,
        snapshot=frames.snapshot,
        source=frames.source,
        products=len(frames.tables["products"]),
        absent=tuple(table for table in TABLES if table not in filled),
        findings=tuple(finding_of(table, result, frames) for table in filled for result in results[table].results),
    )
    return Checked(report, results)


def _report(params: ValidateParams, **found: Any) -> ValidationReport:
    return ValidationReport(params=params.model_dump(), params_hash=hash_of(params), **found)


def _answers(frames: Frames, tables: list[str], params: ValidateParams) -> dict[str, Any]:
    """Validate each table with its suite, in an ephemeral context that reports to nobody and draws no progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("snapshot")
    answers = {}
    for table in tables:
        batches = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("whole")
        batch = batches.get_batch({"dataframe": frames.tables[table]})
        wanted = {
            "result_format": "SUMMARY",
            "unexpected_index_column_names": ["row", *KEYS[table]],
            "partial_unexpected_count": SHOWN,
        }
        suite = suite_of(table, params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas tells of patterns with groups; ours are meant
            answer = batch.validate(suite, result_format=wanted)
        places = {expectation.meta["name"]: place for place, expectation in enumerate(suite.expectations)}
        answer.results.sort(key=lambda result: places[name_of(result)])  # those that raised come first otherwise
        answer.meta.pop("batch_markers", None)  # the time of the run: the same snapshot gives the same pages
        for result in answer.results:
            result.result = _plain(result.result)
        answers[table] = answer
    return answers


def _plain(value: Any) -> Any:
    """The same with numbers of Python for numbers of numpy, which the renderers of Data Docs cannot print."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value
