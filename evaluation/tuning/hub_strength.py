"""How much of its level as a hub a picture loses (search.hubness), chosen on titles of the validation split.

Each title asks the photos of the split once; every strength orders the same candidates again.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from catalog.products import Product
from evaluation.metrics import DEPTH, per_query
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.queries.known_items import sampled
from evaluation.runs import Photos, as_asked
from evaluation.significance import paired_difference
from evaluation.tuning.asked import METRIC
from models.encoder import EncoderLike
from search.collection import FIELD_OF_LEG, IMAGE, Scored
from search.engine import SearchEngine
from search.hubness import Hubs

ASKS = "title_to_photo"
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
BATCH = 256
ROUNDS = 2000


def learn_hubs(trained: Sequence[Product], encoder: EncoderLike, seed: int, most: int) -> Hubs | None:
    """A bank of at most `most` titles of `trained`, products that the encoder trained on; None without any."""
    titles = [product.title for product in sampled(trained, seed) if product.title.strip()][:most]
    if not titles:
        return None
    parts = [encoder.encode_text(titles[start : start + BATCH]) for start in range(0, len(titles), BATCH)]
    return Hubs(encoder.fingerprint, np.concatenate(parts))


def choose_strength(
    engine: SearchEngine, hubs: Hubs, questions: EvaluationSet, photos: Photos, seed: int
) -> tuple[float, dict[str, Any]]:
    """The best strength, and how it was chosen. 0 unless it is surely better: its one-sided 95 % bound is above 0.

    The engine's settings correct no hubs yet.
    """
    queries = questions.of_kind(ASKS)
    if not queries:
        return 0.0, {"strength": 0.0, "queries": 0}
    runs: dict[float, dict[str, Scored]] = {strength: {} for strength in STRENGTHS}
    for query in queries:
        found = engine.retrieve(as_asked(query, photos, KINDS[ASKS].systems[ENGINE].legs)).candidates[IMAGE]
        vectors = engine.collection.vectors([product_id for product_id, _ in found], FIELD_OF_LEG[IMAGE])
        for strength, run in runs.items():
            run[query.query_id] = hubs.corrected(found, vectors, strength)[:DEPTH]
    values = {
        strength: np.array([each[METRIC] for each in per_query(run, questions.grades(queries)).values()])
        for strength, run in runs.items()
    }
    best = max(STRENGTHS, key=lambda strength: (round(float(values[strength].mean()), 9), -strength))
    sure = best > 0 and paired_difference(values[best], values[0.0], seed=seed, rounds=ROUNDS).lower_bound > 0
    chosen = best if sure else 0.0
    return chosen, {
        "strength": chosen,
        "score": float(values[chosen].mean()),
        "start_score": float(values[0.0].mean()),
        "queries": len(queries),
        "bank": len(hubs.bank),
        "tried": {str(strength): round(float(own.mean()), 6) for strength, own in values.items()},
    }
