"""The tune stage: ranking weights for each query kind, chosen on the validation split.

    python -m evaluation.tune          (from the root of a workspace; `dvc repro tune`)

Reads data/, artifacts/encoder and artifacts/embeddings; writes artifacts/ranking.json and reports/tune.json.
Attributes are hidden from the lexical leg (see evaluation.pool): what the weights are for is queries whose answer the
words of a title do not give away. Every setting is scored by the engine itself, with encoding and retrieval remembered.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from search.engine import SearchEngine
from search.query import LEGS_OF_KIND
from search.ranking import QueryKind, Ranking

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Judgement, Product, Term
from catalog.splits import SplitParams, split_products
from catalog.tables import read_judgements, read_products, read_terms, snapshot_id
from catalog.workspace import RANKING, TUNE_REPORT
from evaluation.judgements import EvaluationQuery, EvaluationSet
from evaluation.metrics import mean, per_query
from evaluation.params import EvaluateParams, TuneParams
from evaluation.pool import pool_collection
from evaluation.questions import evaluation_set
from evaluation.remembering import RememberingCollection, RememberingEncoder, remembered
from evaluation.results import params_hash
from evaluation.runs import Photos, ask, photos_of
from evaluation.weights import Weights, choose_weights
from models.embeddings import ProductEmbeddings, load_embeddings
from models.encoder import Encoder, EncoderLike
from search.collection import Collection

# Which questions stand for each query kind of the ranking; each of them weighs the same.
ASKED: Mapping[QueryKind, tuple[str, ...]] = {
    "text": ("title_to_product", "attribute_en", "attribute_zh", "shop"),
    "image": ("photo_to_product",),
    "text+image": ("photo_and_words",),
}
METRIC = "nDCG@10"


def main() -> None:
    """Choose the weights of this workspace."""
    params, split = load_section("tune", TuneParams), load_section("split", SplitParams)
    products, terms = read_products(), read_terms()
    encoder, embeddings = Encoder.load(), load_embeddings()
    pool = split_products(products, split)["validation"]
    questions = validation_questions(pool, products, terms, read_judgements(), params)
    ranking, choices = tune(questions, pool, embeddings, encoder, photos_of(MediaStore()), params)
    ranking.save(RANKING)
    TUNE_REPORT.parent.mkdir(exist_ok=True)
    report = {
        "inputs": {
            "snapshot": snapshot_id(),
            "encoder": encoder.fingerprint,
            "evaluation_set": questions.fingerprint,
            "params": params_hash([params, split]),
        },
        "pool": len(pool),
        "metric": METRIC,
        "query_kinds": choices,
    }
    TUNE_REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for kind, choice in choices.items():
        print(f"tune: {kind}: {choice['score']:.3f} {METRIC}, balanced {choice['balanced_score']:.3f}", flush=True)


def validation_questions(
    pool: Sequence[Product],
    catalogue: Sequence[Product],
    terms: Sequence[Term],
    judgements: Sequence[Judgement],
    params: TuneParams,
) -> EvaluationSet:
    """The questions that the weights are chosen on: at most `params.queries` of each kind."""
    counts = EvaluateParams(
        seed=params.seed,
        known_items=params.queries,
        photo_queries=params.queries,
        attribute_queries=params.queries,
    )
    return evaluation_set(pool, catalogue, terms, judgements, counts)


def tune(
    questions: EvaluationSet,
    pool: Sequence[Product],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    photos: Photos,
    params: TuneParams,
) -> tuple[Ranking, dict[str, dict[str, Any]]]:
    """The ranking, and for each query kind how it was chosen. A kind without questions stays balanced."""
    collection = RememberingCollection(pool_collection(pool, [], embeddings, hide_attributes=True))
    memory = RememberingEncoder(encoder)
    weights: dict[QueryKind, dict[str, float]] = {
        kind: dict.fromkeys(legs, 1.0 / len(legs)) for kind, legs in LEGS_OF_KIND.items()
    }
    choices: dict[str, dict[str, Any]] = {}
    for kind, legs in LEGS_OF_KIND.items():
        queries = [query for name in ASKED[kind] for query in questions.of_kind(name)]
        if queries:
            score = _scorer(kind, memory, collection, questions, queries, remembered(queries, photos))
            choice = choose_weights(score, legs, floor=params.floor, step=params.step, margin=params.margin)
            weights[kind] = choice.weights
            choices[kind] = {**asdict(choice), "queries": len(queries)}
    return Ranking(weights=weights), choices


def _scorer(
    kind: QueryKind,
    encoder: EncoderLike,
    collection: Collection,
    questions: EvaluationSet,
    queries: Sequence[EvaluationQuery],
    photos: Photos,
) -> Callable[[Weights], float]:
    """Weights of `kind` -> mean METRIC over the kinds of `queries`, all kinds weighing the same."""
    by_kind: dict[str, list[str]] = {}
    for query in queries:
        by_kind.setdefault(query.kind, []).append(query.query_id)
    grades = questions.grades(queries)

    def score(weights: Weights) -> float:
        ranking = Ranking()
        ranking = ranking.model_copy(update={"weights": {**ranking.weights, kind: dict(weights)}})
        values = per_query(ask(SearchEngine(encoder, collection, ranking), queries, photos, legs=None).run, grades)
        return sum(mean(values, ids)[METRIC] for ids in by_kind.values()) / len(by_kind)

    return score


if __name__ == "__main__":
    main()
