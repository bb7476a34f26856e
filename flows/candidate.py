"""What the artifacts of this workspace would be released as: an id computed from content, nothing recomputed.

The same data, encoder, embeddings, ranking and search code give the same id, on any machine and however often a retrain
was killed on the way: that is how a run finds what it has already done. dvc.lock names the content of every output, and
is believed only when `dvc status` has nothing to rebuild.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from catalog.digests import digest_of
from catalog.errors import NotReady
from catalog.workspace import EMBEDDINGS, ENCODER, RANKING
from flows.dvc import LOCK_FILE as LOCK_FILE
from flows.dvc import locked_outputs
from flows.revision import code_digest, data_md5

LAST_STAGE = "evaluate"
RELEASED = (ENCODER, EMBEDDINGS, RANKING)
EVIDENCE_STAGES = ("validate", "export", "parity", "evaluate")


@dataclass(frozen=True)
class Candidate:
    """`release` is the id; `evidence` is a digest of what validation, export, parity and evaluation left behind."""

    release: str
    code: str
    evidence: str
    artifacts: Mapping[str, str] | None = None
    """Path -> md5 by DVC of all that is released."""

    def decision_key(self, gates: Any, champion: str | None) -> str:
        """Names one question to the gates: this candidate's evidence, these rules, that champion."""
        return digest_of([self.release, self.evidence, gates, champion])


def read_candidate(lock_file: Path = LOCK_FILE, data_file: Path | None = None) -> Candidate | None:
    """The candidate that dvc.lock describes, or None when a stage never finished."""
    if not lock_file.is_file():
        return None
    stages: dict[str, Any] = (yaml.safe_load(lock_file.read_text(encoding="utf-8")) or {}).get("stages", {})
    outputs = locked_outputs(lock_file)
    content = {path.as_posix(): outputs.get(path.as_posix()) for path in RELEASED}
    data = data_md5() if data_file is None else data_md5(data_file)
    if data is None or LAST_STAGE not in stages or None in content.values():
        return None
    code = code_digest()
    return Candidate(
        release="r" + digest_of([data, content, code])[:10],
        code=code,
        evidence=digest_of([stages.get(name, {}).get("outs") for name in EVIDENCE_STAGES]),
        artifacts={path: md5 for path, md5 in content.items() if md5 is not None},
    )


def require_candidate() -> Candidate:
    """`read_candidate`, or NotReady when the stages have not finished."""
    candidate = read_candidate()
    if candidate is None:
        raise NotReady("The stages have not finished: dvc.lock does not name every artifact of a release.")
    return candidate
