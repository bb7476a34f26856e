"""The catalogue as a map: products that the encoder takes for alike lie near each other (t-SNE, van der Maaten 2008).

A seeded sample of the fused vectors; which way is up means nothing, and neither do distances between far groups. One
thread, so that the same vectors give the same map.
"""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.products import Product
from evaluation.queries.slices import leaf
from models.embeddings import ProductEmbeddings

SAMPLE = 1500
LEAST = 20  # products; fewer are no map
PERPLEXITY = 30.0
ROUNDS = 500
COLOURED = 8  # categories with a colour of their own
LABELLED = 18  # categories of which a product is shown, where there is room
WIDTH, HEIGHT, EDGE = 1000.0, 640.0, 34.0
PICTURE = 46.0  # units of a landmark's side
CANDIDATES = 12  # products that may stand for their category


@dataclass(frozen=True, slots=True)
class Point:
    """A product on the map."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Landmark:
    """A product that stands for its category: a picture (a data URI) whose middle is at x, y, and a label under it."""

    x: float
    y: float
    label: str
    picture: str
    colour: int


@dataclass(frozen=True, slots=True)
class Category:
    """A category on the map. `colour` from 1; 0 for all that have none of their own."""

    name: str
    colour: int
    count: int
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class CatalogueMap:
    """`shown` of `products`. `near_space` and `near_map`: how often the nearest neighbour is of the same category."""

    categories: Sequence[Category]
    landmarks: Sequence[Landmark]
    shown: int
    products: int
    near_space: float
    near_map: float
    width: float = WIDTH
    height: float = HEIGHT
    side: float = PICTURE


def catalogue_map(
    embeddings: ProductEmbeddings,
    products: Sequence[Product],
    thumbnail: Callable[[Product], str],
    *,
    seed: int,
    sample: int = SAMPLE,
) -> CatalogueMap | None:
    """The map; None where fewer than LEAST products have a vector. `thumbnail` gives "" for one without a picture."""
    by_id = {product.id: product for product in products}
    rows = sampled(embeddings, by_id.keys(), seed=seed, most=sample)
    if len(rows) < LEAST:
        return None
    vectors = embeddings.fused[rows]
    shown = [by_id[embeddings.ids[row]] for row in rows]
    places = flat(vectors, seed=seed)
    leaves = np.array([leaf(product) for product in shown])
    counts = Counter(leaves.tolist())
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    colours = {name: number if number <= COLOURED else 0 for number, name in enumerate(ordered[:LABELLED], start=1)}
    xy = on_paper(places)
    members = {name: np.flatnonzero(leaves == name) for name in colours}
    others = np.flatnonzero([not colours.get(name) for name in leaves.tolist()])
    groups = [*((name, colours[name], at) for name, at in members.items() if colours[name]), ("others", 0, others)]
    categories = [
        Category(name, colour, len(at), [Point(float(xy[row, 0]), float(xy[row, 1]), shown[row].title) for row in at])
        for name, colour, at in groups
        if len(at)
    ]
    return CatalogueMap(
        categories=categories,
        landmarks=_landmarks(members, colours, xy, shown, thumbnail),
        shown=len(rows),
        products=len(embeddings),
        near_space=same_neighbour(vectors, leaves),
        near_map=same_neighbour(places, leaves),
    )


def sampled(embeddings: ProductEmbeddings, known: Container[str], *, seed: int, most: int) -> NDArray[np.int64]:
    """Rows with a vector whose product is `known`, `most` of them at random, in the order of the rows."""
    there = np.array([product_id in known for product_id in embeddings.ids], dtype=np.bool_)
    kept = np.flatnonzero(there & embeddings.fused.any(axis=1))
    if len(kept) <= most:
        return kept
    return np.sort(np.random.default_rng(seed).choice(kept, most, replace=False))


def flat(vectors: NDArray[np.float32], *, seed: int) -> NDArray[np.float64]:
    """Unit vectors [N, D] in the plane [N, 2]."""
    from sklearn.manifold import TSNE  # slow to load
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    with threadpool_limits(1):  # sums of several threads differ in their last bits, and a map in where it turns
        places = TSNE(init="pca", random_state=seed, perplexity=perplexity, max_iter=ROUNDS).fit_transform(vectors)
    return np.asarray(places, dtype=np.float64)


def on_paper(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 2] in the units of the page, to one decimal; each side is stretched to fill it."""
    low, high = places.min(axis=0), places.max(axis=0)
    share = (places - low) / np.maximum(high - low, 1e-12)
    room = np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE])
    return np.asarray(np.round(EDGE + share * room, 1))


def same_neighbour(places: NDArray[np.floating], names: NDArray[np.str_]) -> float:
    """The share of rows whose nearest other row has the same name."""
    squares = (places.astype(np.float64) ** 2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2.0 * places.astype(np.float64) @ places.T.astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    return float((names[distances.argmin(axis=1)] == names).mean())


def _landmarks(
    members: dict[str, NDArray[np.int64]],
    colours: dict[str, int],
    xy: NDArray[np.float64],
    shown: Sequence[Product],
    thumbnail: Callable[[Product], str],
) -> list[Landmark]:
    """For each labelled category the product nearest to its middle whose picture hides no other landmark."""
    placed: list[tuple[float, float, float, float]] = []
    found = []
    for name, at in members.items():
        middle = np.median(xy[at], axis=0)
        nearest = at[np.argsort(((xy[at] - middle) ** 2).sum(axis=1), kind="stable")][:CANDIDATES]
        for row in nearest.tolist():
            x, y = _inside(*xy[row].tolist())
            box = _box(x, y, name)
            picture = thumbnail(shown[row]) if not any(_overlap(box, other) for other in placed) else ""
            if picture:
                placed.append(box)
                found.append(Landmark(x, y, name, picture, colours[name]))
                break
    return found


def _inside(x: float, y: float) -> tuple[float, float]:
    half = PICTURE / 2
    return min(max(x, 2 * half), WIDTH - 2 * half), min(max(y, half + 2), HEIGHT - half - 20)


def _box(x: float, y: float, label: str) -> tuple[float, float, float, float]:
    """left, top, right, bottom of picture and label; a letter is about 8 units wide, a Chinese one 15."""
    width = max(PICTURE, sum(15 if ord(letter) > 0x2E80 else 8 for letter in label)) + 6
    return x - width / 2, y - PICTURE / 2 - 3, x + width / 2, y + PICTURE / 2 + 20


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
