"""The made catalogue is what it says, and every way to search it finds what exact search finds."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scale.clock import LIMIT, SHARES, in_turns, recall
from benchmarks.scale.exact import ExactNumpy
from benchmarks.scale.run import HEAD, Asking, lines_of
from benchmarks.scale.server import filled
from benchmarks.scale.ways import WAYS
from benchmarks.scale.world import DEAREST, World, make_rows, write_vectors
from benchmarks.search_scale import ways_for

N, D = 1_500, 16
EXACT = ("numpy", "flat", "memory", "opened", "asked")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, and the embedded store that holds it."""
    folder = tmp_path_factory.mktemp("world")
    write_vectors(folder, N, D)
    with WAYS["written"](World.read(folder, 1), folder) as built:
        assert built.way is None and built.seconds > 0
    return folder


@pytest.fixture(scope="module")
def world(folder: Path) -> World:
    return World.read(folder, 12)


def test_the_same_seed_gives_the_same_unit_vectors_in_clusters(world: World, tmp_path: Path) -> None:
    write_vectors(tmp_path, N, D)
    again = World.read(tmp_path, 12)
    assert np.array_equal(world.vectors, again.vectors) and np.array_equal(world.queries, again.queries)
    assert np.allclose(np.linalg.norm(world.vectors, axis=1), 1.0, atol=1e-5)
    nearest = np.sort(world.vectors @ world.queries.T, axis=0)[-LIMIT:]
    assert nearest.mean() > 0.7 > 0.2 > abs((world.vectors @ world.queries.T).mean())


@pytest.mark.parametrize("share", SHARES)
def test_a_filter_lets_its_share_through(world: World, share: float) -> None:
    assert np.sum(world.prices < share * DEAREST) == int(np.ceil(share * N))


def test_exact_numpy_is_a_sort_of_all_scores(world: World) -> None:
    exact = ExactNumpy(world)
    for query in world.queries:
        scores = world.vectors @ query
        assert exact.search(query, LIMIT, None).tolist() == np.argsort(-scores)[:LIMIT].tolist()
        for below in (500.0, 10.0):
            passing = [row for row in np.argsort(-scores) if world.prices[row] < below]
            assert exact.search(query, LIMIT, below).tolist() == passing[:LIMIT]


@pytest.mark.parametrize("name", EXACT)
def test_every_exact_way_finds_the_true_ten_under_every_filter(folder: Path, world: World, name: str) -> None:
    exact = ExactNumpy(world)
    with WAYS[name](world, folder) as built:
        assert built.way is not None
        for share in SHARES:
            below = None if share == 1.0 else share * DEAREST
            found = [built.way.search(query, LIMIT, below) for query in world.queries]
            assert recall(found, exact, world, below) == 1.0
            assert all(len(rows) == len(exact.search(world.queries[0], LIMIT, below)) for rows in found)


def test_a_server_is_filled_asked_and_left_as_it_was(server: str, world: World) -> None:
    from search.milvus.session import connect

    client = connect(server, "", 20.0)
    before = client.list_collections()
    with filled(world, server, "") as way:
        found = [way.search(query, LIMIT, None) for query in world.queries]
        assert recall(found, ExactNumpy(world), world, None) > 0.95  # HNSW
        cheap = way.search(world.queries[0], LIMIT, 100.0)
        assert len(cheap) and (world.prices[cheap] < 100.0).all()
    assert client.list_collections() == before
    client.close()


def test_recall_counts_what_was_found_and_not_what_fails_the_filter(world: World) -> None:
    exact = ExactNumpy(world)
    true = [exact.search(query, LIMIT, 100.0) for query in world.queries]
    assert recall(true, exact, world, 100.0) == 1.0
    assert recall([rows[:7] for rows in true], exact, world, 100.0) == pytest.approx(0.7)
    dear = [np.flatnonzero(world.prices >= 100.0)[:LIMIT] for _ in true]
    assert recall(dear, exact, world, 100.0) == 0.0


def test_rounds_take_turns_and_give_medians() -> None:
    order: list[str] = []
    p50, p95, ratio = in_turns([lambda: order.append("own")], [lambda: order.append("peer")], rounds=3)
    assert order[2:] == ["own", "peer"] * 3  # the first two warm up
    assert 0 < p50 <= p95 and ratio > 0


def test_products_come_with_the_ids_prices_and_words_of_their_rows(world: World) -> None:
    rows = make_rows(world)
    assert rows.ids == tuple(sorted(rows.ids)) and rows.ids[7] == "p00000007"
    assert [payload["price"] for payload in rows.payloads] == world.prices.tolist()
    assert all(rows.words) and np.array_equal(rows.vectors["fused"], world.vectors)


def test_the_lines_of_a_way_have_a_cell_for_every_column(folder: Path) -> None:
    lines = lines_of("memory", folder, Asking(queries=6, rounds=1))
    assert len(lines) == len(SHARES) + 1  # the lexical leg
    assert {line.count("|") for line in lines} == {HEAD.splitlines()[0].count("|")}
    assert all(line.startswith(f"| {N:,} | in process |") for line in lines)


def test_lite_takes_part_where_it_can_and_a_server_where_one_is_named() -> None:
    assert "asked" in ways_for(100_000, server=False) and "server" not in ways_for(100_000, server=False)
    assert ways_for(1_000_000, server=True) == ["numpy", "flat", "memory", "server"]
