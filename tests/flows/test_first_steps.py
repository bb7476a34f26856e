"""A model that was trained on what is held out, or is served otherwise than it was trained, stops there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import GateRefused
from catalog.params import load_section
from catalog.products import Product
from catalog.splits import SplitParams, digest_of_products, split_products
from catalog.tables import write_products
from catalog.workspace import DATA, EXPORT_REPORT, PARAMS, TRAIN_REPORT
from flows.first_steps import look_at_export, look_at_training

PRODUCTS = [Product(f"p{n}", f"group {n}", "A hat") for n in range(60)]
ROOT = Path(__file__).parents[2]
Told = Callable[[str | None], None]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """A workspace with products, and what says which of them were trained on."""
    shutil.copyfile(ROOT / PARAMS, tmp_path / PARAMS)
    monkeypatch.chdir(tmp_path)
    DATA.mkdir()
    write_products(PRODUCTS)

    def told(trained_on: str | None) -> None:
        TRAIN_REPORT.parent.mkdir(exist_ok=True)
        TRAIN_REPORT.write_text(json.dumps({"trained_on": trained_on}), encoding="utf-8")

    return told


def test_what_was_trained_on_more_than_the_training_split_stops_unless_it_is_forced(told: Told) -> None:
    told(digest_of_products(PRODUCTS))
    with pytest.raises(GateRefused, match=r"trained on other products .* may have been seen. Nothing was measured"):
        look_at_training.fn()
    look_at_training.fn(force=True)


def test_the_training_split_goes_on(told: Told) -> None:
    told(digest_of_products(split_products(PRODUCTS, load_section("split", SplitParams))["train"]))
    look_at_training.fn()


def test_a_report_that_does_not_say_it_stops(told: Told) -> None:
    told(None)
    with pytest.raises(GateRefused, match="no evidence"):
        look_at_training.fn()


def test_an_encoder_that_does_not_give_what_was_trained_stops_unless_it_is_forced(told: Told) -> None:
    told(None)
    EXPORT_REPORT.write_text(json.dumps({"parity": {"text": {"min": 0.99}, "min": 0.99}}), encoding="utf-8")
    with pytest.raises(GateRefused, match=r"on the probes is 0\.99, must be at least 0\.999 .* Nothing was measured"):
        look_at_export.fn()
    look_at_export.fn(force=True)
    EXPORT_REPORT.write_text(json.dumps({"parity": {"min": 0.9995}}), encoding="utf-8")
    look_at_export.fn()
