"""Run the suites over a snapshot: `validate_snapshot(data, params) -> ValidationReport`. Writes nothing."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx

from catalog.digests import digest_of_sections
from catalog.errors import InvalidSnapshot
from catalog.snapshot import snapshot_id
from catalog.workspace import DATA
from validation.findings import finding_of, name_of
from validation.frames import KEYS, Frames, read_frames
from validation.params import ValidateParams
from validation.report import ValidationReport
from validation.suites import SUITES, Suites, suite_of

SHOWN = 5  # rows that an expectation keeps as examples


@dataclass(frozen=True)
class Checked:
    """A report, and for each table what Great Expectations answered (Data Docs are made of it)."""

    report: ValidationReport
    results: Mapping[str, Any]


def validate_snapshot(
    data: Path = DATA, params: ValidateParams | None = None, suites: Suites = SUITES
) -> ValidationReport:
    """Check the snapshot in `data` against `suites`. A snapshot that cannot be read is a failed report, no error."""
    return check_snapshot(data, params, suites).report


def check_snapshot(data: Path = DATA, params: ValidateParams | None = None, suites: Suites = SUITES) -> Checked:
    """As validate_snapshot, with the answers of Great Expectations beside the report."""
    params = params or ValidateParams()
    try:
        frames = read_frames(data)
    except InvalidSnapshot as error:
        return Checked(_report(params, snapshot=_id_if_any(data), source=None, products=0, unreadable=str(error)), {})
    filled = [table for table in suites if len(frames.tables[table]) or table == "products"]
    results = _answers(frames, {table: suite_of(table, suites[table], params) for table in filled})
    report = _report(
        params,
        snapshot=frames.snapshot,
        source=frames.source,
        products=len(frames.tables["products"]),
        absent=tuple(table for table in suites if table not in filled),
        findings=tuple(finding_of(table, result, frames) for table in filled for result in results[table].results),
    )
    return Checked(report, results)


def _id_if_any(data: Path) -> str | None:
    try:
        return snapshot_id(data)
    except InvalidSnapshot:
        return None


def _report(params: ValidateParams, **found: Any) -> ValidationReport:
    return ValidationReport(params=params.model_dump(), params_hash=digest_of_sections([params]), **found)


def _answers(frames: Frames, suites: Mapping[str, gx.ExpectationSuite]) -> dict[str, Any]:
    """Validate each table with its suite, in an ephemeral context that reports to nobody and draws no progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("snapshot")
    answers = {}
    for table, suite in suites.items():
        batches = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("whole")
        batch = batches.get_batch({"dataframe": frames.tables[table]})
        wanted = {
            "result_format": "SUMMARY",
            "unexpected_index_column_names": ["row", *KEYS[table]],
            "partial_unexpected_count": SHOWN,
        }
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
