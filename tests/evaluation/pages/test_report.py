"""The report: every number from one table, the worst queries with pictures, and a page that stands alone."""

import base64
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from catalog.digests import digest_of_sections
from catalog.errors import InvalidSnapshot
from catalog.media import MediaStore
from catalog.params import load_section
from evaluation.answers import Systems, ask_baselines, ask_engine, read_run, runs_table
from evaluation.audits.leakage import leakage
from evaluation.audits.leaks import Leaks
from evaluation.audits.robustness import steadiness
from evaluation.evaluate import summarise
from evaluation.gates.decide import decide
from evaluation.gates.evidence import Counts, Fidelity, gather
from evaluation.gates.rules import GateRules
from evaluation.measure import score
from evaluation.pages.report import render
from evaluation.pages.shown import THUMB, Thumbnails, thumbnail
from evaluation.pages.worst import best_queries, show, shown_leaks, shown_queries, worst_queries
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.questions import evaluation_set
from evaluation.results import (
    EvaluationReport,
    Inputs,
    Leak,
    LeakDetector,
    Memory,
    Parity,
    ParityReport,
    Robustness,
    ShakyNeed,
    read_report,
)
from evaluation.runs import photos_of
from evaluation.scores import engine_values, read_scores
from search.logic import SearchLogic
from tests.evaluation.worlds import TERMS, FacetEncoder, embedded, media, picture, shop

POOL = shop()
PARAMS = EvaluateParams(attribute_queries=10, bootstrap_rounds=100)
QUESTIONS = evaluation_set(POOL, POOL, TERMS, (), PARAMS)
INPUTS = Inputs(
    snapshot="5" * 12,
    encoder="e" * 16,
    baseline_encoder=None,
    ranking="a" * 12,
    params="b" * 12,
    evaluation_set=QUESTIONS.fingerprint,
)
LEAKS = Leaks(
    detectors=(
        LeakDetector(
            detector="perceptual hash",
            unit="of 256 bits differ",
            limit=26.0,
            pairs=1,
            test_products=1,
            validation_products=0,
            test_share=1 / len(POOL),
        ),
    ),
    pairs=(Leak(detector="perceptual hash", product="p001", split="test", other="p013", other_split="train", value=8),),
    touched=frozenset({"p001"}),
)
STEADY = Robustness(
    metric="nDCG@10",
    phrasings=("plain", "misspelt"),
    rows=(steadiness("en", "engine", [{"plain": 0.9, "misspelt": 0.7}], seed=1, rounds=100),),
    shaky=(
        ShakyNeed(
            language="en",
            deviation=0.1,
            texts={"plain": "red <mug>", "misspelt": "red mgu"},
            values={"plain": 0.9, "misspelt": 0.7},
        ),
    ),
)

