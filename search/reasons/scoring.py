"""Hits of an answer scored again, with a part of the query left out: by the code that the answer itself came from.

    again = Again(parts, retrieved, ("p1", "p2"))
    again.without_words("dress")          # what was "red dress": {"p1": 0.21, "p2": 0.05} lost
    again.with_photo(vector, tokens)      # a photo that shows something else

A leg has its say in the hits that it found, and in no others: what it would have found instead is another question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.composer import Composer
from models.encoder import EncoderLike
from search.attributes import Wish, wish_of
from search.collection import ATTRIBUTES, DENSE, FIELD_OF_LEG, IMAGE, LEXICAL, Collection, Scored, Vector
from search.hubness import Hubs
from search.late import BlendScale, LateInteraction, seen_by
from search.matching import METRICS, rescored
from search.meant import meant
from search.mentions import of_photos, read
from search.query import Query
from search.query_vector import composed, encoded_texts, query_vector
from search.ranking import Ranking
from search.reasons.scale import FixedScale
from search.retrieved import Asked, Retrieved
from search.understanding.reader import Reader

Floats = NDArray[np.float64]
Lost = dict[str, float]  # product id -> what it loses of its score
Legs = Mapping[str, Mapping[str, float]]  # leg -> product id -> score


@dataclass(frozen=True)
class Parts:
    """What an engine answers with. `values`: field -> the values that products have."""

    encoder: EncoderLike
    collection: Collection
    ranking: Ranking
    composer: Composer
    reader: Reader | None
    late: LateInteraction | None
    hubs: Hubs | None
    values: Mapping[str, Sequence[str]]


class Again:
    """The hits `ids` of what was retrieved for one query. Not for several threads."""

    def __init__(self, parts: Parts, retrieved: Retrieved, ids: Sequence[str]) -> None:
        self.parts, self.retrieved, self.ids = parts, retrieved, tuple(ids)
        ranking, kind, candidates = parts.ranking, retrieved.kind, retrieved.candidates
        weights = ranking.weights_for(kind, tuple(candidates))
        self.scale = FixedScale(candidates, weights, retrieved.able, ranking.fusion, ranking.odds_for(kind))
        wanted = set(ids)
        self.given: Legs = {
            leg: {each: score for each, score in scored if each in wanted} for leg, scored in candidates.items()
        }
        self.seen = seen_by(candidates)
        self.late_share = 0.0 if retrieved.query is None else ranking.late_share(kind, self.seen)

    @cached_property
    def late(self) -> Mapping[str, float]:
        """The late scores of all candidates that were looked at again; none where late interaction has no share."""
        if self.parts.late is None or self.retrieved.query is None or self.late_share == 0:
            return {}
        ids = [each for each, _ in self._fused]
        return self.parts.late.scores(self.retrieved.query, ids, self.seen, self.retrieved.photos)

    @property
    def asked(self) -> Asked:
        """How the legs were asked."""
        assert self.retrieved.asked is not None
        return self.retrieved.asked

    @property
    def query(self) -> Query:
        """As it was given."""
        assert self.retrieved.query is not None
        return self.retrieved.query

    def without_words(self, text: str) -> Lost:
        """What is lost when `text` is all that the query's text says; "": when it says nothing."""
        query = replace(self.query, text=text or None)
        if not (query.text or query.images or query.terms):
            return {each: self._now[each] - self.scale.total(each, {}) for each in self.ids}
        understood, said = read(query, self.parts.reader)
        plain = query if understood is None else meant(query, understood)
        mentions = (*said, *of_photos(self.asked.votes, said))
        vector = query_vector(plain, self.parts.encoder, self.parts.composer, self.asked.photo)
        legs = {**self._of_vector(vector), **self._of_wish(wish_of(mentions, self.parts.values))}
        return self._lost({**legs, **self._of_words(plain.words())}, self._late(query, self.retrieved.photos))

    def with_photo(self, photo: Vector, tokens: Sequence[Vector]) -> Lost:
        """What is lost when the query's photos together are `photo` [D], with `tokens` [J, W] of each for late
        interaction."""
        vector = composed(self.asked.query, self._texts, self.parts.composer, photo)
        return self._lost({**self.given, **self._of_vector(vector)}, self._late(self.query, tokens))

    def total(self, product_id: str, legs: Legs, late: Mapping[str, float]) -> float:
        """Its score, late interaction included, on the scale of the answer."""
        own = {leg: scores.get(product_id) if product_id in self.given[leg] else None for leg, scores in legs.items()}
        first = self.scale.total(product_id, own)
        if self._blend is None or product_id not in self._looked_at:
            return first
        return self._blend.score(self._blend.value(first, late.get(product_id)))

    def _lost(self, legs: Legs, late: Mapping[str, float]) -> Lost:
        return {each: self._now[each] - self.total(each, legs, late) for each in self.ids}

    @cached_property
    def _now(self) -> dict[str, float]:
        return {each: self.total(each, self.given, self.late) for each in self.ids}

    @cached_property
    def _fused(self) -> Scored:
        return self.retrieved.ranked(self.parts.ranking)[: self.parts.ranking.candidates]

    @cached_property
    def _looked_at(self) -> frozenset[str]:
        return frozenset(each for each, _ in self._fused)

    @cached_property
    def _blend(self) -> BlendScale | None:
        return BlendScale.of(self._fused, self.late, self.late_share) if self.late and len(self._fused) > 1 else None

    @cached_property
    def _texts(self) -> list[Vector]:
        return encoded_texts(self.asked.query, self.parts.encoder)

    @cached_property
    def _vectors(self) -> dict[str, tuple[list[str], Vector]]:
        """Leg -> the hits that it found, or all that it found where a re-scorer stretches those, and their vectors."""
        found = {}
        for leg in self.given:
            if leg in FIELD_OF_LEG:
                everybody = leg == DENSE and self.parts.ranking.matching.rescorer != "none"
                ids = [each for each, _ in self.retrieved.candidates[leg]] if everybody else list(self.given[leg])
                found[leg] = ids, self.parts.collection.vectors(ids, FIELD_OF_LEG[leg])
        return found

    def _of_vector(self, vector: Vector) -> dict[str, Mapping[str, float]]:
        metric, ranking = METRICS[self.parts.ranking.matching.metric], self.parts.ranking
        strength = ranking.hub_strength(self.retrieved.kind, tuple(self.given))
        found: dict[str, Mapping[str, float]] = {}
        for leg, (ids, vectors) in self._vectors.items():
            scores: Floats = metric.scores(vectors, vector).astype(np.float64)
            if leg == IMAGE and self.parts.hubs is not None and strength > 0:
                scores = scores - strength * self.parts.hubs.levels(vectors)
            scored = list(zip(ids, scores.tolist(), strict=True))
            if leg == DENSE and strength == 0 and ranking.matching.rescorer != "none":
                order = sorted(range(len(ids)), key=lambda row: -scored[row][1])
                scored = rescored([scored[row] for row in order], vectors[order], vector, ranking.matching)
            found[leg] = dict(scored)
        return found

    def _of_words(self, words: str | None) -> dict[str, Mapping[str, float]]:
        if LEXICAL not in self.given:
            return {}
        limit = len(self.retrieved.candidates[LEXICAL])
        found = self.parts.collection.search(LEXICAL, words, 2 * limit, self.asked.narrow) if words else []
        return {LEXICAL: dict(found)}

    def _of_wish(self, wish: Wish | None) -> dict[str, Mapping[str, float]]:
        if ATTRIBUTES not in self.given:
            return {}
        tags = self.parts.collection.tags_of(self.ids) if wish else {}
        scores = {each: wish.score(own) for each, own in tags.items()} if wish else {}
        return {ATTRIBUTES: {each: score for each, score in scores.items() if score is not None}}

    def _late(self, query: Query, photos: Sequence[Vector]) -> Mapping[str, float]:
        if not self.late or self.parts.late is None:
            return {}
        return self.parts.late.scores(query, list(self.ids), self.seen, photos)
