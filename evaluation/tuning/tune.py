"""The tune stage: ranking settings for each query kind, chosen on the validation split.

    python -m evaluation.tuning.tune          (from the root of a workspace; `dvc repro tune`)

Reads data/, artifacts/encoder, artifacts/embeddings, and artifacts/composer and artifacts/late, which go into the
search logic as they are; writes artifacts/tuned and reports/tune.json.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog.digests import digest_of_sections
from catalog.params import load_section
from catalog.products import Judgement, Product, Term
from catalog.splits import SplitParams, split_products
from catalog.tables import snapshot_id
from catalog.workspace import LATE, TUNE_REPORT, TUNED
from evaluation.params import EvaluateParams, TuneParams
from evaluation.pool import hidden_collection, pool_collection
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.known_items import titles_to_photos
from evaluation.queries.questions import few_questions
from evaluation.queries.slices import head_categories
from evaluation.tuning.asked import METRIC
from evaluation.tuning.hub_strength import choose_strength, learn_hubs
from evaluation.tuning.late_shares import choose_shares
from evaluation.tuning.leg_weights import weigh_attributes, weigh_legs
from evaluation.tuning.shop import Shop, read_shop
from models.composer import Composer, load_composer
from models.embeddings import load_embeddings
from models.encoder import Encoder
from search.late import load_late
from search.logic import SearchLogic
from search.matching import Matching
from search.understanding.learning import learn_vocabulary


def main() -> None:
    """Choose the search logic of this workspace."""
    params, split = load_section("tune", TuneParams), load_section("split", SplitParams)
    matching = load_section("matching", Matching)
    shop = read_shop(Encoder.load(), load_embeddings())
    logic, told = search_logic(shop, split, params, matching, load_composer(), LATE)
    logic.save(TUNED)
    TUNE_REPORT.parent.mkdir(exist_ok=True)
    report = {
        "inputs": {
            "snapshot": snapshot_id(),
            "encoder": shop.encoder.fingerprint,
            "evaluation_set": told.pop("evaluation_set"),
            "params": digest_of_sections([params, split, matching]),
        },
        "metric": METRIC,
        **told,
    }
    TUNE_REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for kind, choice in report["query_kinds"].items():
        print(
            f"tune: {kind}: {choice['score']:.3f} {METRIC}, {choice['start_score']:.3f} with equal weights", flush=True
        )


def search_logic(
    shop: Shop, split: SplitParams, params: TuneParams, matching: Matching, composer: Composer, late_folder: Path
) -> tuple[SearchLogic, dict[str, Any]]:
    """The search logic without a ranker, and how it was chosen: what queries are read with, leg weights, hubs, late
    shares.

    The test split is not looked at. `late_folder` is one that the late stage wrote (models.late.build).
    """
    parts = split_products(shop.products, split)
    pool, encoder = parts["validation"], shop.encoder
    questions = validation_questions(pool, shop.products, shop.terms, shop.judgements, params)
    seen = [product for name, own in parts.items() if name != "test" for product in own]
    vocabulary = (
        learn_vocabulary(shop.products, shop.terms, shop.embeddings, encoder, seen) if params.understand else None
    )
    hidden = hidden_collection(pool, shop.embeddings, encoder, matching.metric)
    ranking, choices = weigh_legs(questions, hidden, encoder, shop.photos, params, matching, composer, vocabulary)
    if vocabulary is not None:
        collection = pool_collection(pool, shop.terms, shop.embeddings, matching.metric)
        served = SearchLogic(ranking, composer, vocabulary).engine(encoder, collection)
        ranking, choices = weigh_attributes(questions, served, shop.photos, params, choices)
    hubs, hub_report = learn_hubs(parts["train"], encoder, params.seed, params.hub_queries), dict[str, Any]()
    if hubs is not None:
        first_stage = SearchLogic(ranking, composer, vocabulary).engine(encoder, hidden)
        strength, hub_report = choose_strength(first_stage, hubs, questions, shop.photos, params.seed)
        ranking = ranking.model_copy(update={"hubness": strength})
    late, late_report = load_late(late_folder, encoder), dict[str, Any]()
    if late is not None:
        first_stage = SearchLogic(ranking, composer, vocabulary, hubs=hubs).engine(encoder, hidden)
        shares, late_report = choose_shares(first_stage, late, questions, shop.photos, params.margin)
        ranking = ranking.model_copy(update={"late": shares})
    told = {
        "evaluation_set": questions.fingerprint,
        "pool": len(pool),
        "query_kinds": choices,
        "hubs": hub_report,
        "late": late_report,
    }
    return SearchLogic(ranking, composer, vocabulary, late=None if late is None else late_folder, hubs=hubs), told


def validation_questions(
    pool: Sequence[Product],
    catalogue: Sequence[Product],
    terms: Sequence[Term],
    judgements: Sequence[Judgement],
    params: TuneParams,
) -> EvaluationSet:
    """The questions that the settings are chosen on: at most `params.queries` of each kind, but every title that looks
    for its photo: they are cheap, and what orders photos is told by little differences.
    """
    few = few_questions(pool, catalogue, terms, judgements, seed=params.seed, most=params.queries)
    head = head_categories(catalogue, EvaluateParams().head_share)
    return few.joined(titles_to_photos(pool, head, seed=params.seed, most=len(pool)))


if __name__ == "__main__":
    main()
