"""Named configurations: what each changes in params.yaml, and why it is worth a row.

A file of them has a `base`, what is set for every row (a shorter training, say), and `rows`:

    base: {train.epochs: 8}
    rows:
      - {name: mean fusion, family: fusion, set: {model.fusion: mean}}
      - {name: three seeds, family: seeds, set: {}, seeds: [7, 8, 9]}
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from catalog.digests import digest_of
from catalog.errors import InvalidParams
from catalog.params import Section

FILE = Path(__file__).with_name("configurations.yaml")
BASE = "base"
TRAINED_BY = ("model", "split", "train")  # the sections that decide the weights

Document = dict[str, Any]  # params.yaml as it is read


class Row(Section):
    """One configuration. `set`: dotted key of params.yaml -> value; `seeds`: train.seed of several trainings."""

    name: str = Field(min_length=1, max_length=60)
    family: str = Field(min_length=1)
    set: dict[str, Any] = Field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    note: str = ""


class Configurations(Section):
    """`base` is set for every row, and is a row itself: the others are compared with it."""

    base: dict[str, Any] = Field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    def chosen(self, names: Sequence[str]) -> tuple[Row, ...]:
        """The base and the rows called `names`, or of the families `names`; all when none is named.

        Raises InvalidParams for a name that no row has.
        """
        known = {row.name for row in self.rows} | {row.family for row in self.rows}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InvalidParams(f"There is no configuration or family '{unknown[0]}'; known are: {', '.join(known)}.")
        base = Row(name=BASE, family=BASE)
        return (base, *(row for row in self.rows if not names or {row.name, row.family} & {*names}))


def read_configurations(path: Path = FILE) -> Configurations:
    """Read a file of configurations. Raises InvalidParams naming what is wrong in it."""
    try:
        found = Configurations.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except FileNotFoundError:
        raise InvalidParams(f"{path} does not exist.") from None
    except yaml.YAMLError as error:
        raise InvalidParams(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidParams(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    names = [row.name for row in found.rows]
    twice = {name for name in names if names.count(name) > 1} | ({BASE} & {*names})
    if twice:
        raise InvalidParams(f"{path} has two configurations called '{min(twice)}'.")
    return found


def document_of(params: Document, settings: Iterable[Mapping[str, Any]], seed: int | None = None) -> Document:
    """`params` with each of `settings` put in, one after the other, and train.seed.

    >>> document_of({"train": {"epochs": 16}}, [{"train.epochs": 8, "model.fusion": "mean"}])
    {'train': {'epochs': 8}, 'model': {'fusion': 'mean'}}
    """
    document = copy.deepcopy(params)
    for setting in [*settings, *([{"train.seed": seed}] if seed is not None else [])]:
        for key, value in setting.items():
            *path, last = key.split(".")
            table = document
            for part in path:
                table = table.setdefault(part, {})
            table[last] = value
    return document


def model_digest(document: Document, snapshot: str) -> str:
    """Names the trained weights: rows that change only what comes after training share them."""
    return digest_of([snapshot, {name: document.get(name) for name in TRAINED_BY}])
