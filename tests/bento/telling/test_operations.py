"""The alerts and the dashboard ask for series that a running service really exports, and leave none of them out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bento.hostile import JPEG, b64
from tests.bento.telling.promql import NoPromQL, Selector, exported, faults, read
from tests.bento.world import cached_service

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations"
RULES = yaml.safe_load((OPERATIONS / "alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))
GUIDE = (OPERATIONS / "README.md").read_text(encoding="utf-8")

UNUSED: dict[str, str] = {}
"""Exported metrics that no alert and no panel asks for -> why."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    """Where it stands -> the expression."""
    found = {rule.get("alert") or rule["record"]: rule["expr"] for rule in rules()}
    return found | {f"{panel['title']} {at['refId']}": at["expr"] for panel in panels() for at in panel["targets"]}


RECORDED = {rule["record"] for rule in rules() if "record" in rule}
EXPRESSIONS = expressions()


def family(sample: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", sample)


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """What a service exports that has answered a query of every kind, and refused some."""
    with cached_service() as client:
        client.post("/search", json={"text": "red"})
        client.post("/search", json={"image": b64(JPEG)})
        client.post("/search", json={"text": "red", "image": b64(JPEG)})
        client.post("/similar", json={"id": "p0"})
        client.post("/search", json={})
        yield client.get("/metrics").text


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_an_expression_finds_its_series_labels_and_values_at_a_running_service(name: str, page: str):
    assert faults(EXPRESSIONS[name], page, RECORDED) == []


def test_every_metric_that_is_exported_is_asked_for_or_deliberately_not(page: str):
    asked = {family(at.metric) for expression in EXPRESSIONS.values() for at in read(expression).selectors}
    there = {family(sample) for sample in exported(page)}
    assert all(name.startswith("etalage_") for name in there)
    assert there - asked == set(UNUSED)


def test_every_metric_that_is_exported_is_explained_and_none_besides(page: str):
    explained = set(re.findall(r"^\| `(etalage_\w+)", GUIDE, flags=re.MULTILINE))
    assert explained == {family(sample) for sample in exported(page)}


def test_every_label_in_the_guide_is_the_label_that_is_exported(page: str):
    series = exported(page)
    for name, labels in re.findall(r"^\| `(etalage_\w+)\{([\w, ]*)\}`", GUIDE, flags=re.MULTILINE):
        rows = series.get(name) or series[f"{name}_count"]
        assert set(rows[0]) == {label.strip() for label in labels.split(",")}, name


def test_every_recorded_series_is_used():
    asked = {at.metric for expression in EXPRESSIONS.values() for at in read(expression).selectors}
    assert asked >= RECORDED


def test_an_alert_says_how_bad_what_and_what_to_do_and_the_guide_names_it():
    alerts = [rule for rule in rules() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 5
    for rule in alerts:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
        assert f"`{rule['alert']}`" in GUIDE
        grouped = read(rule["expr"]).grouped
        for label in re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())):
            recorded = {at.metric for at in read(rule["expr"]).selectors} & RECORDED
            of_recorded = {
                word for one in rules() if one.get("record") in recorded for word in read(one["expr"]).grouped
            }
            assert label in grouped | of_recorded or (label == "instance" and not grouped), (rule["alert"], label)


def test_the_dashboard_is_one_that_grafana_reads_and_its_panels_do_not_overlap():
    assert {"title", "uid", "panels", "templating", "schemaVersion", "time"} <= set(DASHBOARD)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels())


def test_the_dashboards_variables_are_those_that_its_expressions_use(page: str):
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"]))) - {"__rate_interval"}
    assert used == set(variables)
    asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables["release"]["query"])
    assert asked is not None and asked[2] in exported(page)[asked[1]][0]


def test_an_expression_is_read_down_to_its_matchers_ranges_and_groups():
    asked = read('sum by (le, a) (rate(x_bucket{k="a, {b}", s=~"5.."}[5m] offset 1d)) / on (a) group_left y:z > 1e-3')
    assert asked.selectors == [
        Selector("x_bucket", [("k", "=", "a, {b}"), ("s", "=~", "5..")], ranged=True),
        Selector("y:z"),
    ]
    assert asked.grouped == {"le", "a"}


@pytest.mark.parametrize(
    "wrong",
    ["", "rate(", "sum by a (b)", "speed(a)", 'a{b="c}', "a{b=c}", "[5m]", "a[5 minutes]", "1 + 2", "a # b", "rate a"],
)
def test_what_is_no_expression_is_refused(wrong: str):
    with pytest.raises(NoPromQL):
        read(wrong)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("etalage_reddy", "etalage_reddy is not exported"),
        ("rate(etalage_request_total[5m])", "etalage_request_total is not exported"),
        ("etalage:not:recorded > 1", "etalage:not:recorded is not exported"),
        ('rate(etalage_refusals_total{kind="busy"}[5m])', "etalage_refusals_total has no label kind"),
        ('rate(etalage_refusals_total{reason="bussy"}[5m])', "etalage_refusals_total has no series with reason=bussy"),
        ('rate(etalage_queries_total{status=~"6.."}[5m])', "etalage_queries_total has no series with status=~6.."),
        ("sum by (route) (rate(etalage_queries_total[5m]))", "etalage_queries_total has no label route"),
        ("sum(etalage_queries_total)", "etalage_queries_total is asked without a range"),
        ("rate(etalage_ready[5m])", "etalage_ready is asked with a range"),
    ],
)
def test_an_expression_that_would_find_nothing_is_told_so(expression: str, fault: str, page: str):
    assert faults(expression, page, RECORDED) == [fault]
