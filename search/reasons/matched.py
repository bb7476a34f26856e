"""What late interaction matched: each token of the query with one token of the product, exactly (models.late)."""

from collections import defaultdict
from collections.abc import Sequence
from math import isqrt

import numpy as np

from models.encoder import OccludingEncoder
from models.late.tokens import Matches
from search.late import AskedTokens
from search.reasons.reason import HeatMap, Match
from search.reasons.scoring import Again


def matched(again: Again, product_id: str) -> tuple[HeatMap | None, tuple[Match, ...]]:
    """Where in the product's picture the query's tokens found their match, and what each of its words was matched with.

    None and nothing where late interaction had no share in the score.
    """
    late = again.parts.late
    if late is None or product_id not in again.late:
        return None, ()
    cells: defaultdict[int, float] = defaultdict(float)
    words: list[Match] = []
    places = 0
    for part in late.asked(again.query, again.retrieved.photos):
        found = late.tokens.matches(part.tokens, product_id, again.seen) if part.weight > 0 else None
        if found is None:
            continue
        places = found.places
        adds = found.values * part.weight / len(part.tokens)
        for at, more in zip(found.at.tolist(), adds.tolist(), strict=True):
            cells[at] += more
        words += _of_words(part, found, adds.tolist())
    return _heat_map(again, cells, places), tuple(words)


def _of_words(part: AskedTokens, found: Matches, adds: Sequence[float]) -> list[Match]:
    side, matches = isqrt(max(found.places - 1, 0)), []
    for word, at, more in zip(part.words, found.at.tolist(), adds, strict=False):
        title = found.words[at - found.places] if at >= found.places else None
        place = divmod(at, side) if at < found.places - 1 else None
        matches.append(Match(word, title, place, more))
    return matches


def _heat_map(again: Again, cells: dict[int, float], places: int) -> HeatMap | None:
    """Of the S x S places; the last of `places` stands for the whole picture."""
    encoder = again.parts.encoder
    if places < 2 or not isinstance(encoder, OccludingEncoder):
        return None
    side = isqrt(places - 1)
    grid = np.array([cells.get(at, 0.0) for at in range(side * side)]).reshape(side, side)
    return HeatMap(None, encoder.frame(None), tuple(tuple(row) for row in grid.tolist()))
