"""Queries that found nothing, or whose legs did not agree, in groups of like ones: k-means over their vectors.

How many groups there are is asked of the silhouette (Rousseeuw 1987): the number for which queries lie nearest to their
own group and farthest from the next.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from catalog.words.tokens import tokenize
from evaluation.audits.shifts import Floats
from flows.monitoring.params import Topics
from flows.monitoring.results import Topic
from flows.monitoring.traffic import Encode

_WORDS, _EXAMPLES = 5, 5


def topics(zero: Counter[str], low: Counter[str], encode: Encode, params: Topics, seed: int) -> tuple[Topic, ...]:
    """Topics of queries with their counts, the most asked first; () without any query."""
    asked = zero + low
    texts = sorted(asked, key=lambda text: (-asked[text], text))[: params.queries]
    if not texts:
        return ()
    vectors = np.asarray(encode(texts), dtype=np.float64)
    weights = np.array([asked[text] for text in texts], dtype=np.float64)
    labels = _grouped(vectors, weights, params, seed)
    spread = Counter(word for text in texts for word in set(tokenize(text)))
    found = []
    for label in sorted(set(labels.tolist())):
        rows = np.flatnonzero(labels == label)
        middle = (weights[rows, None] * vectors[rows]).sum(axis=0)
        nearest = rows[np.argsort(-(vectors[rows] @ middle), kind="stable")]
        own = [texts[row] for row in rows]
        found.append(
            Topic(
                typical=texts[nearest[0]],
                words=_telling(own, asked, spread, len(texts)),
                examples=tuple(own[:_EXAMPLES]),
                queries=sum(asked[text] for text in own),
                different=len(own),
                zero_result=sum(zero[text] for text in own),
                low_confidence=sum(low[text] for text in own),
            )
        )
    return tuple(sorted(found, key=lambda topic: (-topic.queries, topic.typical)))


def by_words(texts: Sequence[str]) -> Floats:
    """Unit rows [B, W] of weighted words; a text without any is a word of its own."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(analyzer=lambda text: tokenize(text) or [text]).fit_transform([*texts])
    rows: Floats = counted.toarray()
    return rows


def _grouped(vectors: Floats, weights: Floats, params: Topics, seed: int) -> Floats:
    """The group of each row [B]; all in one where there are too few, or none lies apart."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_samples

    best: tuple[float, Floats] = (0.0, np.zeros(len(vectors), dtype=np.int64))
    if len(vectors) < params.fewest:
        return best[1]
    different = len(np.unique(vectors, axis=0))
    for count in range(2, min(params.most, different - 1) + 1):
        labels = KMeans(count, n_init=4, random_state=seed).fit_predict(vectors, sample_weight=weights)
        score = float(np.average(silhouette_samples(vectors, labels), weights=weights))
        if score > best[0]:
            best = (score, labels)
    return best[1]


def _telling(own: Sequence[str], asked: Counter[str], spread: Counter[str], texts: int) -> tuple[str, ...]:
    """Words of a topic: asked often in it, and rare elsewhere (tf-idf with the topic as the document)."""
    said: Counter[str] = Counter()
    for text in own:
        for word in set(tokenize(text)):
            said[word] += asked[text]
    worth = {word: count * np.log1p(texts / spread[word]) for word, count in said.items()}
    return tuple(sorted(worth, key=lambda word: (-worth[word], word))[:_WORDS])
