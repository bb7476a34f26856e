"""From a query to the one vector [D] that the dense legs are asked with.

photo   the mean of the photos, of unit length
both    composed of photo and words (models.composer), where the query has both
whole   both + sum over terms of weight * term
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import InvalidQuery
from models.composer import Composer, weighted_sum
from models.encoder import EncoderLike
from search.collection import Vector
from search.late import LateInteraction
from search.query import Query


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a query: their one `vector` [D], None without any, and for late interaction their `tokens`, [J, W]
    of each, where it will be asked.
    """

    vector: Vector | None = None
    tokens: tuple[Vector, ...] = ()


def see_photos(query: Query, encoder: EncoderLike, late: LateInteraction | None) -> Photos:
    """What the query's photos show, each through the image tower once. `late`: None where it will not be asked.

    Raises InvalidQuery when they cancel each other out.
    """
    if not query.images:
        return Photos()
    if late is None:
        return Photos(mean_photo(encoder.encode_image(query.images)))
    looks = [late.heads.look(image) for image in query.images]
    return Photos(mean_photo(np.stack([vector for vector, _ in looks])), tuple(tokens for _, tokens in looks))


def mean_photo(vectors: Vector) -> Vector:
    """[P, D], the vectors of the photos of one query -> [D]. Raises InvalidQuery when they cancel each other out."""
    return _sound(vectors[0] if len(vectors) == 1 else weighted_sum([(vector, 1.0) for vector in vectors]))


def query_vector(query: Query, encoder: EncoderLike, composer: Composer, photo: Vector | None) -> Vector:
    """[D], unit length. `photo` is the vector of this query's photos. Raises InvalidQuery when nothing is left."""
    return composed(query, encoded_texts(query, encoder), composer, photo)


def encoded_texts(query: Query, encoder: EncoderLike) -> list[Vector]:
    """[D] of the text, if there is one, and of every term."""
    texts = [text for text in (query.text, *(term.text for term in query.terms)) if text is not None]
    return list(encoder.encode_text(texts)) if texts else []


def composed(query: Query, texts: Sequence[Vector], composer: Composer, photo: Vector | None) -> Vector:
    """As `query_vector`, of what `encoded_texts` gave."""
    vectors = list(texts)
    parts: list[tuple[Vector, float]] = []
    words = _sound(vectors.pop(0)) if query.text is not None else None
    if words is not None and photo is not None:
        parts.append((composer.compose(photo, words, query.text_weight), 1.0))
    else:
        parts += [(vector, 1.0) for vector in (words, photo) if vector is not None]
    parts += [(_sound(vector), term.weight) for vector, term in zip(vectors, query.terms, strict=True)]
    return parts[0][0] if len(parts) == 1 and parts[0][1] == 1.0 else weighted_sum(parts)


def _sound(vector: Vector) -> Vector:
    if not np.isfinite(vector).all() or not vector.any():
        raise InvalidQuery("The query holds nothing that can be searched for.")
    return vector
