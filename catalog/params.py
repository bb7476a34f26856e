"""params.yaml, read one frozen section at a time. Unknown keys are errors."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.errors import InvalidParams
from catalog.workspace import PARAMS


class Section(BaseModel):
    """Base of every section of params.yaml: frozen, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnySection = TypeVar("AnySection", bound=Section)


def params_document(path: Path = PARAMS) -> dict[str, Any]:
    """All of params.yaml. Raises InvalidParams when it is missing or not a table of sections."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidParams(f"{path} does not exist: run from the root of a workspace.") from None
    except yaml.YAMLError as error:
        raise InvalidParams(f"{path} is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise InvalidParams(f"{path} must hold sections of settings.")
    return document


def load_section(name: str, section: type[AnySection], path: Path = PARAMS) -> AnySection:
    """Read section `name` of params.yaml as `section`.

    Raises InvalidParams naming the key and the reason when the file, section, key or value is wrong.
    """
    document = params_document(path)
    if name not in document:
        raise InvalidParams(f"{path} has no section '{name}'.")
    try:
        return section.model_validate(document[name] or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *map(str, first["loc"])])
        raise InvalidParams(f"{path}: {key}: {first['msg']}.") from None
