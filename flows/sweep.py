"""`etalage tune`: params searched with Optuna, each finished trial a DVC experiment, until the budget is used up.

No Prefect flow: nothing is shared or promoted here. A trial is params.yaml with some values changed, the DVC stages up
to `tune`, and a measurement on the validation split (evaluation.sweep.trial), all in the workshop. The journal is told
last: killed anywhere, the trial is tried again, from its checkpoint, and what has finished is never repeated.
"""

import copy
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from catalog.digests import digest_of
from catalog.errors import EtalageError, InvalidParams
from catalog.params import params_document
from catalog.snapshot import snapshot_id
from catalog.workspace import PARAMS, SWEEP_PAGE, SWEEP_REPORT, TRIAL_REPORT
from evaluation.sweep.results import SweepReport, TrialReport
from evaluation.sweep.space import SEARCHED, SweepParams, Value, as_setting
from flows import dvc
from flows.console import say
from flows.durable import one_writer, write_durably
from flows.environment import home_folder
from flows.errors import StageFailed
from flows.parameters import SECTIONS, change_params, changed_params, check_params
from flows.revision import demand_snapshot
from flows.study import Attempt, Study
from flows.workshop import Workshop
from search.ranking import Ranking

FOLDER = "sweep"  # in ETALAGE_HOME: the journal of all studies, and the workshop
LAST_STAGE = "tune"
MEASURED_BY = ("evaluation/sweep/trial.py", "evaluation/answers.py")  # code of a trial that no stage declares
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Refused(EtalageError):
    """A trial that cannot be; the message is the sentence."""


def sweep(trials: int | None = None, minutes: float | None = None) -> SweepReport:
    """Try until the study has `trials` that ended (params.yaml says how many when None) or no time is left.

    Within `minutes` no further trial is begun after them. Raises InvalidParams before anything is trained, when the
    search space is wrong; StageFailed when a stage breaks, and the trial is then tried again the next time.
    """
    demand_snapshot()
    document = params_document()
    check_params(document)
    params = SweepParams.model_validate(document.get("sweep") or {})
    budget, started = trials or params.trials, time.monotonic()
    _demand_possible(params)
    folder = home_folder() / FOLDER
    with one_writer(folder):
        code = _code_digest()
        name = f"sweep-{study_key(document, params, snapshot_id(), code)}"
        base = present_values(document, params)
        study = Study(folder / "journal.log", name, params.space, params.seed)
        study.begin_with({key: value for key, value in base.items() if params.space[key].holds(value)})
        say(f"Study {name}: {study.finished()} of {budget} trials have ended.")
        try:
            if study.finished() < budget:
                _try_until(study, name, Workshop(folder / "workshop"), budget, started, minutes)
        finally:
            report = SweepReport(
                study=name,
                snapshot=snapshot_id(),
                code=code,
                budget=budget,
                base=base,
                trials=study.trials(),
                importance=study.importance(),
            )
            _write(report)
    return report


def study_key(document: Mapping[str, Any], params: SweepParams, snapshot: str, code: str) -> str:
    """Names everything that makes two trials comparable: with another snapshot, code, space or params it is another
    study, and its trials start anew. Neither the budget nor what params.yaml has for the searched keys is part of it:
    taking over the best trial does not end a study."""
    stages = copy.deepcopy({name: document.get(name) for name in ("split", *SEARCHED)})
    for key in params.space:
        *path, last = key.split(".")
        table: Any = stages
        for part in path:
            table = table.get(part) if isinstance(table, dict) else None
        if isinstance(table, dict):
            table.pop(last, None)
    return digest_of([stages, params.model_dump(mode="json", exclude={"trials"}), snapshot, code])


def present_values(document: Mapping[str, Any], params: SweepParams) -> dict[str, Value]:
    """What params.yaml, or a default, has for the searched keys that hold a single value now."""
    sections = {name: SECTIONS[name].model_validate(document.get(name) or {}).model_dump() for name in SEARCHED}
    sections["tune"]["weights"] = {**Ranking().weights, **sections["tune"]["weights"]}  # where the choice starts
    found: dict[str, Value] = {}
    for key in params.space:
        section, *path = key.split(".")
        value: Any = sections[section]
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool | int | float | str):
            found[key] = value
    return found


