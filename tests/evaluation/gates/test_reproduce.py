"""A champion's record: does it agree with itself, and do its questions, asked again, score what it says?"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog.media import MediaStore
from catalog.products import Product
from catalog.words.terms import TermIndex
from evaluation.answers import ask_engine
from evaluation.gates.record import EvaluationBroken, Record, read_record
from evaluation.gates.reproduce import Reproduced, ask_again, means, probed, reproduce, restored_engines
from evaluation.gates.rules import ReproduceRules
from evaluation.measure import score
from evaluation.metrics import METRICS
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines
from evaluation.queries.judgements import JUDGEMENTS_FILE
from evaluation.queries.kinds import AS_SERVED, ENGINE, KINDS
from evaluation.queries.questions import evaluation_set
from evaluation.runs import photos_of
from evaluation.scores import PER_QUERY_FILE
from models.embeddings import FIELDS
from search.logic import SearchLogic
from search.rows import MOST_DESCRIPTION, Rows, build_rows, product_of
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, shop

CATALOGUE = shop()
POOL = CATALOGUE[:40]  # the collection holds more than the pool
QUESTIONS = evaluation_set(POOL, CATALOGUE, TERMS, (), EvaluateParams(attribute_queries=20))
ALL = ReproduceRules(probes=1000)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def rows(store: MediaStore) -> Rows:
    """What the champion's collection holds."""
    return build_rows(CATALOGUE, embedded(CATALOGUE, store, FacetEncoder()), TermIndex(TERMS))


@pytest.fixture(scope="module")
def scores(store: MediaStore) -> pl.DataFrame:
    """per_query as the evaluate stage writes it."""
    encoder = FacetEncoder()
    engines = pool_engines(POOL, TERMS, embedded(CATALOGUE, store, encoder), encoder, SearchLogic())
    asked = ask_engine(engines, QUESTIONS, photos_of(store))
    return score(QUESTIONS, asked.runs, asked.asked)


@pytest.fixture
def kept(tmp_path: Path, scores: pl.DataFrame) -> Path:
    QUESTIONS.write(tmp_path)
    scores.write_parquet(tmp_path / PER_QUERY_FILE)
    return tmp_path


