"""evaluation/comparison: which configurations there are, what each trains anew, and the table of their scores."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from catalog.errors import InvalidParams
from catalog.words.tokens import tokenize
from evaluation.audits.missing import LOSABLE, MissingScore
from evaluation.comparison.configurations import BASE, FILE, Row, read_configurations
from evaluation.comparison.files import FACTS, PER_QUERY
from evaluation.comparison.questions import comparison_questions
from evaluation.comparison.report import markdown
from evaluation.comparison.running import WORDS, ConfigurationFailed, Training, run, trainings
from evaluation.comparison.table import table_of
from evaluation.comparison.tasks import TASKS
from evaluation.comparison.word_vectors import words_of
from evaluation.params import CompareParams
from evaluation.scores import SCHEMA
from flows.parameters import check_params
from tests.evaluation.worlds import TERMS, shop

ROOT = Path(__file__).parents[3]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
POOL = shop()


def written(folder: Path, text: str) -> Path:
    path = folder / "configurations.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_built_in_configuration_has_params_that_are_accepted_before_anything_is_trained() -> None:
    configurations = read_configurations()
    assert FILE.is_file()
    for training in trainings(configurations.chosen([]), configurations.base, PARAMS, "snapshot"):
        check_params(training.document, Path(training.row.name))


def test_the_base_is_always_compared_and_names_choose_rows_or_families() -> None:
    configurations = read_configurations()
    family = configurations.rows[0].family
    chosen = configurations.chosen([family])
    assert chosen[0].name == BASE
    assert {row.family for row in chosen[1:]} == {family}
    assert len(configurations.chosen([])) == len(configurations.rows) + 1
    with pytest.raises(InvalidParams, match="no configuration or family 'nonsense'"):
        configurations.chosen(["nonsense"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rows: [{name: a, family: f}, {name: a, family: f}]", "two configurations called 'a'"),
        ("rows: [{name: base, family: f}]", "two configurations called 'base'"),
        ("rows: [{family: f}]", "rows.0.name"),
        ("rows: [{name: a, family: f, sets: {}}]", "rows.0.sets"),
        ("rows: [", "is not YAML"),
    ],
)
def test_a_wrong_file_is_told_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidParams, match=said):
        read_configurations(written(tmp_path, text))


def test_rows_that_train_alike_share_a_model_and_seeds_do_not(tmp_path: Path) -> None:
    rows = (
        Row(name=BASE, family=BASE),
        Row(name="weights", family="ranking", set={"tune.step": 0.1}),
        Row(name="mean", family="fusion", set={"model.fusion": "mean"}),
        Row(name="seeds", family="seeds", seeds=(7, 8)),
    )
    base, weights, mean, first, second = trainings(rows, {"train.epochs": 2}, PARAMS, "s", tmp_path)
    assert base.model == weights.model != mean.model
    assert base.measured != weights.measured
    assert first.measured == base.measured  # 7 is the seed of params.yaml: nothing is trained twice
    assert second.model not in (base.model, mean.model)
    assert trainings(rows, {"train.epochs": 2}, PARAMS, "other", tmp_path)[0].model != base.model
    assert PARAMS["train"]["epochs"] != 2  # the params that were given stay as they are


def test_a_row_can_be_taught_by_the_model_of_a_row_before_it_and_cut_vectors_are_measured_apart(tmp_path: Path) -> None:
    rows = (
        Row(name=BASE, family=BASE),
        Row(name="taught", family="queries", set={"train.teacher": BASE, "model.head": "linear"}),
        Row(name="elsewhere", family="queries", set={"train.teacher": "some/folder"}),
        Row(name="cut", family="width", set={"export.dim": 64}),
        Row(name="probes", family="width", set={"export.probes": 8}),
    )
    base, taught, elsewhere, cut, probes = trainings(rows, {}, PARAMS, "s", tmp_path)
    assert taught.document["train"]["teacher"] == str((base.model / "artifacts" / "model").absolute())
    assert elsewhere.document["train"]["teacher"] == "some/folder"
    assert cut.model == probes.model == base.model
    assert cut.measured != base.measured == probes.measured


def test_word_vectors_of_the_comparison_are_one_file_for_all_rows_that_read_it(tmp_path: Path) -> None:
    chosen = {"model.text_tower": "word_vectors", "model.text_backbone": WORDS}
    rows = (Row(name=BASE, family=BASE), Row(name="vectors", family="text tower", set=chosen))
    base, vectors = trainings(rows, {}, PARAMS, "s", tmp_path)
    assert vectors.document["model"]["text_backbone"] == str(tmp_path / WORDS)
    assert base.document["model"].get("text_backbone") is None


def test_the_words_of_a_snapshot_are_those_of_its_products_and_terms_and_of_the_thesaurus() -> None:
    words = words_of(POOL, TERMS)
    assert len(set(words)) == len(words)
    assert {"dress", *tokenize(POOL[0].title), *tokenize(TERMS[0].term)} <= set(words)


def test_a_configuration_that_stops_is_told_after_the_others_have_run(tmp_path: Path) -> None:
    rows = (Row(name=BASE, family=BASE, set={"train.loss": "hope"}),)
    said: list[str] = []
    with pytest.raises(ConfigurationFailed, match="1 of 1 configurations stopped"):
        list(run(trainings(rows, {}, PARAMS, "s", tmp_path), said.append, tmp_path))
    assert "train.loss" in said[-1]


def test_questions_come_from_held_out_products_and_look_through_the_whole_catalogue() -> None:
    askers = POOL[:24]
    found = comparison_questions(askers, POOL, TERMS, CompareParams(photo_queries=10, attribute_queries=10))
    assert set(found.held_out.pool) == {product.id for product in askers}
    assert set(found.everywhere.pool) == {product.id for product in POOL}
    assert {query.without for query in found.everywhere.of_kind("photo_to_alike")} <= {p.id for p in askers}
    assert set(found.everywhere.kinds()) >= {"attribute_en", "attribute_zh", "photo_and_words"}
    assert found.fingerprint == comparison_questions(askers, POOL, TERMS, CompareParams(photo_queries=10, attribute_queries=10)).fingerprint  # fmt: skip  # noqa: E501


def finished(folder: Path, name: str, seed: int | None, score: float) -> Training:
    """A row that scored about `score` on every task."""
    training = Training(Row(name=name, family="f"), seed, {}, folder / name / f"m{seed}", folder / name / f"r{seed}")
    training.measured.mkdir(parents=True)
    (training.model / "reports").mkdir(parents=True)
    (training.measured / FACTS).write_text('{"query_ms": {"encode": 1.0, "search": 2.0}}')
    (training.model / "reports" / "train.json").write_text('{"seconds": 60.0}')
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 40)
    rows = [
        {"evaluation_set": "e", "query_id": f"{kind}{n:02}", "kind": kind, "system": system, "slices": []}
        | {metric: score + noise[n]}
        for kind, system, metric in TASKS.values()
        for n in range(40)
    ]
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(training.measured / PER_QUERY)
    return training


def test_the_table_says_who_surely_differs_from_the_base_and_shows_the_spread_over_seeds(tmp_path: Path) -> None:
    measured = [
        finished(tmp_path, BASE, None, 0.5),
        finished(tmp_path, "better", None, 0.7),
        finished(tmp_path, "same", 7, 0.4),
        finished(tmp_path, "same", 8, 0.6),
    ]
    base, better, same = table_of(measured, BASE, CompareParams(rounds=2000))
    task = "en, hidden"
    assert (base.tasks[task].verdict, better.tasks[task].verdict, same.tasks[task].verdict) == (
        "base", "better", "no difference shown",
    )  # fmt: skip
    assert better.tasks[task].difference == pytest.approx(0.2)
    assert same.seeds[task].mean == pytest.approx(same.tasks[task].mean)
    assert same.seeds[task].deviation == pytest.approx(0.2 / 2**0.5)
    lines = markdown([base, better, same]).splitlines()
    assert len({line.count("|") for line in lines}) == 1  # every line has as many columns
    assert next(line for line in lines if line.startswith("| better")).endswith("| 3 | 60 |")


def test_a_second_table_says_what_a_lost_modality_costs(tmp_path: Path) -> None:
    training = finished(tmp_path, BASE, None, 0.5)
    facts = json.loads((training.measured / FACTS).read_text())
    scores = [
        MissingScore("title_to_product", lost, share, 10, 40, 0.9 - share, 0.8, share, 0.0)
        for lost in LOSABLE
        for share in (0.0, 0.25)
    ]
    (training.measured / FACTS).write_text(json.dumps({**facts, "missing": [asdict(score) for score in scores]}))
    lines = markdown(table_of([training], BASE, CompareParams(rounds=100))).splitlines()
    head, row = lines[-3], lines[-1]
    assert head.split(" | ")[1:] == [
        "title_to_product, recall@10",
        "title_to_product: image of 25%",
        "title_to_product: text of 25%",
        "title_to_product: either of 25% |",
    ]
    assert row == "| base | 0.900 | -0.250 | -0.250 | -0.250 |"
