"""What a Bento must install: the packages that the serving code imports, at the versions of requirements.lock."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from catalog.errors import NotReady

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)")
HASH = re.compile(r"    --hash=sha256:(?P<hash>[0-9a-f]+)")
VIA = re.compile(r"    # +(?:via )?(?P<name>[A-Za-z0-9._-]+)$")

ONLY_FOR_TRAINING = frozenset({"torch", "torchvision", "transformers", "prefect", "dvc", "great-expectations"})


@dataclass(frozen=True)
class Pin:
    """One line of the lock: a version, the packages that ask for it, and sha256 of every file that it may be."""

    version: str
    wanted_by: frozenset[str]
    hashes: tuple[str, ...] = ()


def serving_requirements(imports: Iterable[str], lock: Path) -> list[str]:
    """`name==version` for the distributions of the imported top-level names and all that they need, sorted.

    Raises NotReady when the lock lacks one of them, or when serving would pull in a training framework.
    """
    pins = read_lock(lock)
    found = packages_distributions()
    wanted = {canonical(name) for top in imports for name in found.get(top, [top])}
    if missing := sorted(wanted - set(pins)):
        raise NotReady(
            f"The serving code imports {', '.join(missing)}, which {lock} does not pin: add it and lock again."
        )
    while more := {name for name, pin in pins.items() if pin.wanted_by & wanted} - wanted:
        wanted |= more
    if heavy := sorted(wanted & ONLY_FOR_TRAINING):
        raise NotReady(
            f"The serving code needs {', '.join(heavy)}, which belongs to training: a Bento must do without."
        )
    wanted -= {"bentoml"}  # `bentoml build` adds itself, at the version that built
    return [f"{name}=={pins[name].version}" for name in sorted(wanted)]


def read_lock(lock: Path) -> dict[str, Pin]:
    """The pins of a requirements file compiled by `uv pip compile`, by canonical name. Raises NotReady without one."""
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise NotReady(f"{lock} does not exist, so the versions of a Bento's packages are not known.") from None
    versions: dict[str, str] = {}
    wanted_by: dict[str, set[str]] = {}
    hashes: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if pin := PIN.match(line):
            name = canonical(pin["name"])
            versions[name] = pin["version"]
            wanted_by[name], hashes[name] = set(), []
        elif name and (found := HASH.match(line)):
            hashes[name].append(found["hash"])
        elif name and (via := VIA.match(line)):
            wanted_by[name] |= {canonical(via["name"])} - {"via"}
    return {name: Pin(versions[name], frozenset(wanted_by[name]), tuple(hashes[name])) for name in versions}


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
