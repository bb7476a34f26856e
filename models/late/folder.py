"""artifacts/late, and its copy in a release: token heads and the tokens of every product, or a note that says no.

late.json      {"enabled": false}, or what models.late.encoder says
heads' graphs  models.late.encoder
tokens/        models.late.tokens
"""

import json
from pathlib import Path
from typing import Any

from catalog.errors import NotReady
from models.late.encoder import ABOUT

TOKENS = "tokens"


def write_disabled(folder: Path) -> None:
    """Say that there is no late interaction."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).write_text(json.dumps({"enabled": False}) + "\n", encoding="utf-8")


def is_enabled(folder: Path) -> bool:
    """Whether the folder holds heads and tokens. Raises NotReady when the stage never ran."""
    try:
        document: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{folder} is missing: run the late stage.") from None
    return bool(document.get("enabled", True))
