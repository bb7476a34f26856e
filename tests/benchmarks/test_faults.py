"""Planted faults that need no training: each is planted in a small shop, and stopped by the check it names.

The others are planted by `python -m benchmarks.faults`; here their places in the code are looked for, so that they do
not plant nothing once the code moves.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.__main__ import FAULTS
from benchmarks.faults.artefacts import FAULTS as IN_WHAT_LIES_ON_DISK
from benchmarks.faults.catalogue import FAULTS as IN_THE_CATALOGUE
from benchmarks.faults.fault import Fault
from benchmarks.faults.shop import write_shop
from benchmarks.faults.workspace import Workspace
from benchmarks.repository import ROOT
from catalog.ingesting.ingest import ingest
from catalog.sources import open_source
from catalog.tables import read_judgements, read_products, read_terms
from evaluation.gates.continuity import Tables, continuity
from evaluation.gates.decide import asked_of_continuity
from evaluation.gates.rules import ContinuityRules
from evaluation.params import TuneParams
from flows.parameters import changed_params
from search.ranking.settings import Ranking
from validation.checks import validate_snapshot

RULES = ContinuityRules(minimum=10)
WITHOUT_TRAINING = [fault for fault in IN_THE_CATALOGUE if fault.stops in ("continuity", "validation")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A small shop in a folder, and a folder to ingest in."""
    world = Workspace(tmp_path_factory.mktemp("world"))
    assert write_shop(open_source("sample"), world.shop, 300) == 300
    world.work.mkdir()
    yield world


def snapshot(world: Workspace) -> Tables:
    with contextlib.chdir(world.work):
        ingest(open_source(world.shop))
        return Tables(read_products(), read_terms(), read_judgements())


def planted(fault: Fault, world: Workspace, into: Path) -> Workspace:
    own = Workspace(into)
    own.shop.mkdir()
    own.work.mkdir()
    for path in world.shop.iterdir():
        if path.is_dir():
            (own.shop / path.name).symlink_to(path)
        else:
            (own.shop / path.name).write_bytes(path.read_bytes())
    fault.plant(own)
    return own


@pytest.mark.parametrize("fault", WITHOUT_TRAINING, ids=lambda fault: fault.name)
def test_a_fault_in_the_catalogue_is_stopped_by_the_check_it_names(
    fault: Fault, shop: Workspace, tmp_path: Path
) -> None:
    then = snapshot(shop)
    own = planted(fault, shop, tmp_path)
    if fault.stops == "validation":
        snapshot(own)
        told = list(validate_snapshot(own.work / "data").failures)
        assert any(fault.says in sentence for sentence in told)
        return
    reasons = asked_of_continuity(continuity(then, snapshot(own), RULES.minimum), RULES)
    refused = [reason.sentence for reason in reasons if reason.outcome == "failed"]
    assert any(re.search(fault.says, sentence) for sentence in refused), refused


def test_a_shop_in_which_nothing_is_planted_is_not_stopped(shop: Workspace) -> None:
    then = snapshot(shop)
    assert validate_snapshot(shop.work / "data").success
    assert {reason.outcome for reason in asked_of_continuity(continuity(then, then, RULES.minimum), RULES)} == {
        "passed"
    }


def test_the_challenger_against_a_falsified_record_is_another_release_than_the_champion() -> None:
    """Its setting is one that params.yaml takes, and sets what tuning leaves as it is: it asks by no product."""
    (challengers,) = {fault.commands for fault in IN_WHAT_LIES_ON_DISK if "champion" in fault.name}
    ((_, _, setting),) = challengers
    document, said = changed_params([setting], ROOT / "params.yaml")
    assert said
    ours = TuneParams.model_validate(document["tune"]).weights
    assert set(ours) == {"product"} and ours["product"] != Ranking().weights["product"]


def test_there_are_as_many_kinds_as_were_asked_for_and_no_two_share_a_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 24


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if hasattr(fault.plant, "edits")], ids=lambda fault: fault.name
)
def test_the_place_in_the_code_that_a_fault_is_planted_in_is_there_once_and_python_reads_it_after(fault: Fault) -> None:
    path, old, new = fault.plant.edits  # type: ignore[attr-defined]
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    compile(text.replace(old, new), path, "exec")
