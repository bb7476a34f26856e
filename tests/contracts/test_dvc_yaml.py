"""A stage whose code or params are not declared goes silently stale: DVC says "didn't change".

So the deps of each stage are compared with the real import graph, and its params with the sections its code reads.
"""

import re

import grimp
import pytest
import yaml

from tests.contracts.stage_code import ROOT, code_of, import_graph, module_of

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
SECTIONS = set(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return import_graph()


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_declares_exactly_the_code_it_imports(stage: str, graph: grimp.ImportGraph) -> None:
    declared = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert declared == code_of(module_of(STAGES[stage]), graph), "`make stages` brings dvc.yaml up to date"


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_declares_exactly_the_params_its_code_reads(stage: str, graph: grimp.ImportGraph) -> None:
    read = set()
    for file in code_of(module_of(STAGES[stage]), graph):
        read |= set(re.findall(r'load_section\(\s*"(\w+)"', (ROOT / file).read_text(encoding="utf-8")))
    assert set(STAGES[stage].get("params", [])) == read
    assert read <= SECTIONS


def test_stage_names_are_file_names_and_params_sections() -> None:
    assert list(STAGES) == [
        "validate",
        "train",
        "export",
        "embed",
        "compose",
        "late",
        "tune",
        "rank",
        "parity",
        "evaluate",
        "misfiled",
    ]
    for stage in STAGES:
        assert stage in module_of(STAGES[stage]).split(".")[1:]
        assert stage in SECTIONS


def test_no_stage_writes_inside_data() -> None:
    for stage, body in STAGES.items():
        for kind in ("outs", "metrics", "plots"):
            for out in body.get(kind, []):
                path = out if isinstance(out, str) else next(iter(out))
                assert not path.startswith("data/"), f"{stage} writes {path}, but data.dvc owns data/"
