"""What a search without this training would give, on the same queries over the same pool.

random: ten products drawn per query. BM25 on titles: the words of titles, no attributes, no terms;
with this project's tokens (plurals and spellings folded, Chinese cut to words), and with plain words.
frozen: the backbones before training, exact cosine. Towers that were never trained together have no shared space: a
title cannot be compared with a photo, and those kinds are left out and said so.
"""

import random
import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product
from evaluation.metrics import DEPTH, Ranked
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import FROZEN
from evaluation.results import NotComparable
from evaluation.runs import Photos
from models.embeddings import Floats, Mask, ProductEmbeddings
from models.encoder import Encoder
from search.lexical import BM25

CROSSING = ("title_to_photo", "photo_to_title")
_PHOTOS_AT_ONCE = 32

Ids = NDArray[np.object_]
Baseline = tuple[dict[str, Ranked], list[NotComparable]]


def random_run(questions: EvaluationSet, seed: int) -> Baseline:
    """DEPTH products of the pool for each query, drawn from the seed and the query's id."""
    pool = sorted(questions.pool)
    run: dict[str, Ranked] = {}
    for query in questions.queries:
        drawn = random.Random(f"{seed}:{query.query_id}").sample(pool, min(DEPTH + 1, len(pool)))
        others = [product_id for product_id in drawn if product_id != query.without][:DEPTH]
        run[query.query_id] = [(product_id, float(-place)) for place, product_id in enumerate(others)]
    return run, []


def plain_words(text: str) -> list[str]:
    """Runs of letters and digits in lower case: what a search engine's standard analyzer does, no more."""
    return re.findall(r"\w+", text.lower())


def bm25_run(
    questions: EvaluationSet, pool: Sequence[Product], system: str, tokens: Callable[[str], list[str]]
) -> Baseline:
    """BM25 over titles alone; kinds that ask with a photo alone, or for one, have no answer here."""
    index = BM25.of_tokens([tokens(product.title) for product in pool])
    ids = np.array([product.id for product in pool], dtype=object)
    run: dict[str, Ranked] = {}
    left_out = []
    for kind in questions.kinds():
        queries = questions.of_kind(kind)
        if kind in CROSSING or any(query.text is None for query in queries):
            left_out.append(NotComparable(kind=kind, system=system, reason="photos have no words to match"))
            continue
        for query in queries:
            scores = index.scores_of(tokens(query.text or ""))
            run[query.query_id] = best(scores, ids, (scores > 0) & (ids != query.without))
    return run, left_out


def frozen_run(questions: EvaluationSet, embeddings: ProductEmbeddings, encoder: Encoder, photos: Photos) -> Baseline:
    """Cosine of the query with the product's text and photo under the untrained backbones.

    `embeddings` are those of the pool by the same `encoder`. In unrelated spaces the cosines of words with words and
    of photo with photo add up; in a shared space every part of a query meets the mean of the product's vectors.
    """
    run: dict[str, Ranked] = {}
    left_out = []
    both = embeddings.text + embeddings.image
    ids = np.array(embeddings.ids, dtype=object)
    if encoder.shared_space:
        both /= np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-12)
    for kind in questions.kinds():
        queries = questions.of_kind(kind)
        if kind in CROSSING and not encoder.shared_space:
            reason = "separate spaces: the frozen towers were never trained together"
            left_out.append(NotComparable(kind=kind, system=FROZEN, reason=reason))
            continue
        legs, everyone = queries[0].legs, np.ones(len(ids), dtype=bool)
        products = embeddings.image if legs == ("image",) else embeddings.text if legs == ("text",) else both
        there = embeddings.has_image if legs == ("image",) else embeddings.has_text if legs == ("text",) else everyone
        for query, vector in zip(queries, query_vectors(queries, encoder, photos), strict=True):
            run[query.query_id] = best(products @ vector, ids, there & (ids != query.without))
    return run, left_out


def query_vectors(queries: Sequence[EvaluationQuery], encoder: Encoder, photos: Photos) -> Floats:
    """Unit rows [B, D] of the queries; words and photo of one query weigh the same."""
    total = np.zeros((len(queries), encoder.dim), dtype=np.float32)
    worded = [row for row, query in enumerate(queries) if query.text]
    total[worded] += encoder.encode_text([queries[row].text or "" for row in worded])
    pictured = [row for row, query in enumerate(queries) if query.image is not None]
    for start in range(0, len(pictured), _PHOTOS_AT_ONCE):
        rows = pictured[start : start + _PHOTOS_AT_ONCE]
        data = [photo for row in rows if (photo := photos(queries[row])) is not None]
        total[rows] += encoder.encode_image(data)
    unit: Floats = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return unit


def best(scores: Floats, ids: Ids, there: Mask) -> Ranked:
    """The DEPTH best of `scores` [N] as (id, score); equal scores by id; `there` [N] masks those that cannot answer."""
    rows = np.flatnonzero(there)
    order = sorted(rows.tolist(), key=lambda row: (-float(scores[row]), ids[row]))[:DEPTH]
    return [(ids[row], float(scores[row])) for row in order]
