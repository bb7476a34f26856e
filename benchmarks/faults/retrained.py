"""One equal retrain, in the workspace it is run in: python -m benchmarks.faults.retrained SEED RESULT.

Trained, exported, embedded and tuned as the stages do it, and asked all questions of the evaluation set. What a seed
does not change (baselines without an encoder, leaks, parity, growth of memory, the collection against exact search) is
taken from the champion's evidence, and the encoder as it was before training is not exported again.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl

import evaluation.rankers.rank
import evaluation.tuning.tune
import models.compose
import models.embed
import models.late.build
import models.train
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.tables import read_products, read_terms, snapshot_id
from catalog.workspace import ENCODER, EVALUATION, GATE_REPORT, MODEL
from evaluation.answers import ask_engine
from evaluation.gates.compare import compare
from evaluation.gates.decide import decide
from evaluation.gates.evidence import Evidence
from evaluation.gates.rules import GateRules
from evaluation.measure import margins, measurements, score
from evaluation.params import EvaluateParams
from evaluation.pool import pool_engines
from evaluation.queries.judgements import read_evaluation_set
from evaluation.queries.kinds import BASELINES, ENGINE, FROZEN
from evaluation.runs import latency, photos_of
from evaluation.scores import PER_QUERY_FILE, read_scores
from flows.environment import home_folder
from flows.parameters import change_params
from flows.releases import ReleaseStore
from models.dual_encoder import DualEncoder
from models.embeddings import load_embeddings
from models.encoder import Encoder
from models.export import write_encoder, write_probes
from models.params import ExportParams
from models.probes import probe_images, probe_texts
from search.logic import SearchLogic

STAGES = (models.embed, models.compose, models.late.build, evaluation.tuning.tune, evaluation.rankers.rank)
ASKED = (ENGINE, "dense")  # the systems that gates read


def main() -> None:
    """Train, measure, compare, decide, and write RESULT and its scores beside it."""
    seed, result = sys.argv[1], Path(sys.argv[2])
    change_params([f"train.seed={seed}"])
    if code := models.train.main():
        sys.exit(code)
    export_trained()
    for stage in STAGES:
        stage.main()
    store, rules = ReleaseStore(home_folder()), load_section("gates", GateRules)
    champion = store.champion_manifest().release
    kept = store.folder(champion) / "reports" / EVALUATION.name / PER_QUERY_FILE
    scores, evidence = measured(read_scores(kept), rules)
    scores.write_parquet(result.with_suffix(".parquet"))
    told = {
        "seed": int(seed),
        "decision": decide(evidence, rules).model_dump(mode="json"),
        "evidence": evidence.model_dump(mode="json"),
    }
    unfinished = result.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(told), encoding="utf-8")
    unfinished.replace(result)


def export_trained() -> None:
    """The export stage without its baseline."""
    params, products = load_section("export", ExportParams), read_products()
    shutil.rmtree(ENCODER)
    write_encoder(DualEncoder.load(MODEL), ENCODER, params.dim)
    texts = probe_texts(products, read_terms(), params.probes)
    write_probes(ENCODER, texts, probe_images(products, MediaStore(), params.probes))


def measured(champion: pl.DataFrame, rules: GateRules) -> tuple[pl.DataFrame, Evidence]:
    """per_query of the retrained, and its evidence beside `champion`, the per_query of the champion."""
    questions, params = read_evaluation_set(EVALUATION), load_section("evaluate", EvaluateParams)
    wanted = set(questions.pool)
    pool = [product for product in read_products() if product.id in wanted]
    engines = pool_engines(pool, read_terms(), load_embeddings(), Encoder.load(), SearchLogic.load())
    parts = [champion.filter(pl.col("system").is_in([name for name in BASELINES if name != FROZEN]))]
    took: dict[str, Mapping[str, float]] = {}
    for system in ASKED:
        asked = ask_engine(engines, questions, photos_of(MediaStore()), only=system)
        parts.append(score(questions, asked.runs, asked.asked))
        took |= asked.took_ms
    scores = pl.concat(parts)
    own = Evidence.model_validate(json.loads(GATE_REPORT.read_text(encoding="utf-8"))["evidence"])  # the champion's
    slowest = max(row.p95 for row in latency(questions.queries, took) if row.phase == "total")
    release = ReleaseStore(home_folder()).champion_manifest()
    assert release.snapshot == snapshot_id(), "equal retrains are of the champion's own snapshot"
    return scores, own.model_copy(
        update={
            "measurements": measurements(scores, seed=params.seed, rounds=params.bootstrap_rounds),
            "margins": margins(scores, seed=params.seed, rounds=params.bootstrap_rounds),
            "latency_p95_ms": slowest,
            "champion": release.release,
            "comparison": compare(champion, scores, rules.champion),
        }
    )


if __name__ == "__main__":
    main()
