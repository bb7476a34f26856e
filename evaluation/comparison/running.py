"""Train and measure configurations one after the other, each in a folder of its own, and never one twice.

artifacts/compare/features      outputs of frozen layers, for all
artifacts/compare/words.vec     word vectors, for rows whose model.text_backbone is words.vec
artifacts/compare/models/KEY    a workspace in which `python -m models.train` ran; rows that train alike share it
artifacts/compare/rows/KEY      per_query.parquet, facts.json, measure.log

A key names snapshot and params. Killed at any moment and run again, what is finished stays and the rest goes on; a
training goes on from its checkpoint. A row remembers the code that measured it, and the table says where it differs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from catalog.digests import digest_of
from catalog.errors import EtalageError
from catalog.workspace import ARTIFACTS, MODEL, PARAMS, TRAIN_REPORT
from evaluation.comparison.configurations import Document, Row, document_of, model_digest
from evaluation.comparison.files import FACTS

FOLDER = ARTIFACTS / "compare"
WORDS = "words.vec"
PROJECT = Path(__file__).parents[2]
NOT_MEASURED = ("validate", "export", "gates", "evaluate")  # sections that change nothing here


class ConfigurationFailed(EtalageError):
    """A configuration that could not be trained or measured; the message is the sentence that stopped it."""


@dataclass(frozen=True)
class Training:
    """One row with one seed: its params, and where it is trained and measured."""

    row: Row
    seed: int | None
    document: Document
    model: Path
    measured: Path

    @property
    def finished(self) -> bool:
        """Whether it was measured."""
        return (self.measured / FACTS).is_file()

    def facts(self) -> dict[str, Any]:
        """What was noted beside the scores, and the report of the training."""
        facts: dict[str, Any] = json.loads((self.measured / FACTS).read_text(encoding="utf-8"))
        return {**facts, "train": json.loads((self.model / TRAIN_REPORT).read_text(encoding="utf-8"))}


def trainings(
    rows: Sequence[Row], base: dict[str, Any], params: Document, snapshot: str, folder: Path = FOLDER
) -> list[Training]:
    """Every row, once for each of its seeds, in order. `train.teacher` may name a row before: then it is its model.

    `model.text_backbone` may be WORDS: then it is the file that `run` makes in `folder`.
    """
    found: list[Training] = []
    for row in rows:
        for seed in row.seeds or (None,):
            document = _with_words(_taught(document_of(params, [base, row.set], seed), found), folder)
            asked = {name: section for name, section in document.items() if name not in NOT_MEASURED}
            if (width := (document.get("export") or {}).get("dim")) is not None:
                asked["width"] = width
            model = folder / "models" / model_digest(document, snapshot)
            found.append(Training(row, seed, document, model, folder / "rows" / digest_of([snapshot, asked])))
    return found


def _taught(document: Document, before: Sequence[Training]) -> Document:
    """`document`, in which a row that is named as the teacher is the path of that row's model."""
    named = {training.row.name: training.model for training in reversed(before)}
    train = document.get("train") or {}
    if train.get("teacher") not in named:
        return document
    return {**document, "train": {**train, "teacher": str((named[train["teacher"]] / MODEL).absolute())}}


def _with_words(document: Document, folder: Path) -> Document:
    model = document.get("model") or {}
    if model.get("text_backbone") != WORDS:
        return document
    return {**document, "model": {**model, "text_backbone": str((folder / WORDS).absolute())}}


def run(wanted: Sequence[Training], say: Callable[[str], None], folder: Path = FOLDER) -> Iterator[Training]:
    """Train and measure what is not finished; yields each training once it is.

    Raises ConfigurationFailed naming the row, after all others have run.
    """
    failed = []
    for number, training in enumerate(wanted, start=1):
        name = training.row.name if training.seed is None else f"{training.row.name}, seed {training.seed}"
        try:
            if not (training.model / MODEL).is_dir():
                say(f"{number}/{len(wanted)} {name}: training")
                _prepare(training.model, training.document)
                words = (training.document.get("model") or {}).get("text_backbone")
                if words == str((folder / WORDS).absolute()) and not Path(words).is_file():
                    _run(["evaluation.comparison.word_vectors", words], training.model, folder, "words.log")
                _run(["models.train"], training.model, folder, "train.log")
            if not training.finished:
                say(f"{number}/{len(wanted)} {name}: measuring")
                _prepare(training.measured, training.document)
                model = str((training.model / MODEL).absolute())
                _run(["evaluation.comparison.measure", model], training.measured, folder, "measure.log")
        except ConfigurationFailed as error:
            failed.append(f"{name}: {error}")
            say(f"{number}/{len(wanted)} {failed[-1]}")
            continue
        yield training
    if failed:
        raise ConfigurationFailed(f"{len(failed)} of {len(wanted)} configurations stopped. {failed[0]}")


def _prepare(workspace: Path, document: Document) -> None:
    """A folder with params.yaml and the snapshot, in which a stage can run."""
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / PARAMS).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    data = workspace / "data"
    if not data.exists():
        data.symlink_to(Path("data").absolute(), target_is_directory=True)


def _run(module: Sequence[str], workspace: Path, folder: Path, log: str) -> None:
    """`python -m module` in `workspace`. Raises ConfigurationFailed with the last line it said."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]),
        "ETALAGE_FEATURES": str((folder / "features").absolute()),
    }
    with (workspace / log).open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            [sys.executable, "-m", *module], cwd=workspace, env=environment, stdout=stream, stderr=stream, check=False
        )
    if done.returncode:
        lines = (workspace / log).read_text(encoding="utf-8").strip().splitlines()
        raise ConfigurationFailed(lines[-1] if lines else f"{module[0]} ended with {done.returncode}.")
