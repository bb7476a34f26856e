"""The search logic of one configuration, made by what the stages call, with the params.yaml of its own folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.params import load_section
from catalog.splits import SplitParams, split_products
from evaluation.params import TuneParams
from evaluation.rankers.params import RankParams
from evaluation.rankers.rank import rank
from evaluation.tuning.shop import Shop
from evaluation.tuning.tune import search_logic
from models.compose import compose
from models.late.folder import write_disabled
from models.late.making import Trained, make
from models.late.params import LateParams
from models.training.compose_params import ComposeParams
from models.training.params import TrainParams
from search.logic import SearchLogic
from search.matching import Matching

LATE = Path("late")


def release_logic(shop: Shop, trained: Trained, split: SplitParams) -> tuple[SearchLogic, Mapping[str, Any]]:
    """Composer, late interaction, leg weights and ranker as the stages make them, and what there is to say of them."""
    compose_params, late, rank_params = (
        load_section("compose", ComposeParams),
        load_section("late", LateParams),
        load_section("rank", RankParams),
    )
    composer, composed = compose(shop.products, shop.terms, shop.embeddings, shop.encoder, split, compose_params)
    notes: dict[str, Any] = {"compose": composed}
    if late.enabled:
        made = make(trained, late, split, load_section("train", TrainParams), LATE)
        notes["late"] = {key: made[key] for key in ("bytes_a_product", "vocabulary")}
    else:
        write_disabled(LATE)
    tune = load_section("tune", TuneParams)
    logic, _ = search_logic(shop, split, tune, load_section("matching", Matching), composer, LATE)
    notes["weights"] = logic.ranking.weights
    if late.enabled:
        notes["late"]["shares"] = logic.ranking.late
    if rank_params.ranker != "none":
        parts = split_products(shop.products, split)
        reranker, told = rank(shop, parts["ranking"], parts["validation"], logic, rank_params.ranker, rank_params)
        logic, notes["ranker"] = replace(logic, reranker=reranker), told["query_kinds"]
    return logic, notes
