"""What it costs when products lose their picture or their words: the fused vectors alone, before and after.

Nothing is encoded again: what is lost is masked, and products are fused from the rest, as for a shop that never had it.
Only products that have both can lose one; which do is a hash of their id, and who loses something at 25 % has also
lost it at 50 %. Legend: N products, D width.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from evaluation.metrics import DEPTH, Judgements, Ranked, mean, per_query
from evaluation.queries.judgements import EvaluationSet
from models.embeddings import Floats, Mask, ProductEmbeddings
from models.encoder import EncoderLike

Lost = Literal["image", "text", "either"]
SHARES = (0.0, 0.25, 0.5)
LOSABLE: tuple[Lost, ...] = ("image", "text", "either")


class Fuses(Protocol):
    """What is needed of an encoder; see models.encoder.Encoder."""

    def fuse_products(self, text: Floats | None, image: Floats | None, has_text: Mask, has_image: Mask) -> Floats:
        """Vectors of the modalities -> one vector a product [N, D]."""


@dataclass(frozen=True, slots=True)
class MissingScore:
    """Means over the `n` queries of a kind where `share` of the products with both modalities have lost one of them.

    `lost`: which one, or either by a hash; `products`: how many that were; `..._lost`: how much less than at share 0.
    """

    kind: str
    lost: Lost
    share: float
    products: int
    n: int
    recall: float
    ndcg: float
    recall_lost: float
    ndcg_lost: float


def missing_modalities(
    encoder: EncoderLike, embeddings: ProductEmbeddings, questions: EvaluationSet, kind: str
) -> tuple[MissingScore, ...]:
    """`missing_scores` for the queries of one kind, which must be of words; `embeddings`: of the pool of `questions`.

    Nothing when there is no such query.
    """
    queries = questions.of_kind(kind)
    if not queries:
        return ()
    vectors = encoder.encode_text([query.text or "" for query in queries])
    asked = {query.query_id: vector for query, vector in zip(queries, vectors, strict=True)}
    return missing_scores(encoder, embeddings, asked, questions.grades(queries), kind)


def missing_scores(
    encoder: Fuses,
    embeddings: ProductEmbeddings,
    queries: Mapping[str, Floats],
    judgements: Judgements,
    kind: str,
    shares: Sequence[float] = SHARES,
    seed: int = 7,
) -> tuple[MissingScore, ...]:
    """recall@10 and nDCG@10 for every kind of loss and every share, over the pool that `embeddings` holds.

    `queries`: query id -> unit vector [D], all of one `kind`. Raises ValueError when there is none.
    """
    judged = {query_id: judgements[query_id] for query_id in queries}
    found = []
    for lost in LOSABLE:
        whole: dict[str, float] | None = None
        for share in sorted({0.0, *shares}):
            has_text, has_image = still_there(embeddings, lost, share, seed)
            fused = encoder.fuse_products(embeddings.text, embeddings.image, has_text, has_image)
            run = nearest(queries, fused, embeddings.ids, has_text | has_image)
            scores = mean(per_query(run, judged))
            whole = whole or scores
            gone = (embeddings.has_text & ~has_text) | (embeddings.has_image & ~has_image)
            found.append(
                MissingScore(
                    kind=kind,
                    lost=lost,
                    share=share,
                    products=int(gone.sum()),
                    n=len(judged),
                    recall=scores["recall@10"],
                    ndcg=scores["nDCG@10"],
                    recall_lost=whole["recall@10"] - scores["recall@10"],
                    ndcg_lost=whole["nDCG@10"] - scores["nDCG@10"],
                )
            )
    return tuple(found)


def still_there(embeddings: ProductEmbeddings, lost: Lost, share: float, seed: int) -> tuple[Mask, Mask]:
    """has_text and has_image [N] after `share` of the products with both have lost one."""
    has_text, has_image = embeddings.has_text.copy(), embeddings.has_image.copy()
    for row, product_id in enumerate(embeddings.ids):
        chance, heads = _draw(seed, product_id)
        if has_text[row] and has_image[row] and chance < share:
            goes = has_image if lost == "image" or (lost == "either" and heads) else has_text
            goes[row] = False
    return has_text, has_image


def nearest(queries: Mapping[str, Floats], products: Floats, ids: Sequence[str], there: Mask) -> dict[str, Ranked]:
    """Query id -> the DEPTH products of highest cosine, of those that are `there` [N]; equal ones by id."""
    order = [row for row in sorted(range(len(ids)), key=lambda row: ids[row]) if there[row]]
    run: dict[str, Ranked] = {}
    for query_id, vector in queries.items():
        scores = products[order] @ vector
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        run[query_id] = [(ids[order[place]], float(scores[place])) for place in best]
    return run


def _draw(seed: int, product_id: str) -> tuple[float, bool]:
    """A number in [0, 1) below which a share takes something from the product, and a coin for what."""
    digest = hashlib.sha256(f"missing:{seed}:{product_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64, digest[8] % 2 == 1
