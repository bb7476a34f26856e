"""The section `sweep` of params.yaml: which params `etalage tune` may change, and within which bounds.

    sweep:
      space:
        train.learning_rate: {low: 0.0003, high: 0.003, log: true}
        model.fusion: {choices: [mean, gated, concat]}

Not to be taken for the stage and section `tune`, which chooses the ranking of one trained model.
"""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from catalog.params import Section

Value = bool | int | float | str
SEARCHED = ("model", "train", "export", "embed", "compose", "matching", "tune")  # the sections that a trial may change


class Between(Section):
    """A number from `low` to `high`: whole where both are; `log` draws as many from 1 to 10 as from 10 to 100."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low} and high is {self.high}, which leaves nothing to search")
        if self.log and self.low <= 0:
            raise ValueError(f"a log scale starts above 0, and low is {self.low}")
        return self

    @property
    def whole(self) -> bool:
        """Whether it is searched in whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Whether `value` is one that a trial may have."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or isinstance(value, int))  # type: ignore[operator]

    def examples(self) -> tuple[Value, ...]:
        """The ends."""
        return self.low, self.high


class OneOf(Section):
    """One of some values."""

    choices: tuple[Value, ...] = Field(min_length=2)

    def holds(self, value: object) -> bool:
        """Whether `value` is one that a trial may have."""
        return value in self.choices

    def examples(self) -> tuple[Value, ...]:
        """All of them."""
        return self.choices


Dimension = Between | OneOf
Space = Mapping[str, Dimension]


class SweepParams(Section):
    """What is searched, and how a trial is measured.

    `trials` is the default budget. A trial is asked `queries` questions of each kind about the validation split, and
    `timed` queries of words are timed, one at a time and on one thread.
    """

    seed: int = 13
    trials: int = Field(default=20, ge=1)
    queries: int = Field(default=150, ge=1)
    timed: int = Field(default=200, ge=1)
    space: dict[str, Dimension] = Field(default_factory=dict)

    @field_validator("space")
    @classmethod
    def _can_be_searched(cls, space: dict[str, Dimension]) -> dict[str, Dimension]:
        for key in space:
            if key.partition(".")[0] not in SEARCHED or not all(key.split(".")) or "." not in key:
                raise ValueError(
                    f"'{key}' cannot be searched: write section.key, with a section among {', '.join(SEARCHED)}"
                )
        return space


class Draws(Protocol):
    """What draws values: a trial of Optuna."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """A number."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """A whole number."""

    def suggest_categorical(self, name: str, choices: tuple[Value, ...]) -> Any:
        """One of the choices."""


def drawn(space: Space, trial: Draws) -> dict[str, Value]:
    """A value for every key of `space`."""
    values: dict[str, Value] = {}
    for key, dimension in space.items():
        if isinstance(dimension, OneOf):
            values[key] = trial.suggest_categorical(key, dimension.choices)
        elif dimension.whole:
            values[key] = trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
        else:
            values[key] = trial.suggest_float(key, float(dimension.low), float(dimension.high), log=dimension.log)
    return values


def as_setting(key: str, value: Value) -> str:
    """What `--set` takes: section.key=value, with a number written out, since YAML reads 1e-05 as a word."""
    if isinstance(value, float):
        return f"{key}={np.format_float_positional(value, trim='0')}"
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"
