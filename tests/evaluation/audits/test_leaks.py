"""The audit in a shop where it is known which products are twins across splits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog.media import MediaStore, media_id
from catalog.pictures.perceptual_hash import picture_hash
from catalog.products import Product, Split
from catalog.shards import write_shards
from evaluation.audits.leakage import leakage, touched_queries
from evaluation.audits.leaks import find_leaks, hash_pictures
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.scores import score_rows
from models.embeddings import ProductEmbeddings
from tests.evaluation.audits.test_near_duplicates import noise, png


def product(name: str, picture: int | None, category: str, title: str = "") -> Product:
    data = None if picture is None else png(noise(picture))
    return Product(
        id=name,
        group_id=name,
        title=title or f"title of {name}",
        category=(category,) if category else (),
        images=() if data is None else (media_id(data),),
    )


# test a and train x show one picture; test b and train y have one title; test c and validation v look the same to
# the encoder; d is alone.
SPLITS: Mapping[Split, list[Product]] = {
    "test": [
        product("a", 1, "mug"),
        product("b", 2, "mug", "One Title"),
        product("c", 3, "cap"),
        product("d", 4, "cap"),
    ],
    "validation": [product("v", 5, "cap"), product("w", None, "cap")],
    "ranking": [],
    "train": [product("x", 1, "mug"), product("y", 6, "cap", "one  title"), product("z", 7, "mug")],
}
EVERYTHING = [each for products in SPLITS.values() for each in products]

# 32 bits of its own for each picture: any two are 64 bits apart, and so nothing is nearer than strangers are
HASHES = {
    media_id(png(noise(number))): np.packbits(np.arange(256) // 32 == number).view(np.uint64) for number in range(1, 8)
}


def embeddings() -> ProductEmbeddings:
    """A direction of its own for each product, so that all cosines are 0; c and v share theirs."""
    rows = np.eye(len(EVERYTHING), dtype=np.float32)
    ids = [each.id for each in EVERYTHING]
    rows[ids.index("v")] = rows[ids.index("c")]
    has_image = np.array([bool(each.images) for each in EVERYTHING])
    return ProductEmbeddings(ids, rows, rows, rows, has_image, has_image, "encoder", "snapshot")


def test_every_picture_is_hashed_once(tmp_path: Path) -> None:
    pictures = {media_id(png(noise(number))): png(noise(number)) for number in range(1, 8)}
    write_shards(list(pictures.items()), tmp_path)
    hashes = hash_pictures(EVERYTHING, MediaStore(tmp_path))
    assert set(hashes) == set(pictures)
    assert all(np.array_equal(hashes[name], picture_hash(data)) for name, data in pictures.items())


def test_every_detector_finds_its_own_twins_and_nothing_else() -> None:
    found = find_leaks(SPLITS, HASHES, embeddings(), 0.0)
    assert {(p.detector, p.product, p.split, p.other, p.other_split) for p in found.pairs} == {
        ("same picture", "a", "test", "x", "train"),
        ("perceptual hash", "a", "test", "x", "train"),
        ("embedding", "c", "test", "v", "validation"),
        ("same title", "b", "test", "y", "train"),
    }
    assert found.touched == {"a", "b", "c"}
    told = {row.detector: row for row in found.detectors}
    assert [(row.pairs, row.test_products, row.test_share) for row in told.values()] == [(1, 1, 1 / 4)] * 4
    assert all(row.validation_products == 0 for row in told.values())
    assert {name: row.limit for name, row in told.items()} == {
        "same picture": 0.0,
        "perceptual hash": 64.0,  # strangers are 64 bits apart
        "embedding": 0.0,  # strangers have cosine 0
        "same title": 0.0,
    }
    assert found.table()["value"].to_list() == [0.0, 0.0, 1.0, 0.0]


def test_validation_products_leak_from_training_by_the_limit_of_the_test_split() -> None:
    swapped: Mapping[Split, list[Product]] = {
        **SPLITS,
        "validation": [product("a2", 1, "mug")],
        "test": SPLITS["test"][1:],
    }
    found = find_leaks(swapped, HASHES, embeddings(), 0.0)
    assert {(p.detector, p.product, p.other) for p in found.pairs if p.split == "validation"} == {
        ("same picture", "a2", "x"),
        ("perceptual hash", "a2", "x"),
    }
    assert found.touched == {"b"}


def test_without_categories_the_limit_cannot_be_found_and_that_is_said() -> None:
    bare: Mapping[Split, list[Product]] = {
        name: [product(each.id, None, "", each.title) for each in products] for name, products in SPLITS.items()
    }
    with_pictures: Mapping[Split, list[Product]] = {
        name: [
            Product(id=each.id, group_id=each.id, title=each.title, images=SPLITS[name][at].images)
            for at, each in enumerate(products)
        ]
        for name, products in bare.items()
    }
    found = find_leaks(with_pictures, HASHES, embeddings(), 0.0)
    told = {row.detector: row.limit for row in found.detectors}
    assert told == {"same picture": 0.0, "perceptual hash": None, "embedding": None, "same title": 0.0}
    assert found.touched == {"a", "b"}
    assert {row.pairs for row in find_leaks(bare, {}, embeddings(), 0.0).detectors} == {0, 1}  # no picture at all


def test_a_product_with_several_twins_is_one_product_in_several_pairs() -> None:
    more: Mapping[Split, list[Product]] = {**SPLITS, "train": [*SPLITS["train"], product("x2", 1, "mug")]}
    for detector in find_leaks(more, HASHES, embeddings(), 0.0).detectors[:2]:
        assert (detector.pairs, detector.test_products) == (2, 1)


def query(name: str, image: str | None = None) -> EvaluationQuery:
    return EvaluationQuery(name, "title_to_product", "en", "words", image)


def test_a_query_is_touched_by_its_photo_or_by_half_of_its_answers() -> None:
    pool = SPLITS["test"]
    queries = (query("known"), query("half"), query("less"), query("photo", pool[0].images[0]), query("free"))
    grades = {
        "known": {"a": 1},
        "half": {"a": 1, "d": 1},
        "less": {"a": 3, "d": 3, "e": 3, "b": 1, "c": 0},
        "photo": {"d": 1},
        "free": {"d": 1},
    }
    questions = EvaluationSet(queries, grades, tuple(each.id for each in pool))
    assert touched_queries(questions, pool, frozenset({"a", "b"})) == {"known", "half", "photo"}


def test_scores_are_told_with_and_without_the_touched_queries() -> None:
    pool = SPLITS["test"]
    queries = tuple(query(f"q{each.id}") for each in pool)
    questions = EvaluationSet(queries, {f"q{each.id}": {each.id: 1} for each in pool}, tuple(e.id for e in pool))
    leaks = find_leaks(SPLITS, HASHES, embeddings(), 0.0)
    recall = {"qa": 1.0, "qb": 1.0, "qc": 0.4, "qd": 0.2}
    values = {
        name: dict.fromkeys(("recall@1", "recall@10", "MRR@10", "nDCG@10", "success@1"), value)
        for name, value in recall.items()
    }
    other = score_rows("set", "random", queries, {name: dict.fromkeys(row, 0.0) for name, row in values.items()})
    scores = pl.concat([score_rows("set", "engine", queries, values), other])
    told = leakage(leaks, questions, pool, scores, seed=1, rounds=100)
    (effect,) = told.effects
    assert (effect.kind, effect.metric, effect.n, effect.touched) == ("title_to_product", "recall@10", 4, 3)
    assert effect.mean == pytest.approx((1.0 + 1.0 + 0.4 + 0.2) / 4)
    assert effect.touched_mean == pytest.approx((1.0 + 1.0 + 0.4) / 3)
    assert effect.without_mean == pytest.approx(0.2)
    assert told.share() == 0.25  # one by its picture, one by its title, of four; the near one is told alone
    assert (told.touched_products, told.test_products, told.touched_queries, told.queries) == (3, 4, 3, 4)
    assert {leak.detector for leak in told.examples} == {"same picture", "perceptual hash", "embedding", "same title"}
