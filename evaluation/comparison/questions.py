"""What every configuration is asked: known items among the held-out products, all else over the whole catalogue.

A shop searches its whole catalogue, so derived grades are over all of it; the questions come from held-out products.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.products import Product, Term
from catalog.words.terms import TermIndex, spoken_fields
from evaluation.params import CompareParams
from evaluation.queries.attribute_queries import attribute_queries
from evaluation.queries.facets import FacetIndex
from evaluation.queries.judgements import EvaluationSet
from evaluation.queries.known_items import Judged, known_items
from evaluation.queries.photo_queries import photo_and_words, photo_to_alike
from evaluation.queries.slices import head_categories


@dataclass(frozen=True)
class Questions:
    """`held_out`: looked for among the held-out products; `everywhere`: over the whole catalogue."""

    held_out: EvaluationSet
    everywhere: EvaluationSet

    @property
    def parts(self) -> tuple[EvaluationSet, EvaluationSet]:
        """Both."""
        return self.held_out, self.everywhere

    @property
    def fingerprint(self) -> str:
        """Names both."""
        return f"{self.held_out.fingerprint}-{self.everywhere.fingerprint}"


def comparison_questions(
    askers: Sequence[Product], catalogue: Sequence[Product], terms: Sequence[Term], params: CompareParams
) -> Questions:
    """The questions about `askers` (the products of one split). The same input gives the same questions."""
    head = head_categories(catalogue, params.head_share)
    names, fields = TermIndex(terms, catalogue), spoken_fields(terms, catalogue)
    index, seed = FacetIndex(catalogue, askers), params.seed
    known = known_items(askers, head, seed=seed, titles=params.known_items, photos=params.photo_queries, drop=0.33)
    derived = [
        *attribute_queries(index, names, fields, head, seed=seed, count=params.attribute_queries),
        *photo_to_alike(index, head, seed=seed, count=params.photo_queries),
        *photo_and_words(index, names, fields, head, seed=seed, count=params.photo_queries),
    ]
    return Questions(_set(known, askers), _set(derived, catalogue))


def _set(asked: Iterable[Judged], pool: Sequence[Product]) -> EvaluationSet:
    rows = list(asked)
    return EvaluationSet(
        tuple(query for query, _ in rows),
        {query.query_id: grades for query, grades in rows},
        tuple(product.id for product in pool),
    )
