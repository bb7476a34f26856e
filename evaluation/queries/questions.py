"""The evaluation set of one split: known items, derived attribute queries, and the shop's own judgements."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from catalog.products import Judgement, Product, Term
from catalog.words.terms import TermIndex, spoken_fields
from catalog.words.text import language_of
from evaluation.params import EvaluateParams
from evaluation.queries.attribute_queries import attribute_queries
from evaluation.queries.facets import FacetIndex
from evaluation.queries.judgements import EvaluationQuery, EvaluationSet
from evaluation.queries.kinds import KINDS
from evaluation.queries.known_items import Judged, known_items
from evaluation.queries.photo_queries import photo_and_words, photo_to_alike
from evaluation.queries.slices import head_categories, shared_slices
from search.query import MOST_CHARACTERS


def evaluation_set(
    pool: Sequence[Product],
    catalogue: Sequence[Product],
    terms: Sequence[Term],
    judgements: Sequence[Judgement],
    params: EvaluateParams,
) -> EvaluationSet:
    """Questions about `pool` (the products of one split); `catalogue` is every product, for what is frequent.

    The same products, terms, judgements and params give the same set.
    """
    head = head_categories(catalogue, params.head_share)
    index, names = FacetIndex(pool), TermIndex(terms, catalogue)
    fields = spoken_fields(terms, catalogue)
    asked: list[Judged] = [
        *known_items(
            pool,
            head,
            seed=params.seed,
            titles=params.known_items,
            photos=params.photo_queries,
            drop=params.drop_words,
        ),
        *attribute_queries(index, names, fields, head, seed=params.seed, count=params.attribute_queries),
        *photo_to_alike(index, head, seed=params.seed, count=params.attribute_queries),
        *photo_and_words(index, names, fields, head, seed=params.seed, count=params.attribute_queries),
        *_shop(pool, judgements, head),
    ]
    queries = tuple(query for query, _ in asked)
    return EvaluationSet(
        queries, {query.query_id: grades for query, grades in asked}, tuple(product.id for product in pool)
    )


def few_questions(
    pool: Sequence[Product],
    catalogue: Sequence[Product],
    terms: Sequence[Term],
    judgements: Sequence[Judgement],
    *,
    seed: int,
    most: int,
) -> EvaluationSet:
    """evaluation_set with at most `most` queries of each kind: what settings are chosen on."""
    counts = EvaluateParams(seed=seed, known_items=most, photo_queries=most, attribute_queries=most)
    return evaluation_set(pool, catalogue, terms, judgements, counts)


def unasked(questions: EvaluationSet) -> dict[str, str]:
    """The kinds that have no query in this catalogue, each with the reason."""
    return {kind: KINDS[kind].without for kind in KINDS if kind not in questions.kinds()}


def _shop(pool: Sequence[Product], judgements: Sequence[Judgement], head: frozenset[str]) -> Iterator[Judged]:
    """The shop's queries for which a product of the pool is relevant; grades of other products are left out.

    A query longer than the engine takes is left out too.
    """
    by_id = {product.id: product for product in pool}
    graded: defaultdict[tuple[str, str | None], dict[str, int]] = defaultdict(dict)
    for row in judgements:
        if row.product_id in by_id:
            graded[row.query, row.language][row.product_id] = row.grade
    for (text, language), grades in sorted(graded.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        relevant = [by_id[product_id] for product_id, grade in grades.items() if grade > 0]
        if relevant and 0 < len(text.strip()) <= MOST_CHARACTERS:
            spoken = language or language_of(text)
            query = EvaluationQuery(
                query_id=f"shop:{hashlib.sha256(f'{spoken}:{text}'.encode()).hexdigest()[:16]}",
                kind="shop",
                language=spoken,
                text=text,
                slices=(*shared_slices(relevant, head), f"language={spoken}"),
            )
            yield query, grades
