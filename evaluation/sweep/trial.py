"""Measure one trial: how good on the validation split, and how fast, through the exported encoder and the engine.

    python -m evaluation.sweep.trial          (in the trial's workspace, after the tune stage; on one thread)

Reads data/, artifacts/encoder, artifacts/embeddings and artifacts/tuned; writes reports/trial.json. Products of the
test split are left out before anything is asked, so no choice of params can lean on them.
"""

import sys
from collections.abc import Sequence

import numpy as np

from catalog.errors import EtalageError
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Judgement, Product, Term
from catalog.splits import SplitParams, split_products
from catalog.tables import read_judgements, read_products, read_terms
from catalog.workspace import TRIAL_REPORT, TUNED
from evaluation.answers import ask_engine
from evaluation.metrics import mean, per_query
from evaluation.params import EvaluateParams
from evaluation.pool import pool_collection, pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE, FOR_JUDGING, KINDS
from evaluation.queries.questions import evaluation_set
from evaluation.runs import Photos, photos_of
from evaluation.sweep.results import TrialReport
from evaluation.sweep.space import SweepParams
from models.embeddings import ProductEmbeddings, load_embeddings
from models.encoder import Encoder, EncoderLike
from search.engine import Query, SearchEngine
from search.logic import SearchLogic

TEXTS = ("attribute_en", "attribute_zh", "title_to_product", "shop")
WARM_UP = 10  # queries before the clock counts


def main() -> None:
    """Measure the trial of this workspace."""
    params, split = load_section("sweep", SweepParams), load_section("split", SplitParams)
    splits = split_products(read_products(), split)
    report = measure(
        splits["validation"],
        [*splits["train"], *splits["ranking"]],
        read_terms(),
        read_judgements(),
        load_embeddings(),
        Encoder.load(threads=1),
        SearchLogic.load(TUNED),
        photos_of(MediaStore()),
        params,
    )
    TRIAL_REPORT.parent.mkdir(exist_ok=True)
    TRIAL_REPORT.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")


def measure(
    validation: Sequence[Product],
    others: Sequence[Product],
    terms: Sequence[Term],
    judgements: Sequence[Judgement],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    logic: SearchLogic,
    photos: Photos,
    params: SweepParams,
) -> TrialReport:
    """Quality: the mean over kinds of the engine's primary metric among the products of `validation`.

    Latency: p50 of queries of words in milliseconds, over the products of `validation` and `others` together.
    Raises InvalidSnapshot when nothing can be asked about `validation`.
    """
    known = [*others, *validation]
    questions = _without(evaluation_set(validation, known, terms, judgements, _counts(params)))
    asked = ask_engine(pool_engines(validation, terms, embeddings, encoder, logic), questions, photos, only=ENGINE)
    values = per_query(asked.runs.get(ENGINE, {}), questions.grades(questions.queries))
    by_kind = {
        kind: mean(values, [query.query_id for query in questions.of_kind(kind)])[KINDS[kind].primary]
        for kind in questions.kinds()
    }
    texts = [query.text for kind in TEXTS for query in questions.of_kind(kind) if query.text]
    if not by_kind or not texts:
        raise NothingToAsk("Nothing can be asked about the validation split: raise split.validation in params.yaml.")
    collection = pool_collection(known, terms, embeddings, logic.ranking.matching.metric)
    took = timed(logic.engine(encoder, collection), texts, params.timed)
    return TrialReport(
        quality=float(np.mean(list(by_kind.values()))),
        by_kind=by_kind,
        queries=len(questions.queries),
        latency_p50_ms=float(np.percentile(took, 50)),
        latency_p95_ms=float(np.percentile(took, 95)),
        timed=len(took),
        searched=len(known),
        encoder=encoder.fingerprint,
        questions=questions.fingerprint,
    )


def timed(engine: SearchEngine, texts: Sequence[str], count: int) -> list[float]:
    """Milliseconds of `count` queries, `texts` in turns, after a few that nobody counts."""
    in_turns = [texts[number % len(texts)] for number in range(WARM_UP + count)]
    return [engine.search(Query(text=text)).took_ms["total"] for text in in_turns][WARM_UP:]


def _counts(params: SweepParams) -> EvaluateParams:
    asked = params.queries
    return EvaluateParams(seed=params.seed, known_items=asked, photo_queries=asked, attribute_queries=asked)


def _without(questions: EvaluationSet) -> EvaluationSet:
    queries = tuple(query for query in questions.queries if query.kind not in FOR_JUDGING)
    return EvaluationSet(queries, questions.grades(queries), questions.pool)


class NothingToAsk(EtalageError):
    """The validation split is too small to choose params by."""


if __name__ == "__main__":
    try:
        main()
    except EtalageError as error:
        sys.exit(f"trial: {error}")
