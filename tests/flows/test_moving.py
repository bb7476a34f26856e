"""A champion and the Milvus it is in: when a run has to fill another one, and what that one must find."""

from pathlib import Path

import pytest

from catalog.errors import GateRefused
from evaluation.gates.evidence import Fidelity
from evaluation.gates.rules import FidelityRules
from flows.moving import demand_fidelity, moved, settle
from flows.releases import ReleaseStore
from search.settings import SearchSettings
from tests.flows.worlds import a_store

RULES = FidelityRules(overlap=0.99, filtered=0.95)


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    """A release in the embedded store."""
    return a_store(tmp_path / "home", "r1")[0]


def test_a_release_is_elsewhere_as_soon_as_the_setting_names_another_milvus_until_it_is_settled(
    store: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ["http://milvus:19530", "http://milvus-2:19530", "/somewhere/etalage.db"]
    for place, kind in zip(places, ("server", "server", "embedded"), strict=True):
        monkeypatch.setenv("ETALAGE_MILVUS_URI", place)
        assert moved(store.get("r1"))
        settle(store, store.get("r1"))
        assert not moved(store.get("r1"))
        assert store.get("r1").milvus_uri_kind == kind


def test_an_embedded_store_may_lie_anywhere(store: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("", "etalage.db", "/elsewhere/etalage.db"):
        monkeypatch.setenv("ETALAGE_MILVUS_URI", place)
        assert not moved(store.get("r1"))


def test_what_is_written_down_of_a_server_holds_no_password(
    store: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETALAGE_MILVUS_URI", "https://shop:secret@milvus.example:443/products")
    assert SearchSettings().server == "milvus.example:443"
    settle(store, store.get("r1"))
    assert "secret" not in store.get("r1").model_dump_json()


def test_what_the_other_index_finds_is_held_against_the_gates() -> None:
    demand_fidelity("r1", Fidelity(overlap=0.99, filtered={"10%": 0.95}), RULES)
    with pytest.raises(GateRefused, match=r"0\.989, must be at least 0\.99"):
        demand_fidelity("r1", Fidelity(overlap=0.989, filtered={"10%": 1.0}), RULES)
    with pytest.raises(GateRefused, match=r"0\.940 under a filter of 1%, must be at least 0\.95"):
        demand_fidelity("r1", Fidelity(overlap=1.0, filtered={"10%": 1.0, "1%": 0.94}), RULES)
