"""The rank stage: a ranker for the top of the fused candidates, and whether it is used.

    python -m evaluation.rankers.rank          (from the root of a workspace; `dvc repro rank`)

Reads data/, artifacts/encoder, artifacts/embeddings and artifacts/tuned; writes artifacts/ranking, which is
artifacts/tuned and the ranker where one was adopted, and reports/rank.json.

The ranker learns from questions about the ranking split, whose products the encoder has not seen, asked of an index of
that split alone: products that the encoder trained on would look better than new ones do, and would hold answers that
nobody graded. It is judged on the validation split, and the test split is left to the evaluate stage. Both splits are
asked with attributes and without (evaluation.rankers.examples), so that it works on either.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from catalog.digests import digest_of_sections
from catalog.errors import InvalidParams
from catalog.params import load_section
from catalog.products import Product
from catalog.splits import SplitParams, split_products
from catalog.tables import snapshot_id
from catalog.workspace import RANK_REPORT, RANKING, TUNED
from evaluation.pool import pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.questions import few_questions
from evaluation.rankers.adoption import verdicts
from evaluation.rankers.examples import Examples, Look, examples, looks
from evaluation.rankers.information import information, telling
from evaluation.rankers.network import train_network
from evaluation.rankers.params import RankParams, check_ranker
from evaluation.rankers.trees import train_lambdamart
from evaluation.tuning.shop import Shop, read_shop
from models.embeddings import load_embeddings
from models.encoder import Encoder
from search.logic import SearchLogic
from search.ranking.features import FEATURES
from search.ranking.ranker import Ranker, RankerName
from search.ranking.rerank import Reranker

Trainer = Callable[[Examples, tuple[str, ...], RankParams], Ranker]


def main() -> None:
    """Train and judge the ranker of this workspace."""
    params, split = load_section("rank", RankParams), load_section("split", SplitParams)
    check_ranker(params, split)
    logic, encoder = SearchLogic.load(TUNED), Encoder.load()
    report: dict[str, Any] = {"ranker": params.ranker}
    if params.ranker != "none":
        shop = read_shop(encoder, load_embeddings())
        splits = split_products(shop.products, split)
        reranker, told = rank(shop, splits["ranking"], splits["validation"], logic, params.ranker, params)
        logic = replace(logic, reranker=reranker)
        report |= told
    logic.save(RANKING)
    inputs = {
        "snapshot": snapshot_id(),
        "encoder": encoder.fingerprint,
        "params": digest_of_sections([params, split]),
    }
    RANK_REPORT.parent.mkdir(exist_ok=True)
    RANK_REPORT.write_text(json.dumps({"inputs": inputs, **report}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for kind, verdict in report.get("query_kinds", {}).items():
        print(f"rank: {kind}: {'adopted' if verdict['adopted'] else 'not used'}: {verdict['reason']}", flush=True)


def rank(
    shop: Shop,
    ranking: Sequence[Product],
    validation: Sequence[Product],
    logic: SearchLogic,
    name: RankerName,
    params: RankParams,
) -> tuple[Reranker | None, dict[str, Any]]:
    """The reranker, None where it is adopted for no kind of query; and what the report tells.

    Raises InvalidParams when there is nothing to train on or to judge by.
    """
    learned, questions = _asked(shop, ranking, logic, params)
    judged, others = _asked(shop, validation, logic, params)
    taught = examples(learned, questions)
    if not len(taught.sizes) or not judged:
        short = "split.ranking" if not len(taught.sizes) else "split.validation"
        raise InvalidParams(f"rank.ranker is {name}, and {short} leaves no product to ask about: raise it.")
    nats = information(taught, FEATURES)
    features = telling(nats, most=params.features, least=params.information)
    if not features:
        raise InvalidParams(f"No feature tells {params.information:g} nats about the grades: lower rank.information.")
    columns = [FEATURES.index(feature) for feature in features]
    kept = Examples(taught.features[:, columns], taught.grades, taught.sizes, taught.weights)
    ranker = TRAINERS[name](kept, features, params)
    candidate = Reranker(name, ranker, (), shop.facts)
    found = verdicts(judged, others, candidate, margin=params.margin, seed=params.seed, rounds=params.bootstrap_rounds)
    adopted = tuple(kind for kind, verdict in found.items() if verdict.adopted)
    told = {
        "questions": {"trained": len(taught.sizes), "judged": len(judged)},
        "candidates": len(taught.grades),
        "information": {feature: round(value, 6) for feature, value in nats.items()},
        "features": list(features),
        "importance": _importance(ranker, judged, columns),
        "query_kinds": {kind: asdict(verdict) for kind, verdict in found.items()},
    }
    return Reranker(name, ranker, adopted, shop.facts) if adopted else None, told


def _asked(
    shop: Shop, pool: Sequence[Product], logic: SearchLogic, params: RankParams
) -> tuple[list[Look], EvaluationSet]:
    questions = few_questions(pool, shop.products, shop.terms, shop.judgements, seed=params.seed, most=params.queries)
    engines = pool_engines(pool, shop.terms, shop.embeddings, shop.encoder, logic)
    return looks(engines, questions, shop.photos, shop.facts), questions


def _importance(ranker: Ranker, found: Sequence[Look], columns: Sequence[int]) -> dict[str, float]:
    """Feature -> mean size of what it adds to a candidate's score, over the questions that the ranker is judged by."""
    rows = np.concatenate([look.features[:, columns] for look in found])
    means = np.abs(ranker.contributions(rows)[:, :-1]).mean(axis=0)
    return {name: round(float(value), 6) for name, value in zip(ranker.features, means, strict=True)}


TRAINERS: Mapping[RankerName, Trainer] = {"lambdamart": train_lambdamart, "neural": train_network}


if __name__ == "__main__":
    main()