def manifest_scores(scores: pl.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    told: dict[str, dict[str, dict[str, float]]] = {}
    for (kind, system), own in scores.group_by("kind", "system"):
        told.setdefault(str(kind), {})[str(system)] = {name: round(float(own[name].mean()), 6) for name in METRICS}
    return told


@pytest.fixture
def again(store: MediaStore, rows: Rows, kept: Path, scores: pl.DataFrame) -> Callable[..., Reproduced]:
    """The champion asked again; what is damaged is given by name."""

    def ask(told: pl.DataFrame = scores, rows: Rows = rows, rules: ReproduceRules = ALL, **changes: Any) -> Reproduced:
        record = read_record("r1", kept, manifest_scores(told))
        pictures = changes.get("pictures", frozenset(store.ids()))
        return reproduce(record, rows, FacetEncoder(), SearchLogic(), photos_of(store), pictures, rules)

    return ask


def test_an_honest_champion_scores_what_its_record_says(again: Callable[..., Reproduced]) -> None:
    assert again(rules=ReproduceRules(probes=1000, tolerance=0.0)) == Reproduced(len(QUESTIONS.queries), 0)


def test_the_engines_out_of_the_collection_score_every_question_as_the_stage_did(
    rows: Rows, store: MediaStore, scores: pl.DataFrame
) -> None:
    engines = restored_engines(Record("r1", QUESTIONS, scores), rows, FacetEncoder(), SearchLogic())
    found = ask_again(QUESTIONS, engines, photos_of(store), hidden=True)
    order = ["system", "query_id"]
    recorded = scores.filter(pl.col("system").is_in([ENGINE, AS_SERVED])).sort(order)
    assert found.sort(order).drop("evaluation_set").equals(recorded.drop("evaluation_set"))


def test_one_number_of_the_manifest_that_its_scores_do_not_give_is_named(kept: Path, scores: pl.DataFrame) -> None:
    told = manifest_scores(scores)
    told["title_to_product"][ENGINE]["recall@1"] = 0.123456
    with pytest.raises(EvaluationBroken, match=r"r1 records 0\.123456 as recall@1 of title_to_product \(engine\) in"):
        read_record("r1", kept, told)
    del told["title_to_product"]
    with pytest.raises(EvaluationBroken, match="records nothing as MRR@10 of title_to_product"):
        read_record("r1", kept, told)


@pytest.mark.parametrize("system", [ENGINE, AS_SERVED])
def test_one_score_changed_in_every_place_that_tells_it_is_found_by_asking_again(
    again: Callable[..., Reproduced], kept: Path, scores: pl.DataFrame, system: str
) -> None:
    own = (pl.col("query_id") == QUESTIONS.of_kind("attribute_en")[0].query_id) & (pl.col("system") == system)
    honest = scores.filter(own)["nDCG@10"].item()
    changed = scores.with_columns(pl.when(own).then(honest - 0.5).otherwise(pl.col("nDCG@10")).alias("nDCG@10"))
    changed.write_parquet(kept / PER_QUERY_FILE)
    with pytest.raises(
        EvaluationBroken, match=rf"recorded nDCG@10 0\.\d+ on \d+ questions of attribute_en \({system}\)"
    ):
        again(told=changed)


def test_a_collection_whose_vectors_changed_places_is_found(again: Callable[..., Reproduced], rows: Rows) -> None:
    seen, image = rows.present["image"], rows.vectors["image"].copy()
    image[seen] = np.roll(image[seen], 1, axis=0)
    with pytest.raises(EvaluationBroken, match="out of its collection they score"):
        again(rows=replace(rows, vectors={**rows.vectors, "image": image}))


def test_a_collection_whose_vectors_are_no_unit_vectors_is_found(again: Callable[..., Reproduced], rows: Rows) -> None:
    half = {name: rows.vectors[name] / 2 for name in FIELDS}
    with pytest.raises(EvaluationBroken, match=r"r1 has a damaged collection \(\d+ \w+ vectors do not have length 1\)"):
        again(rows=replace(rows, vectors=half))


def test_a_collection_that_lost_a_product_is_found(again: Callable[..., Reproduced], rows: Rows) -> None:
    short = Rows(
        rows.ids[1:],
        rows.payloads[1:],
        rows.words[1:],
        {name: rows.vectors[name][1:] for name in FIELDS},
        {name: rows.present[name][1:] for name in FIELDS},
        rows.encoder,
        rows.snapshot,
    )
    with pytest.raises(EvaluationBroken, match=r"was measured on product 'p000', which its collection has lost"):
        again(rows=short)


def test_a_product_that_nobody_was_measured_on_may_go(again: Callable[..., Reproduced], rows: Rows) -> None:
    vectors = {name: rows.vectors[name].copy() for name in FIELDS}
    for name in FIELDS:
        vectors[name][-1] = 0  # p047, which is not in the pool
    assert again(rows=replace(rows, vectors=vectors)).asked == len(QUESTIONS.queries)


def test_questions_whose_photos_are_gone_are_left_out_and_counted(again: Callable[..., Reproduced]) -> None:
    with_photo = [query for query in QUESTIONS.queries if query.image is not None]
    assert with_photo
    done = again(pictures=frozenset())
    assert done == Reproduced(len(QUESTIONS.queries) - len(with_photo), len(with_photo))
    assert f"the photos of {len(with_photo)} are gone" in done.sentence()


def test_questions_or_grades_that_were_cut_are_found(kept: Path, scores: pl.DataFrame) -> None:
    judgements = pl.read_parquet(kept / JUDGEMENTS_FILE)
    judgements.head(len(judgements) - 1).write_parquet(kept / JUDGEMENTS_FILE)
    with pytest.raises(EvaluationBroken, match="keeps the questions of another one"):
        read_record("r1", kept, manifest_scores(scores))


def test_a_record_that_is_gone_or_cannot_be_read_is_no_pass(kept: Path, scores: pl.DataFrame) -> None:
    (kept / PER_QUERY_FILE).write_bytes(b"PAR1 half")
    with pytest.raises(EvaluationBroken, match="has no readable record"):
        read_record("r1", kept, manifest_scores(scores))
    (kept / PER_QUERY_FILE).unlink()
    with pytest.raises(EvaluationBroken, match="has no readable record"):
        read_record("r1", kept, manifest_scores(scores))


def test_probes_are_at_most_so_many_of_each_kind_and_spread_over_it() -> None:
    part = probed(QUESTIONS, QUESTIONS.queries, 4)
    assert part.kinds() == QUESTIONS.kinds()
    assert part.pool == QUESTIONS.pool
    for kind in QUESTIONS.kinds():
        every = sorted(query.query_id for query in QUESTIONS.of_kind(kind))
        count = min(4, len(every))
        wanted = [every[place * len(every) // count] for place in range(count)]
        assert [query.query_id for query in part.of_kind(kind)] == wanted


def test_a_shortened_description_leaves_out_what_encodes_its_words_again(
    again: Callable[..., Reproduced], rows: Rows, store: MediaStore, scores: pl.DataFrame
) -> None:
    long = [replace(CATALOGUE[0], description="x " * MOST_DESCRIPTION), *CATALOGUE[1:]]
    cut = build_rows(long, embedded(long, store, FacetEncoder()), TermIndex(TERMS))
    engines = restored_engines(Record("r1", QUESTIONS, scores), cut, FacetEncoder(), SearchLogic())
    found = ask_again(QUESTIONS, engines, photos_of(store), hidden=False)
    hidden = {kind for kind, own in KINDS.items() if ENGINE in own.systems and own.systems[ENGINE].hidden}
    assert not hidden & set(found.filter(pl.col("system") == ENGINE)["kind"])
    assert set(found.filter(pl.col("system") == AS_SERVED)["kind"]) == hidden & set(QUESTIONS.kinds())


def test_a_score_that_is_not_a_number_is_infinitely_far_off() -> None:
    table = pl.DataFrame({"query_id": ["q"], "kind": ["shop"], "system": [ENGINE], "nDCG@10": [1.0]})
    assert means(table.with_columns(pl.lit(float("nan")).alias("nDCG@10")), table)[0].off == float("inf")
    assert means(table, table)[0].off == 0.0


def test_a_product_comes_back_from_what_a_hit_shows_of_it(rows: Rows) -> None:
    assert isinstance(product_of(rows.payloads[0]), Product)
    assert [product_of(payload) for payload in rows.payloads] == CATALOGUE
