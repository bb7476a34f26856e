"""The compose stage: how a photo and words become one query vector.

    python -m models.compose       (from the root of a workspace; `dvc repro compose`)

Reads data/, artifacts/encoder and artifacts/embeddings; writes artifacts/composer and reports/compose.json. It learns
from pairs of training products that differ in one facet, on their finished vectors, and asks held-out pairs both ways.
"""

import models.openmp  # noqa: F401 - before torch

# isort: split
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from catalog.digests import digest_of_sections
from catalog.errors import InvalidSnapshot
from catalog.params import load_section
from catalog.products import Product, Split, Term
from catalog.splits import SplitParams, split_products
from catalog.tables import read_products, read_terms, snapshot_id
from catalog.words.terms import TermIndex, spoken_fields
from catalog.workspace import COMPOSE_REPORT, COMPOSER
from models.composer import Composer, LearnedComposer, SumComposer
from models.embeddings import FIELDS, ProductEmbeddings, load_embeddings
from models.encoder import Encoder, EncoderLike, cores
from models.training.changes import ChangePairs, ChangeWords
from models.training.compose_params import ComposeParams
from models.training.composing import ChangeData, train_composer
from models.training.composing_score import change_ndcg
from models.training.pairs import TruthTable

METRIC = "nDCG@10"
LEARNING: Split = "train"
HELD_OUT: Split = "validation"


def main() -> None:
    """Learn and choose the composer of this workspace."""
    params, split = load_section("compose", ComposeParams), load_section("split", SplitParams)
    torch.set_num_threads(cores())
    encoder, embeddings = Encoder.load(), load_embeddings()
    composer, report = compose(read_products(), read_terms(), embeddings, encoder, split, params)
    composer.save(COMPOSER)
    inputs = {
        "snapshot": snapshot_id(),
        "encoder": encoder.fingerprint,
        "params": digest_of_sections([params, split]),
    }
    COMPOSE_REPORT.parent.mkdir(exist_ok=True)
    COMPOSE_REPORT.write_text(json.dumps({"inputs": inputs, **report}, indent=2) + "\n", encoding="utf-8")
    scores = ", ".join(f"{name} {score:.3f}" for name, score in report["scores"].items())
    print(f"compose: {composer.name}{': ' if scores else ''}{scores} {METRIC if scores else report['why']}", flush=True)


def compose(
    products: Sequence[Product],
    terms: Sequence[Term],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    split: SplitParams,
    params: ComposeParams,
) -> tuple[Composer, dict[str, Any]]:
    """The composer for this catalogue and encoder, and the report. Raises InvalidSnapshot as `choose`."""
    splits = split_products(products, split)
    learning, held_out = (
        change_data(splits[part], products, terms, embeddings, encoder, params) for part in (LEARNING, HELD_OUT)
    )
    return choose(learning, held_out, encoder.fingerprint, params)


def choose(
    learning: ChangeData, held_out: ChangeData, encoder: str, params: ComposeParams
) -> tuple[Composer, dict[str, Any]]:
    """The composer that `params` ask for, and the report.

    Raises InvalidSnapshot when that is `learned` and there is nothing to learn from.
    """
    started = time.monotonic()
    report: dict[str, Any] = {
        "pairs": learning.pairs.by_field(),
        "held_out": held_out.pairs.by_field(),
        "texts": len(learning.said.texts),
        "metric": METRIC,
        "scores": {},
    }
    composers: dict[str, Composer] = {"sum": SumComposer()}
    if params.composer != "sum":
        if learning.pairs.sources:
            composers["learned"] = LearnedComposer(encoder, train_composer(learning, params))
        elif params.composer == "learned":
            raise InvalidSnapshot(
                "No two training products differ in exactly one attribute that can be said, so there is nothing to "
                "learn composing from: set compose.composer to sum."
            )
    if held_out.pairs.sources:
        report["scores"] = {
            name: round(change_ndcg(composer, held_out, params.validation_pairs, params.seed), 6)
            for name, composer in composers.items()
        }
    name, why = _chosen(params, report["scores"], composers)
    return composers[name], {**report, "composer": name, "why": why, "seconds": round(time.monotonic() - started, 1)}


def _chosen(params: ComposeParams, scores: dict[str, float], composers: dict[str, Composer]) -> tuple[str, str]:
    if params.composer != "auto":
        return params.composer, "compose.composer names it"
    if "learned" not in composers:
        return "sum", "no two training products differ in exactly one attribute that can be said"
    if not scores:
        return "sum", "no two held-out products differ in exactly one attribute, so nothing shows that learning helps"
    return max(scores, key=lambda name: scores[name]), "it answers held-out pairs best"


def change_data(
    products: Sequence[Product],
    catalogue: Sequence[Product],
    terms: Sequence[Term],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    params: ComposeParams,
) -> ChangeData:
    """What can be asked of `products`, the products of one split; `catalogue` is every product, for names of values."""
    names = TermIndex(terms, catalogue)
    pairs = ChangePairs(products, spoken_fields(terms, catalogue))
    said = ChangeWords(pairs.values(), names, params.languages, params.phrases, params.seed)
    pairs.keep(said.of)
    at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
    rows = np.array([at[product.id] for product in products], dtype=np.int64)
    has_text, has_image = embeddings.has_text[rows], embeddings.has_image[rows]
    return ChangeData(
        pairs,
        said,
        TruthTable(products, names, params.languages),
        words=encoder.encode_text(said.texts),
        vectors={name: getattr(embeddings, name)[rows] for name in FIELDS},
        present={"fused": has_text | has_image, "text": has_text, "image": has_image},
    )


if __name__ == "__main__":
    main()
