"""A refresh against a build from nothing: the same rows and answers, with no more encoded than what changed."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import TamperedRelease
from catalog.products import Product, Term
from flows.opening import open_engine
from flows.refreshing.folder import keep_as_made
from flows.refreshing.freshness import cut_short, served_as
from flows.refreshing.ledger import Ledger, load_ledger
from flows.refreshing.steps import Refresh
from models.encoder import Encoder
from search.contents import check_contents
from search.engine import Query, SearchEngine
from search.filters import parse_filters
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.milvus.store import MilvusStore
from search.refreshes import last_done, records, refresh_folder
from search.release import ENCODER, RANKING
from tests.bento.world import TERMS
from tests.flows.refreshing.refresh_worlds import RELEASE, World, assert_same, catalogue
from tests.search.conftest import server as server


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A champion of the small catalogue, in the embedded store and on a server."""
    monkeypatch.chdir(tmp_path)
    embedded = str(tmp_path / ".etalage" / "milvus" / "etalage.db")
    uri = request.getfixturevalue("server") if request.param == "server" else embedded
    collections = MilvusStore(uri)
    if request.param == "server":
        collections.drop(RELEASE)
    monkeypatch.setenv("ETALAGE_MILVUS_URI", uri)
    world = World(tmp_path, collections)
    world.make_champion(catalogue())
    yield world
    collections.close()


PROBES = 2
"""Pictures by which an encoder proves itself before it encodes."""


