"""What may be searched, and the values that are drawn from it."""

import pytest
import yaml
from optuna.trial import FixedTrial
from pydantic import ValidationError

from evaluation.sweep.space import Between, OneOf, SweepParams, as_setting, drawn

SPACE = {
    "train.learning_rate": Between(low=0.0001, high=0.01, log=True),
    "train.epochs": Between(low=2, high=9),
    "model.fusion": OneOf(choices=("mean", "gated")),
    "train.graded": OneOf(choices=(True, False)),
}
VALUES = {"train.learning_rate": 0.002, "train.epochs": 4, "model.fusion": "gated", "train.graded": False}


def test_every_key_gets_a_value_of_its_kind() -> None:
    assert drawn(SPACE, FixedTrial(VALUES)) == VALUES
    assert isinstance(drawn(SPACE, FixedTrial(VALUES))["train.epochs"], int)


def test_bounds_belong_to_the_space_and_whole_numbers_stay_whole() -> None:
    assert SPACE["train.epochs"].holds(2)
    assert SPACE["train.epochs"].holds(9)
    assert not SPACE["train.epochs"].holds(10)
    assert not SPACE["train.epochs"].holds(4.5)
    assert not SPACE["train.epochs"].holds(True)
    assert Between(low=0.0, high=1.0).holds(1)
    assert SPACE["model.fusion"].holds("mean")
    assert not SPACE["model.fusion"].holds("attention")


@pytest.mark.parametrize("value", [1e-05, 0.1, 1 / 3, 2.0, 123456.789])
def test_a_number_survives_the_way_through_yaml_to_the_last_digit(value: float) -> None:
    key, _, text = as_setting("train.learning_rate", value).partition("=")
    assert key == "train.learning_rate"
    read = yaml.safe_load(text)
    assert isinstance(read, float)  # 1e-05 as Python writes it is a word in YAML
    assert read == value


def test_words_and_truth_survive_too() -> None:
    assert yaml.safe_load(as_setting("train.graded", True).partition("=")[2]) is True
    assert as_setting("model.fusion", "gated") == "model.fusion=gated"
    assert as_setting("train.epochs", 3) == "train.epochs=3"


def test_the_section_reads_bounds_and_choices() -> None:
    text = """
    trials: 3
    space:
      train.temperature: {low: 0.03, high: 0.2, log: true}
      model.fusion: {choices: [mean, gated]}
    """
    params = SweepParams.model_validate(yaml.safe_load(text))
    assert params.space["train.temperature"] == Between(low=0.03, high=0.2, log=True)
    assert params.space["model.fusion"] == OneOf(choices=("mean", "gated"))


@pytest.mark.parametrize(
    ("space", "why"),
    [
        ({"train.epochs": {"low": 5, "high": 5}}, "leaves nothing to search"),
        ({"train.learning_rate": {"low": 0.0, "high": 1.0, "log": True}}, "a log scale starts above 0"),
        ({"model.fusion": {"choices": ["mean"]}}, "at least 2"),
        ({"gates.parity": {"low": 0.1, "high": 0.2}}, "cannot be searched"),
        ({"split.seed": {"low": 1, "high": 2}}, "cannot be searched"),
        ({"train": {"low": 1, "high": 2}}, "cannot be searched"),
    ],
)
def test_a_space_that_means_nothing_is_refused(space: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SweepParams.model_validate({"space": space})
