"""What a photo shows, as told by the products that look like it: a vote of its nearest neighbours, field by field.

    voted(collection, photo) -> {"category": (("Shirts", 0.83), ("Tops", 0.09)), "gender": (("Men", 0.91),)}

A neighbour's vote in a leg is exp((its cosine - the best cosine) / SHARPNESS): a small shop has few that look alike. A
share counts the voters that do not tell the field too, so that where few tell it, little is known.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from catalog.products import CATEGORY
from catalog.words.thesaurus import role_of
from search.collection import FIELD_OF_LEG, Collection, Vector
from search.filters import EVERYTHING, Filter

VOTERS = 50  # of each leg, at most
SHARPNESS = 0.05  # cosine
LEGS_THAT_VOTE = ("dense", "image")
SHOWN = frozenset({"category", "gender", "colour"})  # roles of fields that a photo shows
LEAST = 0.05  # share of the votes below which a value is left out
TELLING = 0.25  # share that the best value of a field needs: else the photo shows nothing of the field

Shares = tuple[tuple[str, float], ...]  # (value, share of the votes), the largest first


def voted(collection: Collection, photo: Vector, narrow: Filter = EVERYTHING) -> dict[str, Shares]:
    """Field -> values of the products near `photo` [D], for the fields that a photo shows.

    The category is its leaf. Fields of which little is told are left out.
    """
    weights: defaultdict[str, float] = defaultdict(float)
    for leg in LEGS_THAT_VOTE:
        near = [product_id for product_id, _ in collection.search(leg, photo, VOTERS, narrow)]
        cosines = collection.vectors(near, FIELD_OF_LEG[leg]) @ photo  # whatever the metric of the collection is
        for product_id, cosine in zip(near, cosines, strict=True):
            weights[product_id] += float(np.exp((cosine - cosines.max()) / SHARPNESS))
    ids = sorted(weights)
    votes: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for product_id, product in zip(ids, collection.products(ids), strict=True):
        facets = {**product["attributes"], **({CATEGORY: product[CATEGORY][-1]} if product[CATEGORY] else {})}
        for field, value in facets.items():
            if role_of(field) in SHOWN:
                votes[field][value] += weights[product_id]
    shares = {field: _shares(own, sum(weights.values())) for field, own in sorted(votes.items())}
    return {field: own for field, own in shares.items() if own and own[0][1] >= TELLING}


def _shares(votes: Mapping[str, float], whole: float) -> Shares:
    ordered = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    return tuple((value, round(vote / whole, 4)) for value, vote in ordered if vote / whole >= LEAST)
