"""What goes into a Bento: the code that serves and its packages, and nothing of training."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bento.packing.build import LOCK, PROJECT
from bento.packing.requirements import canonical, read_lock, serving_requirements
from catalog.errors import NotReady
from search.serving_code import foreign_packages, imported_names, serving_code

HEAVY = {"torch", "torchvision", "transformers", "prefect", "dvc", "great_expectations", "matplotlib"}


def test_the_serving_code_is_the_closure_of_the_services_imports_and_has_no_training_in_it():
    modules = {path.relative_to(PROJECT).as_posix() for path in serving_code(root=PROJECT)}
    assert {"bento/service.py", "bento/app.py", "search/engine.py", "models/encoder.py", "catalog/media.py"} <= modules
    assert not {module for module in modules if module.split("/")[0] in ("flows", "evaluation", "validation")}
    assert {
        "search/reading.py",
        "search/milvus/lite.py",
        "search/handover.py",
    } <= modules  # another process imports the last two
    assert "milvus_lite" in foreign_packages(serving_code(root=PROJECT))
    assert "bento/packing/build.py" not in modules and "models/train.py" not in modules
    assert not HEAVY & set(foreign_packages(serving_code(root=PROJECT)))


def test_importing_the_service_loads_no_training_library():
    asked = f"import sys, json, bento.service; print(json.dumps(sorted(set({sorted(HEAVY)!r}) & sys.modules.keys())))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_closure_follows_imports_inside_functions_and_packages_but_not_foreign_names(tmp_path: Path):
    for name, source in {
        "bento/__init__.py": "",
        "bento/service.py": "def late():\n    from search import engine\nimport numpy.linalg",
        "search/__init__.py": "import json",
        "search/engine.py": "import catalog.text as words",
        "search/milvus/store.py": "import pymilvus",
        "catalog/text.py": "import jieba",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    found = serving_code(root=tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "bento/__init__.py",
        "bento/service.py",
        "catalog/text.py",
        "search/__init__.py",
        "search/engine.py",
    ]
    assert foreign_packages(found) == ("jieba", "numpy")
    assert set(imported_names(tmp_path / "bento/service.py")) == {"search", "search.engine", "numpy.linalg"}


def test_requirements_are_pinned_as_the_lock_pins_them_and_closed_under_need():
    pins = read_lock(LOCK)
    lines = serving_requirements(foreign_packages(serving_code(root=PROJECT)), LOCK)
    names = {line.split("==")[0] for line in lines}
    assert all(pins[name].version == version for name, version in (line.split("==") for line in lines))
    assert {"onnxruntime", "numpy", "pillow", "starlette", "uvicorn", "prometheus-client", "pymilvus"} <= names
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= names  # imported late
    assert not {canonical(name) for name in HEAVY} & names
    assert "bentoml" not in names  # BentoML adds itself
    for name, pin in pins.items():
        assert name in names | {"bentoml"} or not pin.wanted_by & names


LOCKED = """\
# a comment
alpha==1.0 \\
    --hash=sha256:00
    # via
    #   -r requirements.in
    #   beta
Beta_x[extra]==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:11
    # via -r requirements.in
gamma==3.0 \\
    --hash=sha256:22
    # via beta-x
torch==9.9 \\
    --hash=sha256:33
    # via gamma
"""


def test_the_lock_is_read_with_who_wants_what(tmp_path: Path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCKED, encoding="utf-8")
    pins = read_lock(lock)
    assert {name: pin.version for name, pin in pins.items()} == {
        "alpha": "1.0",
        "beta-x": "2.0",
        "gamma": "3.0",
        "torch": "9.9",
    }
    assert (pins["alpha"].wanted_by, pins["gamma"].wanted_by) == ({"beta"}, {"beta-x"})
    assert serving_requirements(["alpha"], lock) == ["alpha==1.0"]


def test_a_bento_that_would_need_torch_or_an_unpinned_package_is_refused(tmp_path: Path):
    lock = tmp_path / "requirements.lock"
    with pytest.raises(NotReady, match="does not exist"):
        serving_requirements(["alpha"], lock)
    lock.write_text(LOCKED, encoding="utf-8")
    with pytest.raises(NotReady, match="needs torch, which belongs to training"):
        serving_requirements(["beta_x"], lock)  # beta-x needs gamma, gamma needs torch
    with pytest.raises(NotReady, match="imports omega"):
        serving_requirements(["omega"], lock)
