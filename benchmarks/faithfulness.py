"""Whether reasons are true: what was named is taken away, and the score must fall further than for something random.

    python -m benchmarks.faithfulness          (from the root of a workspace with a finished `etalage retrain`)

Asked is the whole search logic of the release, anew, with a word dropped from the query, cells of its photo painted
over, or an attribute taken from the product; the fall is that of the hit's score in a whole new answer, 0 where it is
not found any more. Random is drawn from all that could have been named, so it sometimes is the same. Deletion as in
Samek and others, "Evaluating the Visualization of What a Deep Neural Network Has Learned", IEEE TNNLS 2017.
Legend: n pairs.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.media import MediaStore, decode_image
from catalog.tables import read_products, read_terms
from evaluation.pool import pool_collection
from models.embeddings import load_embeddings
from models.encoder import Encoder
from search.engine import SearchEngine
from search.logic import SearchLogic
from search.memory import MemoryCollection
from search.query import Hit, Query
from search.reasons.parts import parts_of, without
from search.reasons.regions import SIDE

HITS = 3  # of each query
HIDDEN = 12  # cells of 49
DEPTH = 200
SEED = 20261122

Pairs = list[tuple[float, float]]  # (fall without what was named, fall without something random)


@dataclass(frozen=True)
class Falls:
    """The falls of n pairs; `interval`: 95 % of the mean difference, by the bootstrap over pairs."""

    pairs: int
    named: float
    random: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, pairs: Pairs) -> "Falls":
        """Means over `pairs`."""
        both = np.array(pairs)
        apart = both[:, 0] - both[:, 1]
        drawn = np.random.default_rng(SEED).integers(len(apart), size=(2000, len(apart)))
        low, high = np.quantile(apart[drawn].mean(axis=1), [0.025, 0.975])
        return cls(len(both), float(both[:, 0].mean()), float(both[:, 1].mean()), (float(low), float(high)))


def without_words(engine: SearchEngine, texts: Sequence[str]) -> Pairs:
    """The word of which a hit was said to lose most, and a random one of the text."""
    random, pairs = np.random.default_rng(SEED), []
    for text in texts:
        answer = engine.search(Query(text=text, k=HITS, explain=True))
        whole, parts = parts_of(text, answer.understood)
        if len(parts) < 3:
            continue
        shorter = [engine.search(Query(text=without(whole, part), k=DEPTH)).hits for part in parts]
        for hit in answer.hits:
            assert hit.reasons is not None
            named = int(np.argmax([word.loses for word in hit.reasons.words]))
            other = int(random.integers(len(parts)))
            pairs.append((hit.score - score_in(shorter[named], hit.id), hit.score - score_in(shorter[other], hit.id)))
    return pairs


def without_regions(engine: SearchEngine, photos: Sequence[tuple[str, bytes]]) -> Pairs:
    """The dozen warmest cells of a photo, and a random dozen. `photos`: (product that is not to be found, picture)."""
    random, pairs = np.random.default_rng(SEED), []
    for product_id, photo in photos:
        query = Query(images=(photo,), k=HITS, explain=True, without=product_id)
        for hit in engine.search(query).hits:
            assert hit.reasons is not None
            cells = np.array(hit.reasons.photos[0].cells).ravel()
            warmest, any_dozen = np.argsort(-cells, kind="stable")[:HIDDEN], random.permutation(cells.size)[:HIDDEN]
            named, other = (
                engine.search(replace(query, images=(painted(photo, hidden),), explain=False, k=DEPTH)).hits
                for hidden in (warmest, any_dozen)
            )
            pairs.append((hit.score - score_in(named, hit.id), hit.score - score_in(other, hit.id)))
    return pairs


def without_attributes(engine: SearchEngine, texts: Sequence[str]) -> Pairs:
    """The attribute of the product that was said to add most, and a random one that it has."""
    random, pairs = np.random.default_rng(SEED), []
    for text in texts:
        query = Query(text=text, k=1, explain=True)
        for hit in engine.search(query).hits:
            assert hit.reasons is not None
            own = [a for a in hit.reasons.attributes if a.adds and a.field in hit.product["attributes"]]
            if not own or len(hit.product["attributes"]) < 2:
                continue
            named = max(own, key=lambda a: a.adds or 0.0).field
            other = str(random.choice(sorted(hit.product["attributes"])))
            falls = []
            for field in (named, other):
                hits = deprived(engine, hit.id, field).search(Query(text=text, k=DEPTH)).hits
                falls.append(hit.score - score_in(hits, hit.id))
            pairs.append((falls[0], falls[1]))
    return pairs


def score_in(hits: Sequence[Hit], product_id: str) -> float:
    """The product's score; 0 where it is not among the hits."""
    return next((hit.score for hit in hits if hit.id == product_id), 0.0)


