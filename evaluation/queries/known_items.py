"""Known-item queries: the catalogue itself knows which product a title or a photo belongs to."""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence

from catalog.products import Product
from catalog.words.text import language_of
from evaluation.queries.judgements import EvaluationQuery
from evaluation.queries.kinds import ENGINE, KINDS
from evaluation.queries.photos import ALTERATIONS
from evaluation.queries.slices import product_slices
from search.query import MOST_CHARACTERS

Judged = tuple[EvaluationQuery, dict[str, int]]

# a Latin word or number, or up to two Han characters: what can be dropped from a title
_PIECE = re.compile(r"[\u3400-\u9fff]{1,2}|[^\s\u3400-\u9fff]+")


def known_items(
    pool: Sequence[Product], head: frozenset[str], *, seed: int, titles: int, photos: int, drop: float
) -> Iterator[Judged]:
    """The four known-item kinds for a sample of `pool`: up to `titles` products each, photo queries up to `photos`.

    The answer to each is one product, with grade 1. The sample and the alterations follow from `seed` and product ids.
    """
    yield from titles_to_photos(pool, head, seed=seed, most=titles)
    titled = [product for product in sampled(pool, seed) if product.title.strip()]
    pictured = [product for product in sampled(pool, seed) if product.images]
    for product in titled[:titles]:
        words = drop_words(product.title[:MOST_CHARACTERS], drop, f"{seed}:{product.id}")
        yield _judged("title_to_product", product, head, text=words)
    for product in [product for product in pictured if product.title.strip()][:photos]:
        yield _judged("photo_to_title", product, head, image=product.images[0])
    for product in pictured[:photos]:
        alteration = random.Random(f"{seed}:alter:{product.id}").choice(sorted(ALTERATIONS))
        yield _judged("photo_to_product", product, head, image=product.images[0], transform=alteration)


def titles_to_photos(pool: Sequence[Product], head: frozenset[str], *, seed: int, most: int) -> Iterator[Judged]:
    """The first of the known-item kinds, up to `most`: a title, against the photos alone."""
    titled = [product for product in sampled(pool, seed) if product.title.strip() and product.images]
    for product in titled[:most]:
        yield _judged("title_to_photo", product, head, text=product.title[:MOST_CHARACTERS])


def sampled(pool: Sequence[Product], seed: int) -> list[Product]:
    """`pool` in an order that depends on the seed and each id alone: a growing pool keeps its old order."""
    return sorted(pool, key=lambda product: hashlib.sha256(f"{seed}:{product.id}".encode()).digest())


def drop_words(title: str, share: float, seed: str) -> str:
    """`title` without round(share x pieces) of its pieces, chosen from `seed`; at least one piece stays.

    A piece is a word, or two Han characters of a run without spaces.
    """
    spans = [match.span() for match in _PIECE.finditer(title)]
    dropped = min(round(share * len(spans)), len(spans) - 1)
    if dropped <= 0:
        return title.strip()
    kept = title
    for start, end in sorted(random.Random(f"drop:{seed}").sample(spans, dropped), reverse=True):
        kept = kept[:start] + kept[end:]
    return " ".join(kept.split())


def _judged(
    kind: str,
    product: Product,
    head: frozenset[str],
    *,
    text: str | None = None,
    image: str | None = None,
    transform: str | None = None,
) -> Judged:
    language = language_of(text) if text else None
    slices = product_slices(product, head) + ((f"language={language}",) if language else ())
    query = EvaluationQuery(
        query_id=f"{kind}:{product.id}",
        kind=kind,
        language=language,
        text=text,
        image=image,
        transform=transform,
        legs=KINDS[kind].systems[ENGINE].legs,
        slices=slices,
    )
    return query, {product.id: 1}