class Counted:
    """What every encoder was asked, while this lasts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[str] = []
        self.pictures = 0
        texts, pictures = Encoder.encode_product_text, Encoder.encode_image

        def count_texts(encoder: Encoder, asked: Sequence[str]) -> object:
            self.texts += asked
            return texts(encoder, asked)

        def count_pictures(encoder: Encoder, asked: Sequence[bytes]) -> object:
            self.pictures += len(asked)
            return pictures(encoder, asked)

        monkeypatch.setattr(Encoder, "encode_product_text", count_texts)
        monkeypatch.setattr(Encoder, "encode_image", count_pictures)


@pytest.fixture
def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def changed() -> list[Product]:
    """The catalogue a day later: p0 dearer, p1 in other words, p2 with another picture, p3 gone, n1 and n2 new."""
    products = {product.id: product for product in catalogue()}
    products["p0"] = replace(products["p0"], price=999.0, stock=0)
    products["p1"] = replace(products["p1"], title="Green shoes", attributes={"colour": "Green", "sole": "flat"})
    products["p2"] = replace(products["p2"], images=("m-Black",))
    del products["p3"]
    new = [replace(products["p4"], id=name, group_id=name, title=f"Black {name} dress") for name in ("n1", "n2")]
    return [*products.values(), *new]


def answers(engine: SearchEngine) -> list[tuple[str, float]]:
    """Ids and scores of some queries over all legs."""
    queries = [Query(text=text, k=40) for text in ("red dress", "black shoes", "绿色", "hat n1")]
    queries.append(Query(text="dress", k=40, filters={"price": {"gte": 25}, "in_stock": True}))
    return [(hit.id, hit.score) for query in queries for hit in engine.search(query).hits]


def test_what_was_written_down_when_the_release_was_made_leaves_no_draft(world: World) -> None:
    draft = refresh_folder(world.release, 0).with_name(".0.new")
    draft.mkdir(parents=True)  # of a run that was killed
    world.ingest(catalogue())
    made = Ledger({}, "terms", "rows")
    for _ in range(2):
        keep_as_made(world.release, made)
        assert load_ledger(refresh_folder(world.release, 0)) == made
        assert not draft.exists()


def test_a_refreshed_index_holds_and_answers_what_a_build_from_nothing_does(world: World):
    world.ingest(changed())
    done = world.refresh().run("md5")
    wanted = world.full_build(changed())
    assert done.changes.model_dump() == {"new": 2, "content": 2, "scalars": 1, "gone": 1, "unchanged": 33}
    assert_same(world.rows(), wanted)
    encoder = Encoder.load(world.release / ENCODER)
    built = MemoryCollection(wanted, name="built", release=RELEASE)
    fresh = open_engine(world.releases, RELEASE, world.collections)
    assert fresh.collection.fields == built.fields
    assert fresh.collection.count() == len(wanted)
    if isinstance(fresh.collection, MemoryCollection):  # a server scores words by statistics of its own
        assert answers(fresh) == answers(SearchLogic.load(world.release / RANKING).engine(encoder, built))
    narrow = parse_filters({"sole": "flat"}, fresh.collection.fields)
    vector = encoder.encode_text(["shoes"])[0]
    assert [key for key, _ in fresh.collection.search("dense", vector, 5, narrow)] == ["p1"]


def test_only_what_the_encoder_would_see_otherwise_is_encoded(world: World, counted: Counted):
    world.ingest(changed())
    done = world.refresh().run(None)
    assert (done.encoded, len(counted.texts), counted.pictures - PROBES) == (4, 4, 4)
    assert sorted(text.split(".")[0] for text in counted.texts) == [
        "Black n1 dress", "Black n2 dress", "Blue dress", "Green shoes",
    ]  # fmt: skip


def test_of_prices_and_stock_nothing_is_encoded_and_no_encoder_loaded(
    world: World, counted: Counted, monkeypatch: pytest.MonkeyPatch
):
    world.ingest([replace(product, price=5.0, stock=None, rating=4.5) for product in catalogue()])
    monkeypatch.setattr(Encoder, "load", lambda *_: pytest.fail("an encoder was loaded"))
    done = world.refresh().run(None)
    assert (done.changes.scalars, done.encoded, counted.texts) == (37, 0, [])
    monkeypatch.undo()
    monkeypatch.chdir(world.folder)
    world.ingest([replace(product, price=None) for product in catalogue()])
    world.refresh().run(None)
    assert {payload["price"] for payload in world.rows().payloads} == {None}
    vector = world.rows().vectors["fused"][0]
    with world.collections.asked(RELEASE) as asked:
        narrow = parse_filters({"price": {"gte": 0}}, asked.fields)
        assert asked.search("dense", vector, 5, narrow) == []


def test_a_second_refresh_does_nothing_and_says_so(world: World, counted: Counted):
    world.ingest(changed())
    world.refresh().run(None)
    before = state_of(world)
    encoded = len(counted.texts)
    done = world.refresh().run(None)
    assert (done.record, done.changes.unchanged, done.encoded) == (None, 38, 0)
    assert state_of(world) == before
    assert len(counted.texts) == encoded


def test_the_snapshot_that_the_release_was_made_of_changes_nothing_either(world: World):
    long = [replace(product, description="x" * 5000) for product in catalogue()]
    world.collections.drop(RELEASE)
    shutil.rmtree(world.release)
    world.make_champion(long)
    assert world.refresh().run(None).record is None
    assert records(world.release) == ()


def test_a_forecast_writes_nothing_and_counts_what_would_be_encoded(world: World, counted: Counted):
    world.ingest(changed())
    before = state_of(world)
    forecast = world.refresh().forecast()
    assert (forecast.encoded, forecast.changes.gone, counted.texts) == (4, 1, [])
    assert state_of(world) == before
    assert records(world.release) == ()


def test_what_came_back_is_not_encoded_again(world: World, counted: Counted):
    world.ingest(changed())
    world.refresh().run(None)
    world.ingest([product for product in changed() if product.id != "n1"])
    world.refresh().run(None)
    encoded = len(counted.texts)
    world.ingest(changed())
    done = world.refresh().run(None)
    assert (done.changes.new, done.encoded, len(counted.texts)) == (1, 0, encoded)
    assert_same(world.rows(), world.full_build(changed()))


def test_other_terms_reach_the_words_of_every_product_they_name(world: World, counted: Counted):
    terms = [*TERMS, Term("colour", "Green", "zh", "翠绿")]
    world.ingest(catalogue(), terms)
    done = world.refresh().run(None)
    assert (done.changes.scalars, counted.texts) == (9, [])
    assert_same(world.rows(), world.full_build(catalogue(), terms))


def test_each_refresh_is_listed_under_its_release_and_leaves_its_seal_whole(world: World):
    for number, products in enumerate((changed(), catalogue()), start=1):
        snapshot = world.ingest(products)
        world.refresh().run(f"md5-{number}")
        assert last_done(world.release).snapshot == snapshot  # type: ignore[union-attr]
    first, second = records(world.release)
    assert (first.number, second.number, first.data_md5, second.data_md5) == (1, 2, "md5-1", "md5-2")
    assert (second.before, second.status, second.changes.gone) == (first.snapshot, "done", 2)
    assert served_as(world.releases, RELEASE) == f"{RELEASE}+2"
    check_contents(world.releases.get(RELEASE), world.release)
    assert not (refresh_folder(world.release, 1) / "ledger.parquet").exists()  # of older ones only the record is kept


def test_an_encoder_that_is_not_the_champions_is_refused_before_anything_is_written(world: World):
    (world.release / ENCODER / "text.onnx").write_bytes(b"another")
    world.ingest(changed())
    before = state_of(world)
    with pytest.raises(TamperedRelease, match=r"encoder/text\.onnx was changed"):
        world.refresh().run(None)
    assert state_of(world) == before


class Cut(Exception):
    """Stands for a kill."""


STEPS = ("encoded", "prepared", "begun", "put 5", "removed", "finished", "done")


@pytest.mark.parametrize("step", STEPS)
def test_cut_short_at_any_step_and_run_again_it_ends_where_it_would_have(world: World, counted: Counted, step: str):
    world.ingest(changed())

    def cut(reached: str) -> None:
        if reached == step:
            raise Cut

    with pytest.raises(Cut):
        world.refresh().run("md5", cut)
    encoded = list(counted.texts)
    assert_each_is_old_or_new(world)
    open_engine(world.releases, RELEASE, world.collections)
    assert (cut_short(world.releases, RELEASE) is None) == (step in ("encoded", "done"))
    counted.texts.clear()
    world.refresh().run("md5")
    assert len(encoded) == 4 and counted.texts == []  # what was encoded before the cut is not encoded again
    assert_same(world.rows(), world.full_build(changed()))
    assert world.collections.held(RELEASE).freshness == (1, 0)
    assert [(record.number, record.status) for record in records(world.release)] == [(1, "done")]


def test_cut_short_and_then_another_catalogue(world: World):
    world.ingest(changed())

    def cut(reached: str) -> None:
        if reached == "put 5":
            raise Cut

    with pytest.raises(Cut):
        world.refresh().run(None, cut)
    world.ingest(catalogue())
    world.refresh().run(None)
    assert_same(world.rows(), world.full_build(catalogue()))


def test_a_ledger_that_is_lost_or_broken_is_made_again_from_the_collection(world: World, counted: Counted):
    world.ingest(changed())
    world.refresh().run(None)
    for damage in (b"no parquet", None):
        path = refresh_folder(world.release, last_done(world.release).number) / "ledger.parquet"  # type: ignore[union-attr]
        path.unlink() if damage is None else path.write_bytes(damage)
        encoded = len(counted.texts)
        dearer = [replace(product, price=(product.price or 0) + 1) for product in changed()]
        world.ingest(dearer if damage else changed())
        world.refresh().run(None)
        assert len(counted.texts) == encoded
        assert world.rows().payloads[0]["price"] == (dearer if damage else changed())[-2].price


def assert_each_is_old_or_new(world: World) -> None:
    """No product is a mix of both states, and none that is in both is missing."""
    old, new = ({p["id"]: p for p in world.full_build(each).payloads} for each in (catalogue(), changed()))
    found = {payload["id"]: payload for payload in world.rows().payloads}
    assert old.keys() & new.keys() <= found.keys()
    assert all(payload in (old.get(key), new.get(key)) for key, payload in found.items())


def state_of(world: World) -> object:
    """All that a refresh can change."""
    files = {path.as_posix(): path.read_bytes() for path in (world.release).rglob("*") if path.is_file()}
    cache = {path: path.stat().st_mtime_ns for path in (world.releases.home / "embeddings").glob("*")}
    return world.rows().digest, world.collections.held(RELEASE), files, cache


def test_the_record_is_json_that_names_every_other_file(world: World):
    world.ingest(changed())
    Refresh(world.releases, world.collections, world.ingest(changed())).run("md5")
    folder = refresh_folder(world.release, 1)
    record = json.loads((folder / "refresh.json").read_text())
    assert list(record["files"]) == ["ledger.parquet"]
    assert (record["products"], record["encoded"], record["status"]) == (38, 4, "done")
