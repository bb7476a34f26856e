"""The champion's snapshot out of DVC's cache, against what lies in data/ now."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import GateRefused, InvalidSnapshot
from catalog.products import Judgement, Product, Term
from catalog.snapshot import Snapshot, write_snapshot
from catalog.tables import write_judgements, write_products, write_terms
from catalog.workspace import DATA
from catalog.workspace import PRODUCTS as PRODUCTS_FILE
from evaluation.gates.rules import ContinuityRules
from flows import dvc
from flows.continuity import against_champion, demand, with_losses
from flows.releases import ChampionRecord, ReleaseStore
from flows.revision import data_md5
from tests.flows.worlds import a_release

RULES = ContinuityRules()
PRODUCTS = [
    Product(f"p{n}", f"p{n}", "A hat", attributes={"colour": "Red"}, price=10.0, currency="EUR") for n in range(40)
]


def write(products: list[Product], terms: int = 1, source: str = "folder:shop") -> None:
    DATA.mkdir(exist_ok=True)
    write_products(products)
    write_terms([Term("colour", "Red", "zh", "红色")][:terms])
    write_judgements([Judgement("red hat", "p1", 1)])
    told = {"id": "s", "source": source, "source_rows": len(products), "products": len(products), "quarantined": {}}
    counts = dict.fromkeys(("media", "without_image", "groups", "terms", "judgements", "interactions"), 0)
    write_snapshot(Snapshot(**told, **counts, dropped={}))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseStore:
    """A workspace whose champion is of the snapshot in data/, which DVC knows."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    write(PRODUCTS)
    dvc.add(str(DATA))
    store = ReleaseStore(tmp_path / ".etalage")
    a_release(store, "r1", snapshot="then", data_md5=data_md5())
    store.write_champion(ChampionRecord(release="r1", since="now", by="a test"))
    return store


def test_what_was_lost_since_the_champions_snapshot_stops_with_the_ways_on(store: ReleaseStore) -> None:
    write([replace(each, price=78.0) for each in PRODUCTS], terms=0)
    found = against_champion(store, "now", RULES)
    assert found is not None
    with pytest.raises(
        GateRefused, match=r"in zh is 0, must.*prices.*is 7\.8.*change gates\.continuity in params\.yaml"
    ):
        demand(found, RULES)


def test_a_catalogue_that_only_grew_goes_on(store: ReleaseStore) -> None:
    write([*PRODUCTS, *(replace(each, id=f"new-{each.id}") for each in PRODUCTS)])
    demand(against_champion(store, "now", RULES), RULES)


def test_the_champions_own_snapshot_and_no_champion_at_all_have_nothing_to_ask(store: ReleaseStore) -> None:
    assert against_champion(store, "then", RULES) is None
    assert against_champion(ReleaseStore(store.home / "elsewhere"), "now", RULES) is None


def test_a_snapshot_that_the_cache_has_lost_is_said_and_stops_nothing(store: ReleaseStore) -> None:
    shutil.rmtree(Path(".dvc/cache"))
    found = against_champion(store, "now", RULES)
    assert found is not None and found.unknown is not None
    assert "is not in DVC's cache here" in found.unknown
    demand(found, RULES)


def test_another_catalogue_than_the_champions_has_lost_nothing_of_it(store: ReleaseStore) -> None:
    """The sample first, and then the shop itself."""
    others = [Product(f"q{n}", f"q{n}", "A mug", price=500.0, currency="INR") for n in range(30)]
    write(others, terms=0, source="folder:another")
    found = against_champion(store, "now", RULES)
    assert found is not None and found.another
    assert (
        found.unknown == "Today's snapshot is of another catalogue (folder:another) than the champion's (folder:shop)."
    )
    demand(found, RULES)


def test_products_without_their_ids_from_the_same_source_are_a_loss(store: ReleaseStore) -> None:
    write([replace(each, id=f"x{each.id}", attributes={}) for each in PRODUCTS])
    with pytest.raises(GateRefused, match="fill a field"):
        demand(against_champion(store, "now", RULES), RULES)


def test_the_same_products_from_elsewhere_are_the_same_catalogue(store: ReleaseStore) -> None:
    write(PRODUCTS[:10], source="shopify:export")
    with pytest.raises(GateRefused, match="products, as a share"):
        demand(against_champion(store, "now", RULES), RULES)


def test_a_snapshot_that_is_unfit_is_told_what_it_has_lost_too(store: ReleaseStore) -> None:
    """An export that broke off: validation saw judgements of products that are not there."""
    unfit = InvalidSnapshot("55.8% of the judgements could not be used.")
    write(PRODUCTS[:20])
    told = str(with_losses(unfit, store, "now", RULES))
    assert told.startswith("55.8% of the judgements could not be used. It has also lost")
    assert "products, as a share of the champion's snapshot is 0.5, must be at least 0.7" in told


def test_an_unfit_snapshot_that_lost_nothing_or_cannot_be_read_says_why_it_is_unfit_and_no_more(
    store: ReleaseStore,
) -> None:
    unfit = InvalidSnapshot("Titles are empty.")
    write(PRODUCTS)
    assert with_losses(unfit, store, "now", RULES) is unfit
    PRODUCTS_FILE.write_bytes(b"cut")
    assert with_losses(unfit, store, "now", RULES) is unfit