GROWN = Memory(queries=60, grown_kb=(0.0, 4.0, 0.0))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MediaStore:
    return media(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def asked(store: MediaStore) -> Systems:
    encoder = FacetEncoder()
    return ask_engine(
        pool_engines(POOL, TERMS, embedded(POOL, store, encoder), encoder, SearchLogic()), QUESTIONS, photos_of(store)
    )


@pytest.fixture(scope="module")
def report(asked: Systems) -> EvaluationReport:
    baselines = ask_baselines(QUESTIONS, POOL, lambda query: None, None, PARAMS.seed)
    scores = score(QUESTIONS, {**asked.runs, **baselines.runs}, {**asked.asked, **baselines.asked})
    told = leakage(LEAKS, QUESTIONS, POOL, scores, seed=7, rounds=100)
    return summarise(INPUTS, QUESTIONS, scores, [asked, baselines], 480, PARAMS, STEADY, told, memory=GROWN)


def page(report: EvaluationReport, asked: Systems, store: MediaStore, curves: Path) -> str:
    products = {product.id: product for product in POOL}
    query = replace(QUESTIONS.of_kind("photo_to_product")[0], text="<script>alert('title')</script>")
    shown = show(
        query,
        picture(1),
        QUESTIONS.judgements[query.query_id],
        asked.runs["engine"][query.query_id],
        0.5,
        products,
        Thumbnails(store),
    )
    assert report.leakage is not None
    return render(report, [shown], curves, shown_leaks(report.leakage.examples, POOL, store))


def test_the_report_has_every_kind_system_and_metric_and_what_was_not_asked(report: EvaluationReport) -> None:
    assert set(report.metrics) == set(QUESTIONS.kinds())
    assert set(report.metrics["attribute_en"]) == {
        "engine",
        "as_served",
        "dense",
        "image",
        "random",
        "bm25_plain",
        "bm25_titles",
    }
    assert set(report.unasked) == {"shop"}
    assert report.metrics["title_to_photo"]["engine"]["recall@10"] == 1.0
    assert {row.system for row in report.not_comparable} == {"bm25_plain", "bm25_titles"}
    assert report.latency_p95_ms() == max(row.p95 for row in report.latency if row.phase == "total")


def test_the_report_survives_its_file(report: EvaluationReport, tmp_path: Path) -> None:
    path = tmp_path / "evaluate.json"
    path.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    assert read_report(path) == report
    with pytest.raises(InvalidSnapshot, match="run the evaluate stage"):
        read_report(tmp_path / "nothing.json")
    path.write_text('{"pool": "many"}', encoding="utf-8")
    with pytest.raises(InvalidSnapshot, match="not a report"):
        read_report(path)


def test_a_good_report_passes_the_gates_of_params_yaml(report: EvaluationReport) -> None:
    rules = load_section("gates", GateRules, Path(__file__).parents[3] / "params.yaml")
    assert rules.floors
    assert rules.beats
    rows = (Parity(modality="text", n=9, cosine_min=1.0, cosine_mean=1.0, overlap=0.995),)
    parity = ParityReport(snapshot="s", encoder="e", rows=rows)
    evidence = gather(
        report.model_copy(update={"parity": parity}),
        champion=None,
        comparison=None,
        fidelity=Fidelity(overlap=1.0, filtered={"10%": 1.0}),
        counts=Counts(products=480, collection_rows=480, duplicate_ids=0),
        validation_passed=True,
    )
    assert (evidence.parity, evidence.parity_overlap) == (1.0, 0.995)
    decision = decide(evidence, rules)
    assert decision.passed, [reason.sentence for reason in decision.refusals()]
    random = evidence.model_copy(
        update={
            "measurements": tuple(
                row.model_copy(update={"system": "engine"}) if row.system == "random" else row
                for row in report.measurements
                if row.system != "engine"
            )
        }
    )
    assert "floor" in {reason.rule for reason in decide(random, rules).refusals()}


def test_the_page_loads_nothing_from_outside(
    report: EvaluationReport, asked: Systems, store: MediaStore, tmp_path: Path
) -> None:
    html = page(report, asked, store, tmp_path / "none.csv")
    assert "://" not in html
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in sources)
    assert "<script" not in html


def test_what_a_shop_wrote_is_escaped(
    report: EvaluationReport, asked: Systems, store: MediaStore, tmp_path: Path
) -> None:
    html = page(report, asked, store, tmp_path / "none.csv")
    assert "&lt;script&gt;alert" in html


def test_the_page_has_the_numbers_the_plots_and_both_colour_schemes(
    report: EvaluationReport, asked: Systems, store: MediaStore, tmp_path: Path
) -> None:
    curves = tmp_path / "curves.csv"
    curves.write_text("epoch,update,loss,score,note\n1,9,2.5,0.2,\n2,18,1.5,0.4,x\n3,27,1.2,0.5,\n", encoding="utf-8")
    html = page(report, asked, store, curves)
    bare = page(report, asked, store, tmp_path / "none.csv")
    assert html.count("<svg") == bare.count("<svg") + 2  # loss and score; note has no numbers, update counts
    assert "prefers-color-scheme: dark" in html
    assert "#0101" not in html  # every placeholder colour became a variable
    assert "1 of 48 held-out products have a twin" in html
    assert "fewer than 26 of 256 bits differ" in html
    assert "± 0.100" in html
    assert "red &lt;mug&gt;" in html
    for name in ("title to photo", "BM25 on titles", INPUTS.snapshot, INPUTS.encoder, "not comparable"):
        assert name in html


