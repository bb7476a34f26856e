"""The report: names its inputs, survives the way to disk and back, and is the same for the same snapshot."""

import json
from pathlib import Path

import pytest

from catalog.digests import digest_of_sections
from catalog.errors import InvalidSnapshot
from catalog.snapshot import snapshot_id
from tests.validation.worlds import World
from validation.checks import validate_snapshot
from validation.params import ValidateParams
from validation.report import ValidationReport, read_report, write_report
from validation.suites import SUITES, suite_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World()
    world.change(1, currency="CNY")
    return world.write(tmp_path_factory.mktemp("world") / "data")


@pytest.fixture(scope="module")
def report(data: Path) -> ValidationReport:
    return validate_snapshot(data)


def test_a_report_names_the_snapshot_by_its_content(report: ValidationReport, data: Path) -> None:
    assert report.snapshot == snapshot_id(data)
    assert report.snapshot in report.sentence()
    assert report.sentence().startswith(f"Snapshot {report.snapshot} of 60 products is fit to train on: ")
    assert report.sentence().endswith(" only warned.")


def test_a_report_names_the_limits_it_used(data: Path) -> None:
    strict = ValidateParams(min_products=61)
    named = validate_snapshot(data, strict).params_hash
    assert named == digest_of_sections([strict]) != digest_of_sections([ValidateParams()])
    assert validate_snapshot(data, strict).params["min_products"] == 61


def test_a_written_report_reads_back_the_same(report: ValidationReport, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "validate.json"
    write_report(report, path)
    assert read_report(path) == report
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["success"] is True
    assert document["counts"] == {
        "expectations": len(report.findings),
        "held": len(report.findings) - 1,
        "stopped": 0,
        "warned": 1,
    }
    assert document["warnings"] == list(report.warnings)


def test_every_entry_says_what_was_observed_what_is_allowed_and_why(report: ValidationReport) -> None:
    for finding in report.findings:
        assert finding.observed is not None, finding.name
        assert finding.limit, finding.name
        assert finding.reason.endswith("."), finding.name
        assert finding.claim.endswith("."), finding.name
        assert (finding.sentence is None) == finding.success, finding.name
    share = next(finding for finding in report.findings if finding.name == "products.without_image_share")
    assert (share.observed, share.limit, share.rows) == (0.0, "at most 0.6", 60)


def test_the_same_snapshot_gives_the_same_report(report: ValidationReport, data: Path) -> None:
    assert validate_snapshot(data).to_json() == report.to_json()


def test_no_report_and_half_a_report_are_errors_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidSnapshot, match="has not been validated"):
        read_report(tmp_path / "validate.json")
    (tmp_path / "validate.json").write_text('{"success": true', encoding="utf-8")
    with pytest.raises(InvalidSnapshot, match="is not a validation report"):
        read_report(tmp_path / "validate.json")


def test_every_expectation_of_every_suite_has_a_reason_a_severity_and_a_name_of_its_own() -> None:
    names = []
    for table in SUITES:
        for expectation in suite_of(table, SUITES[table], ValidateParams()).expectations:
            names.append(f"{table}.{expectation.meta['name']}")
            assert expectation.meta["reason"]
            assert expectation.severity.value == {"stop": "critical", "warn": "warning"}[expectation.meta["severity"]]
    assert len(names) == len(set(names)) >= 60
