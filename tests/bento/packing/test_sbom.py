"""The bill of materials of a release: valid CycloneDX, complete, the same every time, and without an address in it."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bento.packing.build import LOCK
from bento.packing.requirements import read_lock
from bento.packing.sbom import licence_of, sbom_of
from catalog.errors import NotReady
from search.release import ReleaseManifest
from tests.bento.world import make_manifest

FILES = {"encoder/text.onnx": "a" * 64, "encoder/probes/text.npy": "b" * 64, "ranking/ranking.json": "c" * 64}
PACKAGES = ("numpy", "starlette", "anyio", "idna")


def manifest() -> ReleaseManifest:
    """A release of three files."""
    return make_manifest("r1", "e" * 16).model_copy(update={"files": FILES})


@pytest.fixture(scope="module")
def text() -> str:
    """The bill of four packages."""
    pins = read_lock(LOCK)
    return sbom_of(manifest(), [f"{name}=={pins[name].version}" for name in PACKAGES], LOCK)


def components(text: str) -> dict[str, Any]:
    return {part["name"]: part for part in json.loads(text)["components"]}


def test_it_is_valid_cyclonedx(text: str):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"book"')) is not None


def test_every_package_is_there_with_version_purl_licence_and_all_hashes_of_the_lock(text: str):
    pins, found = read_lock(LOCK), components(text)
    assert set(found) == {*PACKAGES, "bentoml", "encoder", "ranking/ranking.json"}
    for name in (*PACKAGES, "bentoml"):
        part = found[name]
        assert (part["type"], part["version"]) == ("library", pins[name].version)
        assert part["purl"] == f"pkg:pypi/{name}@{pins[name].version}"
        assert {digest["alg"] for digest in part["hashes"]} == {"SHA-256"}
        assert {digest["content"] for digest in part["hashes"]} == set(pins[name].hashes) != set()
    assert found["starlette"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert version("starlette") == found["starlette"]["version"]


def test_the_releases_own_files_are_there_as_its_manifest_names_them(text: str):
    found = components(text)
    encoder = found["encoder"]
    assert (encoder["type"], encoder["version"]) == ("machine-learning-model", "e" * 16)
    files = {part["name"]: part for part in (*encoder["components"], found["ranking/ranking.json"])}
    assert {name: part["hashes"][0]["content"] for name, part in files.items()} == FILES
    assert {part["type"] for part in files.values()} == {"file"}
    assert json.loads(text)["metadata"]["component"]["version"] == "r1"


def test_who_needs_whom_is_told(text: str):
    needs = {row["ref"]: set(row.get("dependsOn", [])) for row in json.loads(text)["dependencies"]}
    pins = read_lock(LOCK)
    assert f"idna=={pins['idna'].version}" in needs[f"anyio=={pins['anyio'].version}"]
    assert f"anyio=={pins['anyio'].version}" in needs[f"starlette=={pins['starlette'].version}"]
    assert {"encoder", "ranking/ranking.json"} <= needs["etalage:r1"]


def test_the_same_release_gives_the_same_bytes_and_another_one_another_serial_number(text: str):
    pins = read_lock(LOCK)
    lines = [f"{name}=={pins[name].version}" for name in PACKAGES]
    assert sbom_of(manifest(), reversed(lines), LOCK) == text
    other = sbom_of(manifest().model_copy(update={"files": {**FILES, "encoder/text.onnx": "d" * 64}}), lines, LOCK)
    assert json.loads(other)["serialNumber"] != json.loads(text)["serialNumber"]


def test_no_address_and_no_path_is_in_it_but_the_name_of_the_schema(text: str):
    assert set(re.findall(r"[a-z]+://[^\"]*", text)) == {"http://cyclonedx.org/schema/bom-1.6.schema.json"}


def test_a_package_that_the_lock_does_not_pin_or_no_lock_is_refused(tmp_path: Path):
    with pytest.raises(NotReady, match="does not exist"):
        sbom_of(manifest(), [], tmp_path / "requirements.lock")


@pytest.mark.parametrize(
    ("about", "classifiers", "told"),
    [
        ({"License-Expression": "MIT", "License": "other"}, [], "MIT"),
        ({"License": "Apache 2.0"}, [], "Apache 2.0"),
        ({"License": "MIT License\n\nCopyright"}, ["License :: OSI Approved :: MIT License"], "MIT License"),
        ({"License": "x" * 81}, [], ""),
        ({}, ["License :: OSI Approved :: B", "License :: OSI Approved :: A", "Topic :: X"], "A or B"),
        ({}, [], ""),
    ],
)
def test_a_licence_is_what_the_metadata_calls_it(about: dict[str, str], classifiers: list[str], told: str):
    assert licence_of(about, classifiers) == told
