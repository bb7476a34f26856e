"""Heat maps of a query's photos: what each hit loses where a region is hidden."""

import time
from collections.abc import Sequence

import numpy as np

from models.encoder import OccludingEncoder
from search.collection import Vector
from search.query_vector import mean_photo
from search.reasons.reason import HeatMap
from search.reasons.regions import Floats, by_cell, windows
from search.reasons.scoring import Again

MOST_PHOTOS = 2
"""Photos of a query that get a heat map: the first. Each is 36 more looks of the image tower."""

Maps = dict[str, tuple[HeatMap, ...]]


def heat_maps(again: Again, until: float) -> tuple[Maps, bool]:
    """The maps of each hit, and whether there was time for all of them before `until` (time.monotonic).

    None where no leg looks at the photos, or the encoder knows no way to hide a part of a picture.
    """
    maps: Maps = dict.fromkeys(again.ids, ())
    encoder, images = again.parts.encoder, again.query.images
    if again.asked.photo is None or not isinstance(encoder, OccludingEncoder):
        return maps, True
    vectors = [again.asked.photo] if len(images) == 1 else [encoder.encode_image([image])[0] for image in images]
    for number in range(min(len(images), MOST_PHOTOS)):
        losses = _losses(again, encoder, number, vectors, until)
        if losses is None:
            return maps, False
        for column, each in enumerate(again.ids):
            cells = tuple(tuple(row) for row in by_cell(losses[:, column]).tolist())
            maps[each] = (*maps[each], HeatMap(number, encoder.frame(images[number]), cells))
    return maps, True


def _losses(
    again: Again, encoder: OccludingEncoder, number: int, vectors: Sequence[Vector], until: float
) -> Floats | None:
    """[M, hits]: what is lost behind each window of photo `number`; None when time was up."""
    rows: list[list[float]] = []
    for looks in encoder.looks_without(again.query.images[number], windows()):
        if time.monotonic() > until:
            return None
        late = again.parts.late
        tokens = late.heads.tokens(looks) if again.retrieved.photos and late is not None else None
        for at, look in enumerate(looks):
            shown = [*vectors[:number], look.vector, *vectors[number + 1 :]]
            seen = list(again.retrieved.photos)
            if tokens is not None:
                seen[number] = tokens[at]
            lost = again.with_photo(mean_photo(np.stack(shown)), seen)
            rows.append([lost[each] for each in again.ids])
    return np.array(rows)
