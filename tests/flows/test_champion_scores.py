"""The champion on today's questions: measured once, before anything is trained, and held against its own record."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from catalog.errors import GateRefused
from catalog.products import Product
from catalog.snapshot import snapshot_id
from catalog.workspace import MEDIA
from evaluation.gates.continuity import Continuity
from evaluation.gates.rules import ChampionRules
from evaluation.scores import PER_QUERY_FILE
from flows.champion_scores import FILE, AskedToday, asked_today
from flows.first_steps import look_at_questions
from flows.milestones import todays_questions
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER
from search.milvus.store import MilvusStore
from tests.flows.refreshing.refresh_worlds import RELEASE, World, catalogue

RULES = ChampionRules(minimum=10, bootstrap_rounds=200)
SETTINGS = {"split": {"test": 0.5}, "evaluate": {}, "embed": {}}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A champion that keeps what it scored, in a workspace where half of the products are held out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETALAGE_HOME", str(tmp_path / ".etalage"))
    gates = {"champion": RULES.model_dump(mode="json")}
    Path("params.yaml").write_text(yaml.safe_dump({**SETTINGS, "gates": gates}), encoding="utf-8")
    collections = MilvusStore(str(tmp_path / ".etalage" / "milvus" / "etalage.db"))
    world = World(tmp_path, collections)
    world.make_champion(catalogue())
    kept = world.release / REPORTS_FOLDER / EVALUATION_FOLDER
    kept.mkdir(parents=True)
    todays_questions().write(kept)
    today(world).scores.write_parquet(kept / PER_QUERY_FILE)
    (world.releases.home / FILE).unlink()
    yield world
    collections.close()


def today(world: World) -> AskedToday:
    return asked_today(world.releases, RELEASE, snapshot_id(), todays_questions(), RULES)


def slipped(products: list[Product]) -> list[Product]:
    """Every title belongs to a product further down, as after a slipped column."""
    titles = [product.title for product in products]
    return [replace(product, title=title) for product, title in zip(products, titles[5:] + titles[:5], strict=True)]


def test_words_that_belong_to_other_products_stop_a_retrain_before_it_trains(world: World) -> None:
    world.ingest(slipped(catalogue()))
    with pytest.raises(GateRefused, match=r"The champion itself scores .* So it is with .* ingest it again"):
        look_at_questions.fn(RELEASE, snapshot_id(), None)
    look_at_questions.fn(RELEASE, snapshot_id(), Continuity(another=True))  # of another catalogue nothing is asked


def test_the_champions_own_snapshot_takes_its_own_scores_and_measures_nothing(world: World) -> None:
    look_at_questions.fn(RELEASE, snapshot_id(), None)
    assert not today(world).falls
    assert not (world.releases.home / FILE).exists()


def test_a_change_that_is_none_goes_on_and_the_comparison_finds_what_was_measured(world: World) -> None:
    world.ingest([replace(product, price=3.0) for product in catalogue()])
    look_at_questions.fn(RELEASE, snapshot_id(), None)
    first, snapshot, questions = (world.releases.home / FILE).read_bytes(), snapshot_id(), todays_questions()
    shutil.rmtree(MEDIA)  # whatever measured again would miss the photos
    again = asked_today(world.releases, RELEASE, snapshot, questions, RULES)
    assert (world.releases.home / FILE).read_bytes() == first
    assert again.scores.equals(pl.read_parquet(world.releases.home / FILE))
    assert {fall.kind for fall in again.falls} == set(again.scores["kind"])
    assert all(fall.found == fall.recorded for fall in again.falls)


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more"])
def test_other_products_or_a_damaged_file_are_measured_anew(world: World, damage: bytes) -> None:
    world.ingest([replace(product, price=3.0) for product in catalogue()])
    measured, file = today(world).scores, world.releases.home / FILE
    file.write_bytes(damage)
    assert today(world).scores.equals(measured)
    world.ingest(slipped(catalogue()))
    assert not today(world).scores.equals(measured)


def test_among_many_more_products_the_scores_are_not_held_against_each_other(world: World) -> None:
    more = [
        replace(product, id=f"{product.id}-{n}", group_id=f"{product.group_id}-{n}")
        for n in range(3)
        for product in catalogue()
    ]
    world.ingest(more)
    assert "products, and today's questions are among" in today(world).unheld
    look_at_questions.fn(RELEASE, snapshot_id(), None)
