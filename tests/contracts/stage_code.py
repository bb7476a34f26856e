"""Which of the project's files each DVC stage runs: what its deps must be.

python -m tests.contracts.stage_code        # or `make stages`: writes them into dvc.yaml
"""

import re
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalog", "validation", "models", "search", "evaluation")


def import_graph() -> grimp.ImportGraph:
    """Who imports whom, of the packages that stages are made of."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def module_of(stage: dict[str, Any]) -> str:
    """The module that a stage's command runs."""
    found = re.fullmatch(r"python -m ([\w.]+)", stage["cmd"])
    assert found, f"{stage['cmd']} is not `python -m module`"
    return found.group(1)


def code_of(entry: str, graph: grimp.ImportGraph) -> set[str]:
    """Files of every module that `entry` imports, directly or not, packages' __init__ included."""
    modules = {entry} | graph.find_upstream_modules(entry)
    for module in list(modules):
        parts = module.split(".")
        modules |= {".".join(parts[:n]) for n in range(1, len(parts))}
    return {_file_of(module) for module in modules}


def write(path: Path = ROOT / "dvc.yaml") -> None:
    """Bring the code among the deps up to date; data, artifacts and other files stay as they are, in front."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(path.read_text(encoding="utf-8"))
    graph = import_graph()
    for stage in document["stages"].values():
        inputs = [dep for dep in stage["deps"] if dep.split("/")[0] not in PACKAGES]
        files = {dep for dep in stage["deps"] if dep.split("/")[0] in PACKAGES and not dep.endswith(".py")}
        stage["deps"] = inputs + sorted(files | code_of(module_of(stage), graph))
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)


def _file_of(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    return str((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).relative_to(ROOT))


if __name__ == "__main__":
    write()
