"""A release: the one record that says which data, code, parameters, encoder and collection answer together.

The flows write it as releases/<release>/manifest.json beside encoder/ and ranking/; the service reads it.
"""

import hashlib
import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.errors import ReleaseNotFound, TamperedRelease

RELEASES = "releases"  # in ETALAGE_HOME, a folder for each
MANIFEST = "manifest.json"
ENCODER = "encoder"
RANKING = "ranking"

RELEASE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

ReleaseStatus = Literal["building", "challenger", "refused", "promoted", "retired"]


class Forced(BaseModel):
    """Who promoted a refused release, and why (promise 3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class ReleaseManifest(BaseModel):
    """Everything a release is made of. Frozen: a change of status is a new manifest (`model_copy(update=...)`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: str
    """Its id: lower-case letters, digits, - and _, at most 63; also the version of its Bento."""
    created_at: datetime
    snapshot: str
    """Id of the data snapshot it was trained and indexed on (catalog.tables.snapshot_id)."""
    data_md5: str | None = None
    """What data.dvc names, where the snapshot is tracked by DVC."""
    code_revision: str
    params: dict[str, Any]
    params_hash: str
    encoder: str
    """Fingerprint of encoder/ (models.encoder.Encoder.fingerprint); the collection must carry the same."""
    collection: str
    """Name of the Milvus collection this release answers from, never an alias."""
    milvus_uri_kind: Literal["embedded", "server"]
    milvus_server: str = ""
    """host:port of the server that holds the collection; "" where it is embedded."""
    ranking: dict[str, Any]
    scores: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] | None = None
    """Path in the folder -> sha256, of every file that serves (search.contents); None in manifests of before."""
    artifacts: dict[str, str] | None = None
    """Path in the workspace -> md5 by DVC of encoder, embeddings and ranking; None in manifests of before."""
    gate: dict[str, Any] | None = None
    forced: Forced | None = None
    status: ReleaseStatus = "building"
    digest: str | None = None
    """sha256 of all the rest, written by `write_manifest`; None in manifests of before."""

    @field_validator("release")
    @classmethod
    def _is_an_id(cls, release: str) -> str:
        if not RELEASE_ID.fullmatch(release):
            raise ValueError("a release id is lower-case letters, digits, - and _, at most 63")
        return release


def read_manifest(folder: Path) -> ReleaseManifest:
    """Read `folder`/manifest.json. Raises ReleaseNotFound when it is missing or is not a manifest, TamperedRelease when
    it is not what was written.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        manifest = ReleaseManifest.model_validate_json(content)
    except FileNotFoundError:
        raise ReleaseNotFound(f"{folder} holds no {MANIFEST}, so it is not a release.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or MANIFEST
        raise ReleaseNotFound(f"{path} is not a release manifest: {where}: {first['msg']}.") from None
    if manifest.digest is not None and manifest.digest != _digest(json.loads(content)):
        raise TamperedRelease(
            f"{path} was changed by another hand than Etalage's: restore it (the release's Bento holds a copy)."
        )
    return manifest


def write_manifest(manifest: ReleaseManifest, folder: Path) -> Path:
    """Write `folder`/manifest.json, its digest in it, whole or not at all (a kill leaves the old one). Returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    draft = path.with_suffix(".json.new")
    with draft.open("w", encoding="utf-8") as file:
        document = json.loads(manifest.model_dump_json())
        document["digest"] = _digest(document)
        file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def _digest(document: dict[str, Any]) -> str:
    """sha256 of a manifest's content but for its own digest, whatever the order of its keys."""
    told = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
