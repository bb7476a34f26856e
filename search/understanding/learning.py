"""The vocabulary of a catalogue, made by the tune stage with the release's own encoder. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product, Term
from catalog.words.phrases import openings
from catalog.words.tokens import common_han_words, normalise
from models.embeddings import ProductEmbeddings
from models.encoder import EncoderLike
from search.understanding.calibration import UNCALIBRATED, fit, kin
from search.understanding.names import facet_counts, names_of, title_languages, title_words
from search.understanding.neighbours import Neighbours
from search.understanding.understood import Facet
from search.understanding.vocabulary import Floats, Vocabulary

MOST_NAMES = 8_000  # with a vector: those of the most frequent values
_MOST_EXAMPLES = 1_000
_BACKGROUND = 400  # words of each language that name nothing
Kind = TypeVar("Kind")
_FEWEST = 10  # names to learn from; with fewer the weights stay as written down


def learn_vocabulary(
    products: Sequence[Product],
    terms: Sequence[Term],
    embeddings: ProductEmbeddings,
    encoder: EncoderLike,
    seen: Sequence[Product] | None = None,
) -> Vocabulary:
    """Facet values of `products`, their names and looks, and how near words must be to mean one.

    Looks are learned from the photos of `seen`, all products when None: held-out ones are not looked at.
    """
    counts = facet_counts(products)
    facets = tuple(sorted(counts, key=lambda facet: (-counts[facet], facet)))
    named = names_of(facets, terms, products)
    told = {facet for product in products for facet in product.facets().items()}
    plain = [name for name in named if facets[name[1]] not in told]  # brands, and categories above the leaves
    spoken = [name for name in named if facets[name[1]] in told]
    plain, spoken = plain + spoken[MOST_NAMES:], spoken[:MOST_NAMES]
    vectors = (
        _half(encoder.encode_text([name for name, _ in spoken])) if spoken else np.zeros((0, encoder.dim), np.float32)
    )
    known = title_words(products)
    vocabulary = Vocabulary(
        encoder=encoder.fingerprint,
        facets=facets,
        counts=tuple(counts[facet] for facet in facets),
        names=tuple(spoken),
        plain_names=tuple(plain),
        vectors=vectors,
        looks=_half(looks_of(facets, products if seen is None else seen, embeddings)),
        calibration=UNCALIBRATED,
        known_words=known,
        currencies=tuple(sorted({p.currency or "" for p in products if p.price is not None})),
        languages=title_languages(products),
    )
    return vocabulary if len(spoken) < _FEWEST else _calibrated(vocabulary, encoder)


def looks_of(facets: Sequence[Facet], products: Sequence[Product], embeddings: ProductEmbeddings) -> Floats:
    """[V, D]: the mean photo of each facet's products less the mean photo of all, of length 1; zero where none has one.

    Photos, not words: the words of products hold the names themselves.
    """
    at = {product_id: row for row, product_id in enumerate(embeddings.ids)}
    number = {facet: place for place, facet in enumerate(facets)}
    totals = np.zeros((len(facets), embeddings.image.shape[1]), dtype=np.float64)
    seen = np.zeros(len(facets))
    for product in products:
        row = at.get(product.id)
        if row is None or not embeddings.has_image[row]:
            continue
        own = {*product.attributes.items(), *(("category", level) for level in product.category)}
        for place in (number[facet] for facet in own if facet in number):
            totals[place] += embeddings.image[row]
            seen[place] += 1
    everything = embeddings.image[embeddings.has_image].mean(axis=0) if embeddings.has_image.any() else 0.0
    away = np.where(seen[:, None] > 0, totals / np.maximum(seen, 1.0)[:, None] - everything, 0.0)
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    directions: Floats = np.where(lengths > 1e-6, away / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)
    return directions


def background(vocabulary: Vocabulary) -> list[str]:
    """Words that name no value and hold no name: of titles and of the Chinese dictionary, and how people ask."""
    names = {normalise(name) for name, _ in (*vocabulary.names, *vocabulary.plain_names)}
    parts = {part for name in names for part in name.split()}
    titles = [word for word in sorted(vocabulary.known_words) if word.isalpha() and len(word) > 2 and word not in parts]
    han = [w for w in common_han_words(20 * _BACKGROUND) if not any(part in w or w in part for part in names)]
    return [*_spread(titles, _BACKGROUND), *_spread(han, _BACKGROUND), *openings("en"), *openings("zh")]


def _calibrated(vocabulary: Vocabulary, encoder: EncoderLike) -> Vocabulary:
    neighbours = Neighbours(vocabulary)
    texts, owners = [name for name, _ in vocabulary.names], np.array([number for _, number in vocabulary.names])
    asked = _spread(list(range(len(texts))), _MOST_EXAMPLES)
    without = kin(texts, asked)
    others = [int(((owners == owners[row]) & ~mask).sum()) for row, mask in zip(asked, without, strict=True)]
    kept = [place for place, count in enumerate(others) if count > 0]
    asked, without = [asked[place] for place in kept], without[kept]
    nothing = background(vocabulary)
    features = np.concatenate([
        neighbours.features(vocabulary.vectors[asked], without),
        neighbours.features(encoder.encode_text(nothing)),
    ])  # fmt: skip
    truth = np.concatenate([owners[asked], np.full(len(nothing), -1)])
    frequent = np.sqrt(np.array(vocabulary.counts, dtype=np.float64))[owners[asked]]
    weights = np.concatenate([frequent / frequent.sum(), np.full(len(nothing), 1.0 / len(nothing))])
    return replace(vocabulary, calibration=fit(features, truth, weights))


def _spread(things: Sequence[Kind], count: int) -> list[Kind]:
    """At most `count` of `things`, evenly over them."""
    return [things[place * len(things) // count] for place in range(count)] if len(things) > count else list(things)


def _half(vectors: "NDArray[np.float32]") -> Floats:
    """As they will be read back."""
    return vectors.astype(np.float16).astype(np.float32)
