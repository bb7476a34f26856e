"""Two releases query by query, out of the tables that are kept with them."""

import polars as pl

from catalog.errors import EtalageError
from evaluation.gates.compare import compare
from evaluation.gates.rules import ChampionRules
from evaluation.scores import PER_QUERY_FILE, read_scores
from flows.admin.reading import Known
from flows.admin.side_by_side import Paired
from flows.releases import EVALUATION_FOLDER, REPORTS_FOLDER

KINDS_ALONE = ChampionRules(dimensions=(), minimum=2)


def pair(first: Known, other: Known) -> Paired | None:
    """Kind -> difference of `other` from `first`; None where they were asked other questions, or a table is gone."""
    try:
        before, after = (
            read_scores(one.folder / REPORTS_FOLDER / EVALUATION_FOLDER / PER_QUERY_FILE) for one in (first, other)
        )
        found = compare(before, after, KINDS_ALONE)
    except (EtalageError, OSError, pl.exceptions.PolarsError):
        return None
    return {row.name: row for row in found.differences if row.scope == "kind"}
