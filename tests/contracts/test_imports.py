"""Which library may be imported where, and what the serving code must never pull in."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported_by(statement: str) -> set[str]:
    """Top-level names in sys.modules after running `statement` in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_torch_and_torchvision_are_the_pair_that_works_together() -> None:
    code = (
        "import torch, torchvision\n"
        "boxes = torch.tensor([[0., 0., 1., 1.], [0., 0., 1., 1.]])\n"
        "print(torchvision.ops.nms(boxes, torch.tensor([1., .5]), .5).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[0]"


@pytest.mark.parametrize("module", ["search.engine", "search.milvus.store", "models.encoder", "bento.app"])
def test_what_serves_never_imports_training_code(module: str) -> None:
    assert imported_by(f"import {module}").isdisjoint(
        {"torch", "torchvision", "transformers", "prefect", "dvc", "great_expectations"}
    )


def test_the_client_of_the_service_imports_nothing_of_ours_and_no_heavy_library() -> None:
    ours = {"catalog", "validation", "models", "search", "evaluation", "flows", "bento", "benchmarks"}
    heavy = {"torch", "prefect", "dvc", "bentoml", "pymilvus", "onnxruntime", "numpy", "great_expectations"}
    assert imported_by("import etalage_client").isdisjoint(ours | heavy)


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = {"torch", "transformers", "prefect", "great_expectations", "pymilvus", "bentoml", "onnxruntime"}
    assert imported_by("import flows.cli").isdisjoint(heavy)


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("prefect", {"flows"}),
        ("great_expectations", {"validation"}),
        ("pymilvus", {"search"}),
        ("bentoml", {"bento"}),
        ("opentelemetry", {"bento"}),
    ],
)
def test_a_library_is_imported_only_where_it_belongs(library: str, homes: set[str]) -> None:
    packages = ("catalog", "validation", "models", "search", "evaluation", "flows", "bento", "etalage_client")
    users = {
        package
        for package in packages
        for file in (ROOT / package).rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith((f"import {library}", f"from {library}"))
    }
    assert users == homes
