"""`--set train.epochs=3`: changes in params.yaml, checked against every section before a byte is written.

Comments and order of the file stay. The change stays too: params.yaml is what the next run and the release record read.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from catalog.errors import InvalidParams
from catalog.ingesting.params import IngestParams
from catalog.params import Section
from catalog.splits import SplitParams
from catalog.workspace import PARAMS
from evaluation.gates.rules import GateRules
from evaluation.params import CompareParams, EvaluateParams, MisfiledParams, ParityParams, TuneParams
from evaluation.rankers.params import RankParams, check_ranker
from evaluation.run_page.costs import ReportParams
from evaluation.sweep.space import SweepParams
from flows.durable import write_durably
from flows.monitoring.params import MonitorParams
from models.late.params import LateParams
from models.params import EmbedParams, ExportParams, ModelParams, served_width
from models.presets import sources_of
from models.training.compose_params import ComposeParams
from models.training.order import check_order
from models.training.params import TrainParams
from search.matching import Matching
from validation.params import ValidateParams


def change_params(settings: Sequence[str], path: Path = PARAMS) -> list[str]:
    """Write each "section.key=value" of `settings` into `path`; returns a sentence for each that changed something.

    Values are YAML. Raises InvalidParams for a malformed setting, an unknown key or a value the section refuses;
    the file is then as it was.
    """
    yaml = _yaml()
    document, sentences = changed_params(settings, path)
    if sentences:
        text = StringIO()
        yaml.dump(document, text)
        write_durably(path, text.getvalue())
    return sentences


def changed_params(settings: Sequence[str], path: Path = PARAMS) -> tuple[Any, list[str]]:
    """What `change_params` would write, checked, and its sentences; `path` stays as it is. Raises InvalidParams."""
    yaml = _yaml()
    document = _read(yaml, path)
    sentences = [sentence for setting in settings if (sentence := _change(yaml, document, setting))]
    check_params(document, path)
    return document, sentences


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def check_params(document: Mapping[str, Any], path: Path = PARAMS) -> None:
    """Check every section, before hours are spent. Raises InvalidParams naming the key and the reason."""
    found: dict[str, Section] = {}
    for name, values in document.items():
        section = SECTIONS.get(name)
        if section is None:
            raise InvalidParams(f"{path} has an unknown section '{name}'; known are: {', '.join(SECTIONS)}.")
        try:
            found[name] = section.model_validate(values or {})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join([name, *map(str, first["loc"])])
            raise InvalidParams(f"{path}: {key}: {first['msg']}.") from None
    _check_together(found)


def _check_together(found: Mapping[str, Section]) -> None:
    """What no section can know alone. Raises InvalidParams."""
    model, train, export = found.get("model"), found.get("train"), found.get("export")
    if isinstance(model, ModelParams):
        sources_of(model)
    if isinstance(model, ModelParams) and isinstance(train, TrainParams):
        check_order(model, train)
    if isinstance(model, ModelParams) and isinstance(export, ExportParams):
        served_width(model, export.dim)
    rank, split = found.get("rank"), found.get("split")
    if isinstance(rank, RankParams) and isinstance(split, SplitParams):
        check_ranker(rank, split)


def _read(yaml: YAML, path: Path) -> Any:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidParams(f"{path} does not exist: run from the root of a workspace.") from None
    except YAMLError as error:
        raise InvalidParams(f"{path} is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise InvalidParams(f"{path} must hold sections of settings.")
    return document


def _change(yaml: YAML, document: Any, setting: str) -> str | None:
    """Apply one setting in place; the sentence about it, or None when the value already was that."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) < 2 or not all(parts):
        raise InvalidParams(f"'{setting}' is not a setting: write section.key=value, as in train.epochs=3.")
    if parts[0] not in document:
        raise InvalidParams(f"'{key}': there is no section '{parts[0]}'; known are: {', '.join(SECTIONS)}.")
    try:
        value = yaml.load(text)
    except YAMLError:
        raise InvalidParams(f"'{setting}': the value is not YAML.") from None
    table = document
    for part in parts[:-1]:
        if table.get(part) is None:
            table[part] = {}
        table = table[part]
        if not isinstance(table, dict):
            raise InvalidParams(f"'{key}': {part} is a value, not a table of settings.")
    before = table.get(parts[-1])
    if parts[-1] in table and before == value and type(before) is type(value):
        return None
    table[parts[-1]] = value
    return f"{key.strip()}: {before if before is not None else 'unset'} -> {value}"


SECTIONS: Mapping[str, type[Section]] = {
    "ingest": IngestParams,
    "split": SplitParams,
    "validate": ValidateParams,
    "model": ModelParams,
    "train": TrainParams,
    "export": ExportParams,
    "embed": EmbedParams,
    "compose": ComposeParams,
    "late": LateParams,
    "matching": Matching,
    "tune": TuneParams,
    "rank": RankParams,
    "sweep": SweepParams,
    "parity": ParityParams,
    "evaluate": EvaluateParams,
    "misfiled": MisfiledParams,
    "compare": CompareParams,
    "gates": GateRules,
    "report": ReportParams,
    "monitor": MonitorParams,
}
