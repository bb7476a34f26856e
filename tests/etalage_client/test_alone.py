"""The client as a shop installs it: a wheel of its own, in a Python that has nothing else of Etalage."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest

from etalage_client.wire import VERSION

FOLDER = Path(__file__).parents[2] / "etalage_client"
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def needed(names: set[str]) -> set[str]:
    """`names` and every distribution that they need, without extras."""
    for name in list(names):
        for line in requires(name) or []:
            other = re.match(r"[\w.-]+", line)
            assert other is not None
            marker = line.partition(";")[2]
            if "extra" not in marker and "python_version <" not in marker and other[0] not in names:
                names |= needed(names | {other[0]})
    return names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by setuptools from a copy of the folder, offline."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for path in [*FOLDER.glob("*.py"), FOLDER / "pyproject.toml", FOLDER / "py.typed"]:
        (source / path.name).write_bytes(path.read_bytes())
    build = f"import setuptools.build_meta as build; build.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_the_package_and_its_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"etalage_client/{path.name}" for path in FOLDER.glob("*.py")} | {"etalage_client/py.typed"}
    assert PROJECT["version"] == VERSION and wheel.name.startswith(f"etalage_client-{VERSION}-py3")


def test_it_works_where_only_what_it_asks_for_is_installed(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    asked = {re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"]}  # type: ignore[index]
    for name in needed(asked):
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (tmp_path / top).exists():
                (tmp_path / top).symlink_to(str(distribution(name).locate_file(top)))
    code = f"""
import sys
sys.path.append({str(tmp_path)!r})
import etalage_client
try:
    etalage_client.Client("http://127.0.0.1:1", patience=etalage_client.Patience(tries=1)).search("red")
except etalage_client.Unreachable as error:
    print(error)
"""
    # -S: no site-packages; -I: nothing of the environment
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:1 does not answer: ")
