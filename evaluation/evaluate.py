"""The evaluate stage: how well does the engine find held-out products, and how much of that is not luck?

    python -m evaluation.evaluate          (from the root of a workspace; `dvc repro evaluate`)

Reads data/, artifacts/encoder, artifacts/embeddings, artifacts/ranking and reports/parity.json. Writes
artifacts/evaluation (queries, judgements, runs, per_query and leaks as parquet), reports/evaluate.json and
reports/report.html.
"""

from collections.abc import Sequence

import polars as pl

from catalog.digests import digest_of_sections
from catalog.errors import InvalidSnapshot
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.splits import SplitParams, split_products
from catalog.tables import read_judgements, read_products, read_terms, snapshot_id
from catalog.workspace import CURVES, ENCODER, EVALUATE_PAGE, EVALUATE_REPORT, EVALUATION, RANKING
from evaluation.answers import RUNS_FILE, Systems, ask_baselines, ask_engine, runs_table
from evaluation.audits.leakage import leakage
from evaluation.audits.leaks import LEAKS_FILE, find_leaks, hash_pictures
from evaluation.audits.memory import growth
from evaluation.audits.robustness import phrased_needs, robustness
from evaluation.measure import margins, measurements, score, slice_scores
from evaluation.pages.report import render
from evaluation.pages.worst import shown_leaks, shown_queries, worst_queries
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines, without_attributes
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.queries.questions import evaluation_set, unasked
from evaluation.results import (
    EvaluationReport,
    Inputs,
    Leakage,
    Measured,
    Memory,
    ParityReport,
    Robustness,
    folder_hash,
    read_parity,
)
from evaluation.runs import latency, photos_of
from evaluation.scores import PER_QUERY_FILE, engine_values
from models.embed import embed_products
from models.embeddings import load_embeddings
from models.encoder import Encoder
from models.encoder_folder import BASELINE
from models.params import EmbedParams
from search.logic import SearchLogic


def main() -> None:
    """Evaluate the encoder and ranking of this workspace."""
    params, split = load_section("evaluate", EvaluateParams), load_section("split", SplitParams)
    embed = load_section("embed", EmbedParams)
    products, terms, media = read_products(), read_terms(), MediaStore()
    splits = split_products(products, split)
    pool = splits["test"]
    questions = evaluation_set(pool, products, terms, read_judgements(), params)
    if not questions.queries:
        raise InvalidSnapshot(
            f"The test split holds {len(pool)} products that nothing can be asked about: "
            "ingest more products, or raise split.test in params.yaml."
        )
    photos, snapshot = photos_of(media), snapshot_id()
    encoder, embeddings = Encoder.load(), load_embeddings()
    engines = pool_engines(pool, terms, embeddings, encoder, SearchLogic.load())
    _say(f"{len(questions.queries)} queries over {len(pool)} held-out products")
    asked = ask_engine(engines, questions, photos)
    needs = phrased_needs(pool, products, terms, seed=params.seed, count=params.paraphrased_needs)
    seed, rounds = params.seed, params.bootstrap_rounds
    steady = robustness(engines, needs, questions.pool, seed=seed, rounds=rounds) if needs else None
    frozen = Encoder.load(ENCODER / BASELINE) if (ENCODER / BASELINE).is_dir() else None
    bare = [without_attributes(product) for product in pool]
    vectors = embed_products(bare, media, frozen, snapshot, embed) if frozen is not None else None
    grown = growth(engines.served, questions.queries, photos)
    _say("baselines")
    pair = (frozen, vectors) if frozen is not None and vectors is not None else None
    baselines = ask_baselines(questions, pool, photos, pair, params.seed)

    scores = score(questions, {**asked.runs, **baselines.runs}, {**asked.asked, **baselines.asked})
    inputs = Inputs(
        snapshot=snapshot,
        encoder=encoder.fingerprint,
        baseline_encoder=frozen.fingerprint if frozen is not None else None,
        ranking=folder_hash(RANKING),
        params=digest_of_sections([params, split, embed]),
        evaluation_set=questions.fingerprint,
    )
    _say("leaks across splits")
    leaks = find_leaks(splits, hash_pictures(products, media), embeddings, params.leak_rate)
    told = leakage(leaks, questions, pool, scores, seed=seed, rounds=rounds)
    report = summarise(
        inputs, questions, scores, [asked, baselines], len(products), params, steady, told, read_parity(), grown
    )
    run, values = asked.runs[ENGINE], engine_values(scores)
    worst = shown_queries(worst_queries(questions, run, values, params.worst), questions, run, values, products, media)
    EVALUATION.mkdir(parents=True, exist_ok=True)
    questions.write(EVALUATION)
    scores.write_parquet(EVALUATION / PER_QUERY_FILE)
    runs_table([asked, baselines]).write_parquet(EVALUATION / RUNS_FILE)
    leaks.table().write_parquet(EVALUATION / LEAKS_FILE)
    EVALUATE_REPORT.parent.mkdir(exist_ok=True)
    pairs = shown_leaks(told.examples, products, media)
    EVALUATE_PAGE.write_text(render(report, worst, CURVES, pairs), encoding="utf-8")
    EVALUATE_REPORT.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for row in report.measurements:
        if row.system == ENGINE and row.metric == KINDS[row.kind].primary:
            _say(f"{row.kind}: {row.metric} {row.mean:.3f} ({row.low:.3f} to {row.high:.3f}), n = {row.n}")


def summarise(
    inputs: Inputs,
    questions: EvaluationSet,
    scores: pl.DataFrame,
    systems: Sequence[Systems],
    catalogue: int,
    params: EvaluateParams,
    steady: Robustness | None = None,
    leaked: Leakage | None = None,
    parity: ParityReport | None = None,
    memory: Memory | None = None,
) -> EvaluationReport:
    """The report over one per_query table; `systems[0]` is the engine, whose latency is told."""
    seed, rounds = params.seed, params.bootstrap_rounds
    measured = measurements(scores, seed=seed, rounds=rounds)
    return EvaluationReport(
        inputs=inputs,
        catalogue=catalogue,
        pool=len(questions.pool),
        metrics=_nested(measured),
        measurements=measured,
        margins=margins(scores, seed=seed, rounds=rounds),
        slices=slice_scores(scores, ENGINE, minimum=params.slice_minimum, seed=seed, rounds=rounds),
        latency=latency(questions.queries, systems[0].took_ms),
        not_comparable=tuple(row for each in systems for row in each.not_comparable),
        unasked=unasked(questions),
        robustness=steady,
        leakage=leaked,
        memory=memory,
        parity=parity,
    )


def _nested(measured: Sequence[Measured]) -> dict[str, dict[str, dict[str, float]]]:
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for row in measured:
        nested.setdefault(row.kind, {}).setdefault(row.system, {})[row.metric] = round(row.mean, 6)
    return nested


def _say(line: str) -> None:
    print(f"evaluate: {line}", flush=True)


if __name__ == "__main__":
    main()
