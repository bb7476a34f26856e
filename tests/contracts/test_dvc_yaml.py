"""A stage whose code or params are not declared goes silently stale: DVC says "didn't change".

So the deps of each stage are compared with the real import graph, and its params with the sections its code reads.
"""

import re
from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalog", "validation", "models", "search", "evaluation")
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
SECTIONS = set(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def module_of(stage: str) -> str:
    return re.fullmatch(r"python -m ([\w.]+)", STAGES[stage]["cmd"]).group(1)  # type: ignore[union-attr]


def file_of(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    return str((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).relative_to(ROOT))


def code_of(stage: str, graph: grimp.ImportGraph) -> set[str]:
    """Files of every module the stage imports, directly or not, packages' __init__ included."""
    entry = module_of(stage)
    modules = {entry} | graph.find_upstream_modules(entry)
    for module in list(modules):
        parts = module.split(".")
        modules |= {".".join(parts[:n]) for n in range(1, len(parts))}
    return {file_of(module) for module in modules}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_declares_exactly_the_code_it_imports(stage: str, graph: grimp.ImportGraph) -> None:
    declared = {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}
    assert declared == code_of(stage, graph)


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_declares_exactly_the_params_its_code_reads(stage: str, graph: grimp.ImportGraph) -> None:
    read = set()
    for file in code_of(stage, graph):
        read |= set(re.findall(r'load_section\(\s*"(\w+)"', (ROOT / file).read_text(encoding="utf-8")))
    assert set(STAGES[stage].get("params", [])) == read
    assert read <= SECTIONS


def test_stage_names_are_file_names_and_params_sections() -> None:
    assert list(STAGES) == ["validate", "train", "export", "embed", "tune", "evaluate"]
    for stage in STAGES:
        assert module_of(stage).split(".")[1] == stage
        assert stage in SECTIONS


def test_no_stage_writes_inside_data() -> None:
    for stage, body in STAGES.items():
        for kind in ("outs", "metrics", "plots"):
            for out in body.get(kind, []):
                path = out if isinstance(out, str) else next(iter(out))
                assert not path.startswith("data/"), f"{stage} writes {path}, but data.dvc owns data/"
