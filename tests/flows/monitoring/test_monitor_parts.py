"""Catalogue, clicks and topics of `etalage monitor`: counts that can be worked out by hand."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from catalog.pictures.looks import write_looks
from catalog.pictures.perceptual_hash import GRID, Look
from catalog.products import Interaction, Product
from catalog.tables import write_products
from evaluation.audits.shifts import Floats
from evaluation.gates.continuity import Tables
from flows.monitoring.catalogue import catalogue_checks, mixes, new_values, picture_check, read_catalogues
from flows.monitoring.checks import decide
from flows.monitoring.clicks import click_checks, clicked
from flows.monitoring.params import MonitorParams, Topics
from flows.monitoring.results import NewValue
from flows.monitoring.spans import Span
from flows.monitoring.topics import by_words, topics
from tests.bento.world import tiny_encoder
from tests.flows.traffic import NOW
from tests.flows.worlds import a_store

PARAMS = MonitorParams()
WEEK = timedelta(days=7)
NOWADAYS, BEFORE = Span(NOW - WEEK, NOW), Span(NOW - 2 * WEEK, NOW - WEEK)


def shop(count: int = 200) -> list[Product]:
    """Half dresses, half shirts, all red, with a picture, at 10 to 29 EUR."""
    return [
        Product(
            id=f"p{n}", group_id=f"g{n}", title="thing", description="of cloth", brand="A" if n % 4 else "B",
            category=("Apparel", "dress" if n % 2 else "shirt"), attributes={"colour": "Red"}, price=10.0 + n % 20,
            currency="EUR", language="en", images=("m",),
        )
        for n in range(count)
    ]  # fmt: skip


def alarms(then: Sequence[Product], now: Sequence[Product]) -> dict[str, float]:
    checks = decide(catalogue_checks(then, now, PARAMS), PARAMS.false_alarms)
    return {check.name: check.effect or 0.0 for check in checks if check.outcome == "alarm"}


def test_the_same_catalogue_has_not_moved() -> None:
    checks = catalogue_checks(shop(), shop(), PARAMS)
    assert [check.effect for check in checks] == [0.0] * 8
    assert alarms(shop(), shop()) == {}


def test_every_way_in_which_a_catalogue_moves_is_named_with_its_size() -> None:
    then = shop()
    shoes = [replace(p, category=("Apparel", "shoes")) if n < 40 else p for n, p in enumerate(then)]
    assert alarms(then, shoes) == pytest.approx({"categories": 0.2, "new values": 0.2})
    bare = [replace(p, images=()) if n < 30 else p for n, p in enumerate(then)]
    assert alarms(then, bare) == pytest.approx({"without a picture": 0.15})
    silent = [replace(p, description="", language="zh") if n < 50 else p for n, p in enumerate(then)]
    expected = {"without a description": 0.25, "languages of products": 0.25}
    assert alarms(then, silent) == pytest.approx(expected)
    dear = [replace(p, price=(p.price or 0) + 10) for p in then]
    assert alarms(then, dear) == pytest.approx({"products": 1.0, "prices": 0.5})
    other = [replace(p, brand="C") if n < 50 else p for n, p in enumerate(then)]
    assert alarms(then, other) == pytest.approx({"brands": 0.25})


def test_a_change_of_currency_leaves_no_prices_to_compare() -> None:
    dollars = [replace(product, currency="USD") for product in shop()]
    prices = catalogue_checks(shop(), dollars, PARAMS)[-1]
    assert (prices.outcome, prices.reference_n, prices.current_n) == ("unknown", 0, 200)


def test_few_products_give_no_alarm() -> None:
    checks = decide(catalogue_checks(shop(50), [], PARAMS), PARAMS.false_alarms)
    assert {check.outcome for check in checks} == {"unknown"}


def with_pictures(grey: int = 0, seed: int = 0) -> Tables:
    """600 products, each with a picture in colours of its own; the first `grey` have been through a proxy."""
    drawn = np.random.default_rng(seed).integers(0, 256, (600, GRID * GRID, 3), dtype=np.uint8)
    drawn[:grey] = drawn[:grey].mean(axis=2, keepdims=True).astype(np.uint8)
    looks = {f"m{n}": Look(bytes(32), colours.tobytes(), False) for n, colours in enumerate(drawn)}
    return Tables([replace(product, images=(f"m{n}",)) for n, product in enumerate(shop(600))], looks=looks)


def test_pictures_that_lost_their_colours_alarm_and_nobody_retrains_on_them() -> None:
    (grey,) = decide([picture_check(with_pictures(), with_pictures(grey=600), PARAMS)], PARAMS.false_alarms)
    assert (grey.outcome, grey.retrain) == ("alarm", False)
    assert grey.effect == pytest.approx(1.0) and min(grey.reference_n, grey.current_n) > 250
    (same,) = decide([picture_check(with_pictures(), with_pictures(seed=1), PARAMS)], PARAMS.false_alarms)
    assert same.outcome == "quiet" and same.effect == pytest.approx(0.5, abs=0.1)


def test_pictures_that_cannot_be_compared_say_why() -> None:
    old = replace(with_pictures(), looks={})
    assert "older than the looks" in picture_check(old, with_pictures(), PARAMS).note
    few = Tables(with_pictures().products[:50], looks=with_pictures().looks)
    bare = Tables([replace(product, images=()) for product in shop()])
    for now in (few, bare):
        check = picture_check(with_pictures(), now, PARAMS)
        assert check.outcome == "unknown" and "too few pictures" in check.note


def test_new_values_are_counted_the_most_frequent_first() -> None:
    now = [replace(p, attributes={"colour": "Teal" if n < 3 else "Red"}) for n, p in enumerate(shop())]
    now[9] = replace(now[9], category=("Apparel", "kilt"))
    assert new_values(shop(), now) == (
        NewValue(field="colour", value="Teal", products=3),
        NewValue(field="category", value="kilt", products=1),
    )
    shares = {row.value: (row.reference, row.current) for row in mixes(shop(), now)[0].shares}
    assert shares["kilt"] == (0.0, 0.005)


def test_the_catalogue_in_data_is_compared_with_that_of_the_champion_or_it_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store, _ = a_store(tmp_path / ".etalage", "r1")
    assert "does not exist" in str(read_catalogues(store.get("r1")))
    write_products(shop())
    write_looks({"m": Look(bytes(32), bytes(48), True)})
    counts = dict.fromkeys(("source_rows", "products", "media", "without_image", "groups", "terms", "judgements"), 1)
    record = {"id": "5" * 12, "source": "s", "quarantined": {}, "dropped": {}, "interactions": 0, **counts}
    Path("data/snapshot.json").write_text(json.dumps(record))
    then, now = read_catalogues(store.get("r1"))
    assert then.products == now.products == shop() and list(then.looks) == list(now.looks) == ["m"]
    Path("data/snapshot.json").write_text(json.dumps({**record, "id": "other"}))
    assert isinstance(read_catalogues(store.get("r1")), str)  # no DVC here, and the snapshot was not versioned


def some(action: str, count: int, span: Span, product: str = "p1", query: str | None = None) -> list[Interaction]:
    at = (span.start + timedelta(hours=1)).isoformat()
    return [Interaction(f"u{n}", product, action, at, query) for n in range(count)]


def test_clicks_are_counted_by_category_language_and_words_and_a_fall_alarms() -> None:
    rows = [
        *some("view", 1000, BEFORE, query="red dress"), *some("click", 200, BEFORE, query="red dress"),
        *some("view", 1000, NOWADAYS, query="red dress"), *some("click", 100, NOWADAYS, query="red dress"),
        *some("view", 1000, BEFORE, "p0"), *some("click", 200, BEFORE, "p0"),
        *some("view", 1000, NOWADAYS, "p0"), *some("click", 210, NOWADAYS, "p0"), *some("buy", 7, NOWADAYS, "p0"),
    ]  # fmt: skip
    products = [replace(p, category=(p.category[1],)) for p in shop()]
    found = clicked(rows, products, BEFORE, NOWADAYS)
    by_slice = {row.slice: row for row in found}
    assert set(by_slice) == {
        "all", "category=dress", "category=shirt", "language=en", "found by=words", "found by=other ways"
    }  # fmt: skip
    dress = by_slice["category=dress"]
    assert (dress.reference_views, dress.reference_clicks, dress.current_clicks) == (1000, 200, 100)
    assert (by_slice["all"].current_views, by_slice["all"].current_buys) == (2000, 7)
    decided = {check.name: check for check in decide(click_checks(found, PARAMS), PARAMS.false_alarms)}
    assert decided["clicks of category=dress"].effect == pytest.approx(0.5)
    named = {name for name, check in decided.items() if check.outcome == "alarm"}
    assert named == {"clicks of all", "clicks of category=dress", "clicks of language=en", "clicks of found by=words"}
    assert decided["clicks of all"].effect == pytest.approx(1 - 0.155 / 0.2)
    assert decided["clicks of category=shirt"].effect == pytest.approx(-0.05)


def test_few_views_and_clicks_are_unknown() -> None:
    rows = [*some("view", 50, BEFORE), *some("click", 5, BEFORE), *some("view", 50, NOWADAYS)]
    (check,) = click_checks(clicked(rows, shop(), BEFORE, NOWADAYS), PARAMS)
    assert (check.name, check.outcome) == ("clicks of all", "unknown")


def test_interactions_outside_both_windows_or_without_a_time_do_not_count() -> None:
    long_ago = Span(NOW - 9 * WEEK, NOW - 8 * WEEK)
    rows = [*some("view", 10, long_ago), Interaction("u", "p1", "view", "yesterday")]
    assert clicked(rows, shop(), BEFORE, NOWADAYS) == ()


ZERO = Counter({"red dress": 30, "red dress please": 5, "blue dress": 4})
LOW = Counter({"shoes": 20, "black shoes": 3, "red dress": 2})
FEW = Topics(fewest=5)


def test_topics_gather_like_queries_with_their_counts_and_telling_words() -> None:
    found = topics(ZERO, LOW, tiny_encoder().encode_text, Topics(most=2, fewest=5), 7)
    assert [topic.typical for topic in found] == ["red dress", "shoes"]
    assert [(topic.queries, topic.different) for topic in found] == [(41, 3), (23, 2)]
    assert [(topic.zero_result, topic.low_confidence) for topic in found] == [(39, 2), (0, 23)]
    assert "dress" in found[0].words and found[1].words[0] == "shoe"


def test_topics_by_words_need_no_vectors_and_take_texts_without_words() -> None:
    found = topics(ZERO + Counter({"!!!": 1}), LOW, by_words, FEW, 7)
    assert sum(topic.queries for topic in found) == ZERO.total() + LOW.total() + 1
    assert np.linalg.norm(by_words(["!!!", "red dress"]), axis=1) == pytest.approx([1.0, 1.0])


def test_few_or_equal_queries_are_one_topic_and_none_are_none() -> None:
    assert topics(Counter(), Counter(), by_words, FEW, 7) == ()
    assert len(topics(ZERO, LOW, by_words, Topics(), 7)) == 1

    def alike(texts: Sequence[str]) -> Floats:
        return np.ones((len(texts), 4)) / 2

    assert len(topics(ZERO, LOW, alike, FEW, 7)) == 1
