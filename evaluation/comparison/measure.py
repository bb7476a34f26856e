"""Ask one trained model every question of the comparison, with the params of one configuration.

    python -m evaluation.comparison.measure MODEL_FOLDER      (in the configuration's own folder)

Writes per_query.parquet and facts.json into the folder. A process of its own, so that memory and threads are its own.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import torch

from catalog.errors import EtalageError
from catalog.media import MediaStore
from catalog.params import load_section
from catalog.products import Product
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products, snapshot_id
from catalog.workspace import CHECKPOINT
from evaluation.audits.missing import missing_modalities
from evaluation.comparison.files import FACTS, PER_QUERY
from evaluation.comparison.questions import Questions, comparison_questions
from evaluation.comparison.release_logic import release_logic
from evaluation.comparison.tasks import TASKS
from evaluation.metrics import per_query
from evaluation.params import CompareParams
from evaluation.pool import PoolEngines, hidden_embeddings, pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import KINDS
from evaluation.runs import Photos, ask
from evaluation.scores import score_rows
from evaluation.tuning.shop import read_shop
from models.dual_encoder import DualEncoder
from models.embed import embed_products
from models.late.making import Trained
from models.params import EmbedParams, ExportParams, served_width
from models.training.features import FeatureStore, untrained
from models.training.pictures import CachedPictures, fill_pooled, trained_trunk_folder
from models.training.remembered import RememberedEncoder
from models.training.settings import TrainSettings
from models.training.texts import open_texts, texts_folder
from search.engine import Query, SearchEngine

TIMED = 60  # queries of words that are timed


def main(folder: Path) -> None:
    """Measure the model in `folder`."""
    params, split = load_section("compare", CompareParams), load_section("split", SplitParams)
    features, media = TrainSettings().features or CHECKPOINT, MediaStore()
    products, model = read_products(), DualEncoder.load(folder)
    encoder = remembered(model, features, products)
    embeddings = embed_products(products, media, encoder, snapshot_id(), load_section("embed", EmbedParams))
    shop = read_shop(encoder, embeddings)
    parts, terms, photos = split_products(products, split), shop.terms, shop.photos
    questions = comparison_questions(parts["test"], products, terms, params)
    logic, notes = release_logic(shop, Trained(model, encoder, embeddings, features), split)
    engines = {
        "held_out": pool_engines(parts["test"], terms, embeddings, encoder, logic),
        "everywhere": pool_engines(products, terms, embeddings, encoder, logic),
    }
    tables = [
        *ask_all(questions.held_out, engines["held_out"], photos),
        *ask_all(questions.everywhere, engines["everywhere"], photos),
    ]
    pl.concat(tables).write_parquet(PER_QUERY)
    pools = {"title_to_product": (questions.held_out, parts["test"]), "attribute_en": (questions.everywhere, products)}
    missing = [
        score
        for kind, (asked_set, pool) in pools.items()
        for score in missing_modalities(encoder, hidden_embeddings(pool, embeddings, encoder), asked_set, kind)
    ]
    facts = {
        "logic": notes,
        "missing": [asdict(score) for score in missing],
        "questions": questions.fingerprint,
        "dim": encoder.dim,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "query_ms": query_ms(model, engines["everywhere"].served, questions),
    }
    FACTS.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def remembered(model: DualEncoder, shared: Path, products: Sequence[Product]) -> RememberedEncoder:
    """The model as an encoder. Pictures whose trunk features are in `shared` do not go through the trunk again."""
    texts = open_texts(model, texts_folder(model, shared))
    trunk = trained_trunk_folder(model, shared)
    pooled = FeatureStore.open(shared / f"pooled-{untrained(model.image, trunk.name)}", "float32")
    if trunk.is_dir():
        store = FeatureStore.open(trunk)
        keys = [media for product in products for media in product.images]
        there = [key for key in keys if not store.missing([key])]
        for _ in fill_pooled(model, pooled, CachedPictures(store), there):
            pass
    return RememberedEncoder(model, texts, pooled, served_width(model.params, load_section("export", ExportParams).dim))


def ask_all(questions: EvaluationSet, engines: PoolEngines, photos: Photos) -> list[pl.DataFrame]:
    """Every kind in those of its ways that the table has."""
    tables = []
    for kind in questions.kinds():
        queries = questions.of_kind(kind)
        told = {system for task, system, _ in TASKS.values() if task == kind}
        for system, way in ((name, KINDS[kind].systems[name]) for name in sorted(told)):
            answers = ask(engines.hidden if way.hidden else engines.served, queries, photos, way.legs)
            values = per_query(answers.run, questions.grades(queries))
            tables.append(score_rows(questions.fingerprint, system, queries, values))
    return tables


def query_ms(model: DualEncoder, engine: SearchEngine, questions: Questions) -> Mapping[str, float]:
    """p50 milliseconds of a query of words, on one core: the text through the whole tower in torch, then the search."""
    torch.set_num_threads(1)
    texts = [query.text or "" for query in questions.everywhere.of_kind("attribute_en")][:TIMED]
    encode, search = [], []
    with torch.inference_mode():
        for text in texts:
            encode.append(_timed(lambda text=text: model.encode_text([text])))  # type: ignore[misc]
            took = engine.search(Query(text=text)).took_ms
            search.append(took["total"] - took["encode"])
    return {"encode": float(np.median(encode)), "search": float(np.median(search))} if texts else {}


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except EtalageError as error:
        sys.exit(f"measure: {error}")