def painted(photo: bytes, cells: NDArray[np.intp]) -> bytes:
    """The picture with some of its SIDE x SIDE cells in its mean colour, as PNG."""
    picture = decode_image(photo)
    mean = tuple(int(channel) for channel in np.asarray(picture).mean(axis=(0, 1)))
    width, height = picture.size
    for cell in cells.tolist():
        row, column = divmod(cell, SIDE)
        box = (column * width // SIDE, row * height // SIDE, (column + 1) * width // SIDE, (row + 1) * height // SIDE)
        picture.paste(Image.new("RGB", (box[2] - box[0], box[3] - box[1]), mean), box)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def deprived(engine: SearchEngine, product_id: str, field: str) -> SearchEngine:
    """The same release, but one product does not tell one attribute. Its words and vectors stay."""
    collection = engine.collection
    assert isinstance(collection, MemoryCollection)
    rows, at = collection.rows, collection.rows.position[product_id]
    payloads = list(rows.payloads)
    own = {name: value for name, value in payloads[at]["attributes"].items() if name != field}
    payloads[at] = {**payloads[at], "attributes": own}
    less = MemoryCollection(replace(rows, payloads=tuple(payloads)), name=collection.name, release=collection.release)
    return SearchEngine(
        engine.encoder, less, engine.ranking, engine.composer, engine.reader, engine.reranker, engine.late, engine.hubs
    )


def needs(engine: SearchEngine, count: int) -> Iterator[str]:
    """What people might type for `count` products: category and attributes, in turn in English and in Chinese."""
    collection, random = engine.collection, np.random.default_rng(SEED)
    assert isinstance(collection, MemoryCollection) and engine.reader is not None
    rows = [payload for payload in collection.rows.payloads if len(payload["attributes"]) >= 2 and payload["category"]]
    for number, at in enumerate(random.permutation(len(rows))[:count]):
        values = [*rows[at]["attributes"].items(), ("category", rows[at]["category"][-1])][-4:]
        chinese = [engine.reader.names(facet).get("zh") for facet in values]
        if number % 2 and all(chinese):
            yield "".join(name for name in chinese if name)
        else:
            yield " ".join(value for _, value in values).lower()


def pictures(engine: SearchEngine, media: MediaStore, count: int) -> Iterator[tuple[str, bytes]]:
    """(product, its picture) of `count` products."""
    collection = engine.collection
    assert isinstance(collection, MemoryCollection)
    shown = [payload for payload in collection.rows.payloads if payload["images"]]
    for at in np.random.default_rng(SEED).permutation(len(shown))[:count]:
        yield shown[at]["id"], media.read(shown[at]["images"][0])


def measured(engine: SearchEngine, media: MediaStore, texts: int, photos: int) -> dict[str, Falls]:
    """All three, over that many queries."""
    asked = list(needs(engine, texts))
    return {
        "a word of the query": Falls.of(without_words(engine, asked)),
        "a quarter of the photo": Falls.of(without_regions(engine, list(pictures(engine, media, photos)))),
        "an attribute of the product": Falls.of(without_attributes(engine, asked)),
    }


def engine_here() -> SearchEngine:
    """The search logic of the workspace over all its products, in process."""
    encoder, logic = Encoder.load(threads=1), SearchLogic.load()
    metric = logic.ranking.matching.metric
    engine = logic.engine(encoder, pool_collection(read_products(), read_terms(), load_embeddings(), metric))
    engine.explain_seconds = 60.0  # nothing is left out, however busy the machine is
    return engine


def main(texts: int, photos: int) -> None:
    """Measure and print a table."""
    print("| taken away | n | fall if named | fall if random | difference (95 %) |\n|---|---|---|---|---|")
    for name, own in measured(engine_here(), MediaStore(), texts, photos).items():
        low, high = own.interval
        apart = own.named - own.random
        print(f"| {name} | {own.pairs} | {own.named:.3f} | {own.random:.3f} | {apart:.3f} ({low:.3f} to {high:.3f}) |")


if __name__ == "__main__":
    main(*([12, 6] if sys.argv[1:] == ["short"] else [60, 30]))
