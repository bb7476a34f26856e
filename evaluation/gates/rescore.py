"""Measure another encoder on today's evaluation set: the champion, when the snapshot it was measured on is gone.

Its per_query rows have the shape of the evaluate stage's, so gates.compare can pair them with the challenger's.
"""

from collections.abc import Sequence

import polars as pl

from catalog.media import MediaStore
from catalog.products import Product, Term
from evaluation.answers import ask_engine
from evaluation.measure import score
from evaluation.pool import pool_engines
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE
from evaluation.runs import photos_of
from models.embed import embed_products
from models.encoder import EncoderLike
from models.params import EmbedParams
from search.logic import SearchLogic


def rescore(
    encoder: EncoderLike,
    logic: SearchLogic,
    products: Sequence[Product],
    terms: Sequence[Term],
    questions: EvaluationSet,
    media: MediaStore,
    snapshot: str,
    embed: EmbedParams | None = None,
) -> pl.DataFrame:
    """Embed the pool of `questions` with `encoder`, ask them all, and give the `engine` rows of per_query.

    `products` must hold the pool (more does no harm); `snapshot` is the id of the snapshot they are from.
    `embed` is the section of that name, as the embed stage used it.
    """
    wanted = set(questions.pool)
    pool = [product for product in products if product.id in wanted]
    embeddings = embed_products(pool, media, encoder, snapshot, embed)
    engines = pool_engines(pool, terms, embeddings, encoder, logic)
    asked = ask_engine(engines, questions, photos_of(media), only=ENGINE)
    return score(questions, asked.runs, asked.asked)
