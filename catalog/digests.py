"""Short names for content: 12 hex digits of sha256."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel


def digest_of(document: Any) -> str:
    """The digest of plain values, whatever the order of their keys."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def digest_of_sections(sections: Iterable[BaseModel]) -> str:
    """The digest of some sections of params.yaml, defaults included: how reports name their params."""
    return digest_of([section.model_dump(mode="json") for section in sections])
