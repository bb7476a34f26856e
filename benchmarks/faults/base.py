"""The world that every fault is planted in: a shop, and a champion released in it by `etalage ingest` and `retrain`."""

from pathlib import Path

from benchmarks.faults.shop import write_shop
from benchmarks.faults.workspace import Done, Workspace
from benchmarks.repository import copy_repository
from catalog.errors import EtalageError
from catalog.sources import open_source

PRODUCTS = 1000
# Of so few products a fifth is held out, so that kinds of query have the hundred that the gates ask for; training is
# short, and has no second stage and no composer to train. The gates are as params.yaml has them.
SMALL = {
    "split.test": "0.2",
    "train.epochs": "6",
    "train.batch_size": "256",
    "train.min_steps": "8",
    "train.tail_epochs": "1",
    "compose.composer": "sum",
    "late.enabled": "false",
    "tune.queries": "100",
    "tune.hub_queries": "1024",
    "evaluate.photo_queries": "120",
    "evaluate.attribute_queries": "120",
    "evaluate.paraphrased_needs": "0",
}


class NoChampion(EtalageError):
    """The world without a fault did not come to a champion."""


def base(folder: Path, source: str, mapping: str | None, products: int = PRODUCTS) -> Workspace:
    """The world in `folder`, made unless it is there. Raises NoChampion with the end of what the command said."""
    world = Workspace(folder)
    if (world.home / "champion.json").is_file():
        return world
    folder.mkdir(parents=True)
    write_shop(open_source(source, mapping), world.shop, products)
    copy_repository(world.work, without=("tests/", "docs/"))
    settings = [argument for key, value in SMALL.items() for argument in ("--set", f"{key}={value}")]
    for arguments in (["ingest", str(world.shop)], ["retrain", *settings]):
        _demand(world.etalage(*arguments))
    world.commit("A snapshot and its release")
    return world


def _demand(done: Done) -> None:
    if done.code:
        raise NoChampion(f"The world without a fault ended with code {done.code}: {done.output[-3000:]}")
