"""What a workspace holds when nothing runs in it, as names and values: two that are equal came to the same end.

Left out is what tells of the run and not of its end: times, process ids, databases of Prefect, journals, what was
measured with a clock. Everything else counts, and so does every file that lies where none should.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bento.packing.build import built_content, digest
from bento.process.serve import bento_folder
from catalog.errors import NotReady
from flows.packaging import packaged, tag_of
from flows.promotion import INTENT
from flows.releases import ReleaseStore
from models.encoder_folder import fingerprint
from search.contents import digests
from search.milvus.store import MilvusStore
from search.refreshes import records

State = Mapping[str, str]

TIMES = frozenset({"created_at", "digest", "at", "since", "seconds", "encoded", "key", "evidence", "files"})
"""Keys of a record that tell when, how long, or a digest over such. `encoded`: what a killed run has encoded, the next
finds in its cache. `files` is of refresh folders, compared by name."""
MEASURED = frozenset({"latency", "memory"})
"""Gate rules whose evidence is measured of the process, with a clock or as resident memory: never twice the same."""
NOT_LISTED = (
    ".git", ".dvc/cache", ".dvc/tmp", ".etalage/prefect", ".etalage/milvus", ".etalage/journal", ".etalage/service",
    ".etalage/serving", ".etalage/bentoml/bentos", ".etalage/lock", ".etalage/embeddings",
)  # fmt: skip
"""Folders whose names say nothing, or whose content is compared in another way."""
OF_TRAINING = re.compile(r"artifacts/checkpoint/(finished\.json|features-[0-9a-f]{16}/.*)")
"""What a training that ended keeps to save time; where DVC had the model in its cache, there was none. DVC keeps no
empty folders either, so in artifacts/ folders do not count."""
_CACHED = 30  # hex digits of a name in DVC's cache, beside the two of its folder


def state_of(folder: Path, store: MilvusStore | None = None) -> State:
    """Name -> value of all that lasts in the workspace `folder`, where nothing may run; `store` is the embedded one."""
    home = folder / ".etalage"
    collections = store or MilvusStore(str(home / "milvus" / "etalage.db"))
    told: dict[str, str] = {}
    told |= {f"data: {name}": value for name, value in _files(folder / "data")}
    told |= _named(folder)
    told |= {f"release: {key}": value for key, value in _releases(home).items()}
    told |= {f"collection: {key}": value for key, value in _collections(collections).items()}
    told |= {f"folder of a collection: {path.name}": "" for path in home.glob("milvus/etalage.db/collections/*")}
    told |= {f"Bento: {key}": value for key, value in _bentos(home).items()}
    told |= {f"there: {name}": "" for name in _listing(folder)}
    told |= {f"broken in DVC's cache: {name}": "" for name in _not_whole(folder / ".dvc" / "cache" / "files" / "md5")}
    return told


def differences(expected: State, found: State) -> list[str]:
    """One line for each name whose value is not what it should be."""
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found:
            lines.append(f"missing: {name}")
        elif name not in expected:
            lines.append(f"too much: {name} {found[name]}".strip())
        elif expected[name] != found[name]:
            lines.append(f"other: {name}: {found[name]}, not {expected[name]}")
    return lines


def left_in(folder: Path) -> list[str]:
    """What lies in a folder for temporary files, without the cache that torch keeps there on purpose."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(name for name in names if not name.startswith("torchinductor_"))


def _named(folder: Path) -> dict[str, str]:
    """What DVC's files name, and the content of what the stages made."""
    told = {}
    if (folder / "data.dvc").is_file():
        told["data.dvc"] = json.dumps(yaml.safe_load((folder / "data.dvc").read_text()))
    if (folder / "dvc.lock").is_file():
        stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
        for name, stage in stages.items():
            outs = {out["path"]: out["md5"] for out in stage["outs"] if out["path"].startswith("artifacts/")}
            told[f"dvc.lock: {name}"] = json.dumps(outs)
    if (folder / "artifacts" / "encoder").is_dir():
        told["encoder"] = fingerprint(folder / "artifacts" / "encoder")
    for name in ("embeddings", "ranking", "model"):
        told |= {f"{name}: {path}": value for path, value in _files(folder / "artifacts" / name)}
    told["params.yaml"] = _sha256(folder / "params.yaml")
    return told


def _releases(home: Path) -> dict[str, str]:
    store = ReleaseStore(home)
    champion = store.champion()
    told = {
        "champion": "" if champion is None else champion.release,
        "earlier": " ".join(champion.earlier) if champion else "",
        "withdrawn": " ".join(champion.withdrawn) if champion else "",
        "history": " ".join(f"{entry.move}:{entry.release}" for entry in store.history()),
        "unfinished promotion": str((home / INTENT).exists()),
    }
    for manifest in store.list():
        release, folder = manifest.release, store.folder(manifest.release)
        document = manifest.model_dump(mode="json")
        told |= {f"{release} {key}": json.dumps(timeless(value), sort_keys=True)
                 for key, value in document.items() if key not in TIMES}  # fmt: skip
        told |= {f"{release} {name}": value for name, value in digests(folder).items()}
        for record in records(folder):
            told[f"{release} refresh {record.number}"] = json.dumps(timeless(record.model_dump(mode="json")))
    return told


def timeless(document: Any) -> Any:
    """`document` without what a clock says."""
    if isinstance(document, dict):
        return {key: timeless(value) for key, value in document.items() if key not in TIMES}
    if isinstance(document, list):
        return [timeless(v) for v in document if not (isinstance(v, dict) and v.get("rule") in MEASURED)]
    return document


def _collections(store: MilvusStore) -> dict[str, str]:
    told = {}
    for stored in store.releases():
        about = [f"champion {stored.champion}", f"snapshot {stored.snapshot}", f"encoder {stored.encoder}"]
        if stored.products is not None:
            about.append(_rows(store, stored.release))
        told[stored.collection] = ", ".join(about)
    return told


def _rows(store: MilvusStore, release: str) -> str:
    """The rows' digest is worked out from them, not read from the collection."""
    try:
        rows = store.rows(release)
    except NotReady as error:
        return str(error)
    return f"{len(rows)} rows, {rows.digest}, freshness {tuple(rows.freshness)}"


def _bentos(home: Path) -> dict[str, str]:
    """Whether each is whole. Its files name its manifest, whose times differ, so their digests are no part of this."""
    told = {}
    for release in packaged(home):
        folder = bento_folder(tag_of(release), home)
        content = built_content(folder)
        names = sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if "__pycache__" not in str(path)
        )
        whole = content is not None and content == digest(folder / "src")
        told[release] = f"{'whole' if whole else 'broken'}, {_digest_of(names)}"
    return told


def _listing(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(name == other or name.startswith(other + "/") for other in NOT_LISTED):
            continue
        made = name.startswith("artifacts/")
        if "__pycache__" not in name and not OF_TRAINING.fullmatch(name) and not (made and path.is_dir()):
            yield name


def _not_whole(cache: Path) -> Iterator[str]:
    """Drafts in DVC's cache, and objects whose content is not their name."""
    for path in sorted(cache.glob("*/*")):
        name = path.name.removesuffix(".dir")
        is_object = len(name) == _CACHED and set(name) <= set("0123456789abcdef")
        if (
            not is_object
            or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != path.parent.name + name
        ):
            yield path.relative_to(cache).as_posix()


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), _sha256(path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _digest_of(names: list[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
