"""What a shop knows of its own queries: products judged for them, and products found, clicked and bought with them.

Only training products count, so no answer that is asked for in evaluation is shown; the words of a query may be.
Legend: Q queries, N products.
"""

import random
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from catalog.products import Interaction, Judgement, Product
from models.training.batches import Rows
from models.training.pairs import Grades
from models.training.params import QuerySource


class ShopQueries:
    """Distinct queries with their grades in (0, 1] for rows of the training products."""

    def __init__(
        self,
        products: Sequence[Product],
        judgements: Iterable[Judgement],
        interactions: Iterable[Interaction],
        actions: Mapping[str, float],
    ) -> None:
        """A judgement's grade counts as its share of the highest grade there is. Without a judgement, the actions of
        all users with a query and a product add up, each by its weight in `actions`, to 1 at most."""
        row_of = {product.id: row for row, product in enumerate(products)}
        judged, acted = _judged(judgements, row_of), _acted(interactions, row_of, actions)
        self.known: dict[QuerySource, int] = {
            "judgements": sum(grade > 0 for grade in judged.values()),
            "interactions": sum(grade > 0 for grade in acted.values()),
        }  # (query, training product) pairs with a grade
        found: dict[str, dict[int, float]] = {}
        for (query, row), grade in {**acted, **judged}.items():
            if grade > 0:
                found.setdefault(query, {})[row] = grade
        self.texts = sorted(found)
        self._grades = [found[query] for query in self.texts]
        self._of_row: dict[int, list[int]] = {}
        for number, grades in enumerate(self._grades):
            for row in grades:
                self._of_row.setdefault(row, []).append(number)

    def drawn(self, rows: Rows, draw: random.Random) -> list[int]:
        """Numbers of the queries that join a batch of these rows: one for each row that answers any, each once."""
        chosen = [draw.choice(self._of_row[row]) for row in rows.tolist() if row in self._of_row]
        return list(dict.fromkeys(chosen))

    def grades(self, numbers: Sequence[int], rows: Rows) -> Grades:
        """[Q, N]: how well row rows[j] answers query numbers[i]; 0 where nothing is known."""
        table = [[self._grades[number].get(row, 0.0) for row in rows.tolist()] for number in numbers]
        return np.array(table, dtype=np.float32).reshape(len(numbers), len(rows))


Known = dict[tuple[str, int], float]  # (query, row) -> grade


def _judged(judgements: Iterable[Judgement], row_of: dict[str, int]) -> Known:
    judgements = list(judgements)
    highest = max((judgement.grade for judgement in judgements), default=0) or 1
    return {
        (" ".join(judgement.query.split()), row_of[judgement.product_id]): judgement.grade / highest
        for judgement in judgements
        if judgement.product_id in row_of and judgement.query.strip()
    }


def _acted(interactions: Iterable[Interaction], row_of: dict[str, int], weights: Mapping[str, float]) -> Known:
    known: Known = {}
    for one in interactions:
        if one.query and one.query.strip() and one.product_id in row_of:
            key = " ".join(one.query.split()), row_of[one.product_id]
            known[key] = min(1.0, known.get(key, 0.0) + weights.get(one.action, 0.0))
    return known