def test_the_same_report_gives_the_same_page(
    report: EvaluationReport, asked: Systems, store: MediaStore, tmp_path: Path
) -> None:
    assert page(report, asked, store, tmp_path / "none.csv") == page(report, asked, store, tmp_path / "none.csv")


def test_kinds_take_turns_among_the_worst_and_the_surest_mistake_comes_first() -> None:
    queries = [
        EvaluationQuery(name, kind, "en", "words")
        for name, kind in (("a1", "title_to_photo"), ("a2", "title_to_photo"), ("a3", "title_to_photo"), ("b1", "shop"))
    ]
    questions = EvaluationSet(tuple(queries), {query.query_id: {"p": 1} for query in queries}, ("p",))
    values = {name: {"nDCG@10": value} for name, value in (("a1", 0.0), ("a2", 0.0), ("a3", 1.0), ("b1", 0.9))}
    run = {"a1": [("x", 0.3)], "a2": [("x", 0.8)], "a3": [("p", 0.9)], "b1": []}
    assert [query.query_id for query in worst_queries(questions, run, values, 30)] == ["a2", "b1", "a1"]
    assert [query.query_id for query in worst_queries(questions, run, values, 1)] == ["a2"]


def test_the_best_are_those_that_found_most_and_none_that_found_nothing() -> None:
    kinds = (("a1", "title_to_photo"), ("a2", "title_to_photo"), ("a3", "title_to_photo"), ("b1", "shop"))
    queries = [EvaluationQuery(name, kind, "en", "words") for name, kind in kinds]
    questions = EvaluationSet(tuple(queries), {query.query_id: {"p": 1} for query in queries}, ("p",))
    values = {name: {"nDCG@10": value} for name, value in (("a1", 1.0), ("a2", 1.0), ("a3", 0.0), ("b1", 0.4))}
    run = {"a1": [("p", 0.3)], "a2": [("p", 0.8)], "a3": [("x", 0.9)], "b1": [("p", 0.1)]}
    assert [query.query_id for query in best_queries(questions, run, values, 30)] == ["a2", "b1", "a1"]
    assert [query.query_id for query in best_queries(questions, run, values, 1)] == ["a2"]


def test_runs_and_values_come_back_from_the_tables_that_a_stage_leaves(asked: Systems, tmp_path: Path) -> None:
    scores = score(QUESTIONS, asked.runs, asked.asked)
    for name, table in (("runs", runs_table([asked])), ("scores", scores)):
        table.write_parquet(tmp_path / name)
    run = read_run(tmp_path / "runs", "engine")
    assert run == {name: list(ranked) for name, ranked in asked.runs["engine"].items() if ranked}
    values = engine_values(read_scores(tmp_path / "scores"))
    assert values.keys() == {query.query_id for query in QUESTIONS.queries}
    mean = scores.filter(pl.col("system") == "engine")["nDCG@10"].mean()
    assert sum(each["nDCG@10"] for each in values.values()) / len(values) == pytest.approx(mean)
    shown = shown_queries(worst_queries(QUESTIONS, run, values, 3), QUESTIONS, run, values, POOL, media(tmp_path / "m"))
    assert [item.value for item in shown] == [values[item.query.query_id]["nDCG@10"] for item in shown]


def test_a_thumbnail_is_a_small_jpeg() -> None:
    data = base64.b64decode(thumbnail(picture(1)).removeprefix("data:image/jpeg;base64,"))
    assert Image.open(BytesIO(data)).format == "JPEG"
    big = Image.new("RGB", (1000, 500), (200, 0, 0))
    buffer = BytesIO()
    big.save(buffer, format="PNG")
    small = base64.b64decode(thumbnail(buffer.getvalue()).removeprefix("data:image/jpeg;base64,"))
    assert Image.open(BytesIO(small)).size == (THUMB, THUMB // 2)


def test_the_params_hash_follows_values_and_not_their_order() -> None:
    assert digest_of_sections([EvaluateParams()]) == digest_of_sections([EvaluateParams(seed=7)])
    assert digest_of_sections([EvaluateParams()]) != digest_of_sections([EvaluateParams(seed=8)])
