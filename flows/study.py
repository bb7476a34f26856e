"""The trials of one sweep, kept in a journal by Optuna: what was tried, what is to be tried next, what mattered.

Two objectives at once, quality up and latency down, sampled by the tree-structured Parzen estimator (Bergstra et al.
2011; for several objectives Ozaki et al. 2022). A process that was killed leaves a trial that never ended: at the
next start the same values are tried again, first. One process at a time may open a journal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from evaluation.sweep.results import Importance, Trial, TrialReport, pareto_front
from evaluation.sweep.space import Space, Value, drawn

OBJECTIVES = ("quality", "latency")
LEAST = 4  # measured trials before importance says anything
_STARTS = 8  # trials drawn at random before the sampler has something to go by


@dataclass(frozen=True)
class Attempt:
    """A trial that has begun: its number and its values, and what Optuna knows it by."""

    number: int
    values: dict[str, Value]
    handle: optuna.Trial


class Study:
    """The trials of study `name` in the journal at `path`."""

    def __init__(self, path: Path, name: str, space: Space, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_half_line(path)
        self.space = space
        self._study = optuna.create_study(
            study_name=name,
            storage=JournalStorage(JournalFileBackend(str(path))),
            directions=["maximize", "minimize"],
            load_if_exists=True,
        )
        # the sampler itself is not kept: seeded by what is known, it draws the same after the same trials
        seeded = seed + len(self._study.trials)
        self._study.sampler = optuna.samplers.TPESampler(seed=seeded, n_startup_trials=_STARTS, multivariate=True)
        self._retry()

    def begin_with(self, values: Mapping[str, Value]) -> None:
        """Try `values` first, where nothing was tried yet; keys that are missing are drawn."""
        if not self._study.trials and values:
            self._study.enqueue_trial(dict(values))

    def finished(self) -> int:
        """Trials that were measured or refused: they are never repeated."""
        return len(self._ended())

    def next(self) -> Attempt:
        """A new trial."""
        trial = self._study.ask()
        return Attempt(trial.number, drawn(self.space, trial), trial)

    def known(self, values: Mapping[str, Value]) -> Trial | None:
        """The trial that ended with exactly these values, if there is one."""
        return next((trial for trial in self.trials() if dict(trial.settings) == dict(values)), None)

    def measured(self, attempt: Attempt, report: TrialReport, experiment: str, seconds: float) -> None:
        """It ended well."""
        for key, value in {"report": report.model_dump(), "experiment": experiment, "seconds": seconds}.items():
            attempt.handle.set_user_attr(key, value)
        self._study.tell(attempt.handle, [report.quality, report.latency_p50_ms])

    def refused(self, attempt: Attempt, reason: str) -> None:
        """It cannot be: `reason` says why in one sentence."""
        attempt.handle.set_user_attr("reason", reason)
        self._study.tell(attempt.handle, state=TrialState.PRUNED)

    def trials(self) -> tuple[Trial, ...]:
        """Every trial that ended, in order."""
        ended = self._ended()
        scored = [trial for trial in ended if trial.state == TrialState.COMPLETE]
        front = pareto_front([(trial.values[0], trial.values[1]) for trial in scored])
        best = {trial.number for row, trial in enumerate(scored) if row in front}
        return tuple(_told(trial, trial.number in best) for trial in ended)

    def importance(self) -> tuple[Importance, ...]:
        """For each objective, the share of its spread that each param explains: fANOVA (Hutter, Hoos and Leyton-Brown,
        ICML 2014)."""
        return tuple(self._explained(objective, at) for at, objective in enumerate(OBJECTIVES))

    def _explained(self, objective: str, at: int) -> Importance:
        values = [trial.values[at] for trial in self._ended() if trial.state == TrialState.COMPLETE]
        reason = None
        if len(values) < LEAST:
            reason = f"{len(values)} trials were measured; {LEAST} are needed."
        elif len(set(values)) == 1:
            reason = "All trials came to the same."
        shares: dict[str, float] = {}
        if reason is None:
            from optuna.importance import FanovaImportanceEvaluator, get_param_importances  # scikit-learn loads slowly

            found = get_param_importances(
                self._study, evaluator=FanovaImportanceEvaluator(seed=0), target=lambda trial: trial.values[at]
            )
            shares = {key: float(share) for key, share in found.items()}
        return Importance(objective=objective, method="fANOVA", shares=shares, reason=reason)

    def _ended(self) -> Sequence[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))

    def _retry(self) -> None:
        """Queue again, before anything else, what a killed process was at; then close what it left open."""
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        queued = [trial.system_attrs.get("fixed_params") for trial in waiting]
        for trial in self._study.get_trials(states=(TrialState.RUNNING,)):
            values = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
            if values and values not in queued:
                self._study.enqueue_trial(values)
            self._study.tell(trial.number, state=TrialState.FAIL)


def _told(trial: FrozenTrial, on_front: bool) -> Trial:
    facts = trial.user_attrs
    return Trial(
        number=trial.number,
        state="measured" if trial.state == TrialState.COMPLETE else "refused",
        settings=trial.params,
        experiment=facts.get("experiment"),
        reason=facts.get("reason"),
        report=TrialReport.model_validate(facts["report"]) if "report" in facts else None,
        seconds=facts.get("seconds"),
        on_front=on_front,
    )


def _cut_half_line(path: Path) -> None:
    """Remove what a kill in the middle of a write left: Optuna would read no line after it."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            with path.open("r+b") as stream:
                stream.truncate(whole)
