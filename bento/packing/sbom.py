"""The bill of materials of a release's Bento, as CycloneDX JSON: its pinned packages and its own files, with digests.

    sbom_of(manifest, requirements, LOCK)  ->  the text of sbom.cdx.json

The same release and lock give the same bytes: the serial number is made from the content, the time is the release's.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from uuid import UUID

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from bento.packing.requirements import Pin, read_lock
from bento.process.serve import NAME
from search.release import ENCODER, ReleaseManifest

SBOM = "sbom.cdx.json"
ALWAYS = "bentoml"
"""Not among a Bento's requirements, because `bentoml build` adds it."""
CLASSIFIER = "License :: OSI Approved :: "
SHORT = 80
"""Characters; a longer licence field is the licence's whole text."""
ANY_OF = Property(name="etalage:hashes", value="of all files of this version that the lock allows")


def sbom_of(manifest: ReleaseManifest, requirements: Iterable[str], lock: Path) -> str:
    """CycloneDX 1.6 of the Bento of `manifest` with `requirements` (name==version). Raises NotReady without a lock."""
    pins = read_lock(lock)
    names = sorted({line.split("==")[0] for line in requirements} | {ALWAYS})
    packages = {name: _package(name, pins[name]) for name in names}
    files = {name: _file(name, digest) for name, digest in (manifest.files or {}).items()}
    encoder = Component(
        name=ENCODER,
        version=manifest.encoder,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=ENCODER,
        description=f"The query encoder, trained on snapshot {manifest.snapshot}.",
        components=[file for name, file in files.items() if name.startswith(f"{ENCODER}/")],
    )
    own = [encoder, *(file for name, file in files.items() if not name.startswith(f"{ENCODER}/"))]
    bom = Bom(components=[*packages.values(), *own])
    bom.metadata.timestamp = manifest.created_at
    bom.metadata.component = Component(
        name=NAME, version=manifest.release, type=ComponentType.APPLICATION, bom_ref=f"{NAME}:{manifest.release}"
    )
    bom.register_dependency(bom.metadata.component, [*packages.values(), *own])
    for name, package in packages.items():
        bom.register_dependency(package, [packages[need] for need in names if name in pins[need].wanted_by])
    bom.serial_number = UUID(bytes=hashlib.sha256(_shown(bom, UUID(int=0)).encode()).digest()[:16], version=5)
    return _shown(bom, bom.serial_number)


def licence_of(about: Mapping[str, str], classifiers: Iterable[str]) -> str:
    """The licence that a distribution's metadata names: an SPDX expression, else what it calls it; "" for none."""
    written = about.get("License-Expression", "") or about.get("License", "")
    if written and len(written) <= SHORT and "\n" not in written:
        return written
    named = sorted(line.removeprefix(CLASSIFIER) for line in classifiers if line.startswith(CLASSIFIER))
    return re.sub(r"\s+", " ", " or ".join(named))


def _package(name: str, pin: Pin) -> Component:
    return Component(
        name=name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={pin.version}",
        purl=PackageURL("pypi", name=name, version=pin.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes],
        properties=[ANY_OF],
        licenses=[licence] if (licence := _licence(name, pin.version)) else [],
    )


def _licence(name: str, version: str) -> License | None:
    """What is installed here says, where it is the pinned version."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return None
    if about["Version"] != version:
        return None
    fields = {field: about[field] for field in ("License-Expression", "License") if field in about}
    words = licence_of(fields, about.get_all("Classifier") or [])
    return LicenseFactory().make_from_string(words) if words else None  # type: ignore[return-value]


def _file(name: str, digest: str) -> Component:
    return Component(
        name=name,
        type=ComponentType.FILE,
        bom_ref=name,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )


def _shown(bom: Bom, serial: UUID) -> str:
    bom.serial_number = serial
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