def _try_until(study: Study, name: str, workshop: Workshop, budget: int, started: float, minutes: float | None) -> None:
    text = PARAMS.read_text(encoding="utf-8")  # as it is now: who edits it meanwhile begins another study with it
    while study.finished() < budget:
        if minutes is not None and time.monotonic() - started >= 60 * minutes:
            say(f"{minutes:g} minutes are over; the same command goes on.")
            return
        attempt = study.next()
        number = f"Trial {attempt.number}"
        say(f"{number}: {', '.join(as_setting(key, value) for key, value in attempt.values.items())}")
        known = study.known(attempt.values)
        try:
            if known is not None and known.report is not None:
                report, experiment, seconds = known.report, known.experiment or "", 0.0
            elif known is not None:
                raise Refused(known.reason or "")
            else:
                report, experiment, seconds = _run(attempt, text, workshop, name)
        except Refused as refusal:
            study.refused(attempt, str(refusal))
            say(f"{number} is refused: {refusal}")
            continue
        study.measured(attempt, report, experiment, seconds)
        say(f"{number}: quality {report.quality:.4f}, {report.latency_p50_ms:.2f} ms; experiment {experiment}")


def _run(attempt: Attempt, text: str, workshop: Workshop, study: str) -> tuple[TrialReport, str, float]:
    """Train, measure and keep one trial. Raises Refused when its params cannot be, StageFailed when a stage breaks."""
    began = time.monotonic()
    settings = [as_setting(key, value) for key, value in attempt.values.items()]
    workshop.prepare()
    with workshop.entered():
        write_durably(PARAMS, text)
        try:
            change_params(settings)
        except InvalidParams as error:
            raise Refused(str(error)) from None
        done = dvc.reproduce(LAST_STAGE)
        if done.refusal is not None:
            raise Refused(done.refusal)
        if done.failed:
            raise StageFailed(
                f"The stage {done.failed} broke: its output above says why. Run the command again to go on."
            )
        report = _measure()
    experiment = f"{study}-{digest_of(attempt.values)[:6]}"
    workshop.keep(experiment, LAST_STAGE)
    return report, experiment, round(time.monotonic() - began, 1)


def _write(report: SweepReport) -> None:
    from evaluation.sweep.page import render  # matplotlib loads slowly

    write_durably(SWEEP_REPORT, report.model_dump_json(indent=2) + "\n")
    write_durably(SWEEP_PAGE, render(report))


def _measure() -> TrialReport:
    """A process of its own, whose threads are one from the start."""
    done = subprocess.run(
        [sys.executable, "-m", "evaluation.sweep.trial"],
        env={**os.environ, **ONE_THREAD},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise StageFailed(f"The measurement of the trial failed: {said[-1] if said else 'it said nothing'}")
    return TrialReport.model_validate_json(TRIAL_REPORT.read_bytes())


def _demand_possible(params: SweepParams) -> None:
    """Raise InvalidParams unless every searched key exists and has a value that params.yaml, else as it is, allows."""
    if not params.space:
        raise InvalidParams("sweep.space names nothing to search: give it keys such as train.learning_rate.")
    for key, dimension in params.space.items():
        refusals = [_refusal(as_setting(key, value)) for value in dimension.examples()]
        if None not in refusals:
            raise InvalidParams(f"sweep.space: no value of {key} works. {refusals[0]}")


def _refusal(setting: str) -> str | None:
    """Why params.yaml with this one change would be refused."""
    try:
        changed_params([setting])
    except InvalidParams as error:
        return str(error)
    return None


def _code_digest() -> str:
    """Of the files that the stages up to the last one declare, data and artifacts aside, and of what measures."""
    stages = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    names = {dep for stage in list(stages)[: list(stages).index(LAST_STAGE) + 1] for dep in stages[stage]["deps"]}
    files = sorted(Path(name) for name in {*names, *MEASURED_BY} if Path(name).is_file())
    return digest_of([[path.as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files])
