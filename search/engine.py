"""The one query path: encode -> retrieve -> rank -> explain. It does not know who calls it.

    engine = SearchEngine(encoder, collection, ranking)
    engine.search(Query(text="red dress", k=5)).hits

Built in exactly three places: the evaluation stages, the promote flow and the service. Legend: D width of the space.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from catalog.errors import EncoderMismatch, NotReady, UnknownProduct
from models.composer import Composer, SumComposer
from models.decoding import decodings
from models.encoder import EncoderLike
from search.attributes import Wish, values_by_field, wish_of, with_attributes
from search.collection import ATTRIBUTES, DENSE, FIELD_OF_LEG, IMAGE, LEXICAL, Collection, Scored, Vector
from search.facets import FacetCounts, counted, facet_fields
from search.filters import EVERYTHING, Filter, Without, parse_filters
from search.hubness import Hubs
from search.late import LateInteraction, seen_by, with_late
from search.matching import rescored
from search.meant import meant, priced
from search.mentions import of_photos, read, with_photos
from search.query import Answer, Hit, LegScore, Query, check, check_k
from search.query_cache import past_the_cache
from search.query_vector import Photos, query_vector, see_photos
from search.ranking import LEGS_OF_KIND, QueryKind, Ranking
from search.ranking.rerank import Contributions, Reranker
from search.reasons.explain import Parts, explained
from search.reasons.reason import MOST_HITS, Reasons
from search.retrieved import Asked, Retrieved
from search.understanding.reader import Reader
from search.votes import Shares, voted

__all__ = ["Answer", "Hit", "LegScore", "Query", "SearchEngine"]


class SearchEngine:
    """Answers queries from one release. Threads may share it."""

    explain_seconds = 2.0
    """What finding reasons by leaving out may take, of one answer; what there is no time for is said to be left out."""

    def __init__(
        self,
        encoder: EncoderLike,
        collection: Collection,
        ranking: Ranking,
        composer: Composer | None = None,
        reader: Reader | None = None,
        reranker: Reranker | None = None,
        late: LateInteraction | None = None,
        hubs: Hubs | None = None,
    ) -> None:
        """Without a composer, photo and words are summed; without a reader, texts are plain words; without `late` and a
        reranker, the fused order is the answer.

        Raises EncoderMismatch when another encoder built the collection (promise 2), or the composer, the hubs or the
        reader's vocabulary was learned from one, NotReady when the ranking settings ask for another metric than the
        collection's, or for late interaction or hubs that are not there.
        """
        self.composer: Composer = composer or SumComposer()
        if collection.encoder != encoder.fingerprint:
            raise EncoderMismatch(
                f"Collection {collection.name} was built by encoder {collection.encoder}, "
                f"and encoder {encoder.fingerprint} cannot ask it."
            )
        if self.composer.encoder not in (None, encoder.fingerprint):
            raise EncoderMismatch(
                f"The composer was trained on encoder {self.composer.encoder}, not on encoder {encoder.fingerprint}."
            )
        if collection.metric != ranking.matching.metric:
            raise NotReady(
                f"Collection {collection.name} compares vectors by {collection.metric}, and the ranking settings ask "
                f"for {ranking.matching.metric}: build the release again."
            )
        if reader is not None and reader.vocabulary.encoder != encoder.fingerprint:
            raise EncoderMismatch(
                f"The vocabulary was learned with encoder {reader.vocabulary.encoder}, not with {encoder.fingerprint}."
            )
        if late is None and any(ranking.late.values()):
            raise NotReady("The ranking settings ask for late interaction, and its tokens are not there.")
        if hubs is not None and hubs.encoder != encoder.fingerprint:
            raise EncoderMismatch(f"The hubs were learned with encoder {hubs.encoder}, not with {encoder.fingerprint}.")
        if hubs is None and ranking.hubness:
            raise NotReady("The ranking settings ask for hubs to be corrected, and the bank of queries is not there.")
        self.late = late
        self.hubs = hubs
        self.reader = reader
        self._values = values_by_field(reader.vocabulary.facets) if reader is not None else {}
        self.encoder = encoder
        self.collection = collection
        self.ranking = ranking
        self.reranker = reranker

    @property
    def release(self) -> str:
        """The release that answers."""
        return self.collection.release

    def search(self, query: Query) -> Answer:
        """Answer a query. Raises InvalidQuery (InvalidMedia, MediaTooLarge) with one sentence."""
        started = time.perf_counter()
        for _ in range(_AGAIN):
            with suppress(UnknownProduct):  # a refresh deleted it between its being found and its being shown
                return self._answer(self.retrieve(query), query.k, started)
        return self._answer(self.retrieve(query), query.k, started)

    def similar(
        self,
        product_id: str,
        k: int = 10,
        filters: Mapping[str, Any] | None = None,
        other_groups: bool = False,
        explain: bool = False,
    ) -> Answer:
        """Like one product of the collection, by its stored vectors: not itself, nor with `other_groups` its variants.

        With `explain`, hits have reasons.

        Raises UnknownProduct, InvalidQuery.
        """
        started = time.perf_counter()
        check_k(k)
        product = self.product(product_id)
        group = product["group_id"] if other_groups else None
        narrow = parse_filters(filters or {}, self.collection.fields).also(Without(product_id, group))
        vectors = {
            leg: self.collection.vectors([product_id], FIELD_OF_LEG[leg])[0]
            for leg in self.ranking.weights_for("product")
        }
        known = {leg: vector for leg, vector in vectors.items() if vector.any()}
        found = self._ask("product", known, k, narrow, started)
        return self._answer(replace(found, like=product if explain else None), k, started)

    def product(self, product_id: str) -> Mapping[str, Any]:
        """What a hit would show of one product. Raises UnknownProduct."""
        return self.collection.products([product_id])[0]

    def retrieve(self, query: Query) -> Retrieved:
        """Candidates of every leg that the query uses, before ranking. Raises as `search`."""
        started = time.perf_counter()
        check(query)
        narrow = parse_filters(query.filters, self.collection.fields)
        facet_fields(query.facets, self.collection.fields)
        understood, said = read(query, self.reader)
        given, kind = query, self.ranking.kind_of(query.kind(), understood is None or understood.told)
        legs = query.legs or tuple(self.ranking.weights_for(kind))
        if understood is not None:
            narrow, query = priced(narrow, understood, query.filters), meant(query, understood)
        reading = time.perf_counter()
        if query.without is not None:
            narrow = narrow.also(Without(query.without))
        photos, vector = Photos(), None
        with decodings() as decoded:
            if any(leg != LEXICAL for leg in legs):
                late = self.late if self.ranking.late_share(kind, seen_by(legs)) > 0 else None
                photos = see_photos(query, self.encoder, late)
                vector = query_vector(query, self.encoder, self.composer, photos.vector)
        encoded = time.perf_counter()
        votes = self._votes(query, photos.vector) if ATTRIBUTES in legs else {}
        shown = of_photos(votes, said)
        wish = wish_of((*said, *shown), self._values) if ATTRIBUTES in legs else None
        seen = time.perf_counter()
        asked: dict[str, Vector | str] = {}
        if vector is not None:
            asked = {leg: vector for leg in LEGS_OF_KIND[kind] if leg in legs and leg in FIELD_OF_LEG}
        words = query.words()
        if LEXICAL in legs and words is not None:
            asked[LEXICAL] = words
        wished = None if wish is None or vector is None else (wish, vector)
        found = self._ask(kind, asked, query.k, narrow, reading + (seen - encoded) + sum(decoded), wished)
        decode = {"decode": sum(decoded) * 1000} if decoded else {}
        took = {"understand": (reading - started + seen - encoded) * 1000, **decode, **found.took_ms}
        shows = with_photos(understood, shown)
        how = Asked(query, narrow, photos.vector, votes, (*said, *shown), wish)
        return replace(found, understood=shows, query=given, photos=photos.tokens, took_ms=took, asked=how)

    def _votes(self, query: Query, photo: Vector | None) -> Mapping[str, Shares]:
        """What the photo shows; the product that the query is without has no vote."""
        if photo is None or not query.understand:
            return {}
        narrow = EVERYTHING if query.without is None else Filter((Without(query.without),))
        return voted(self.collection, photo, narrow)

    def ranked(self, retrieved: Retrieved) -> Scored:
        """Every candidate, best first: the fused legs, their top once more by late interaction where it has a share."""
        fused, query = retrieved.ranked(self.ranking), retrieved.query
        share = self.ranking.late_share(retrieved.kind, seen := seen_by(retrieved.candidates))
        if self.late is None or query is None or share == 0:
            return fused
        most = self.ranking.candidates
        return self.late.blended(fused[:most], query, seen, share, retrieved.photos) + fused[most:]

    def best(self, retrieved: Retrieved, k: int) -> tuple[Scored, Contributions]:
        """The `k` best, and, where the query asks to explain, what adds up to the score of each."""
        ranked, query = self.ranked(retrieved), retrieved.query
        explain = retrieved.like is not None or (query is not None and query.explain)
        if query is None or self.reranker is None or not self.reranker.answers(query, retrieved.kind):
            return ranked[:k], with_late(retrieved.explained(self.ranking), ranked[:k]) if explain else {}
        top = ranked[: max(self.ranking.candidates, k)]
        products = self.collection.products([product_id for product_id, _ in top])
        found = (retrieved.candidates, retrieved.able)
        features = self.reranker.features(query, *found, top, products, retrieved.understood)
        return self.reranker.order(top, features)[:k], self.reranker.explain(top, features) if explain else {}

    def _ask(
        self,
        kind: QueryKind,
        asked: Mapping[str, Vector | str],
        k: int,
        narrow: Filter,
        started: float,
        wished: tuple[Wish, Vector] | None = None,
    ) -> Retrieved:
        encoded = time.perf_counter()
        limit = max(self.ranking.candidates, k)
        candidates = {leg: self.collection.search(leg, query, limit, narrow) for leg, query in asked.items()}
        if wished is not None:
            candidates = with_attributes(self.collection, asked, candidates, *wished, limit, narrow)
        candidates |= self._rescored(kind, candidates, asked)
        found = sorted({product_id for scored in candidates.values() for product_id, _ in scored})
        able = self.collection.legs_of(found)
        if wished is not None:
            able |= {product_id: able[product_id] | {ATTRIBUTES} for product_id, _ in candidates[ATTRIBUTES]}
        took = {"encode": (encoded - started) * 1000, "retrieve": (time.perf_counter() - encoded) * 1000}
        return Retrieved(kind, candidates, able, took)

    def _rescored(
        self, kind: QueryKind, candidates: Mapping[str, Scored], asked: Mapping[str, Vector | str]
    ) -> dict[str, Scored]:
        """The legs that are scored again: dense, where the ranking settings name a re-scorer; image, less its hubs."""
        strength = self.ranking.hub_strength(kind, candidates)
        if self.hubs is not None and strength > 0:
            vectors = self.collection.vectors([product_id for product_id, _ in candidates[IMAGE]], FIELD_OF_LEG[IMAGE])
            return {IMAGE: self.hubs.corrected(candidates[IMAGE], vectors, strength)}
        matching, vector = self.ranking.matching, asked.get(DENSE)
        if matching.rescorer == "none" or vector is None or isinstance(vector, str):
            return {}
        ids = [product_id for product_id, _ in candidates[DENSE]]
        return {DENSE: rescored(candidates[DENSE], self.collection.vectors(ids, FIELD_OF_LEG[DENSE]), vector, matching)}

    def _answer(self, retrieved: Retrieved, k: int, started: float) -> Answer:
        before = time.perf_counter()
        best, why = self.best(retrieved, k)
        shown = {product_id for product_id, _ in best}
        places = {
            leg: {
                product_id: LegScore(score, rank)
                for rank, (product_id, score) in enumerate(scored, start=1)
                if product_id in shown
            }
            for leg, scored in retrieved.candidates.items()
        }
        ranked = time.perf_counter()
        products = self.collection.products([product_id for product_id, _ in best])
        fetched = time.perf_counter()
        reasons = self._reasons(retrieved, [product_id for product_id, _ in best], products) if why else {}
        hits = tuple(
            Hit(
                product_id,
                score,
                rank,
                {leg: own.get(product_id, _NOWHERE) for leg, own in places.items()},
                product,
                why.get(product_id),
                reasons.get(product_id),
            )
            for rank, ((product_id, score), product) in enumerate(zip(best, products, strict=True), start=1)
        )
        done = time.perf_counter()
        took = {
            **retrieved.took_ms,
            "rank": (ranked - before) * 1000,
            "fetch": (fetched - ranked) * 1000,
            **({"explain": (done - fetched) * 1000} if why else {}),
            "total": (done - started) * 1000,
        }
        return Answer(hits, self.release, took, retrieved.understood, self._facets(retrieved))

    def _facets(self, retrieved: Retrieved) -> Mapping[str, FacetCounts] | None:
        """Of what was found, where the query asks; None where not."""
        if retrieved.query is None or not retrieved.query.facets:
            return None
        ids = sorted({product_id for scored in retrieved.candidates.values() for product_id, _ in scored})
        return counted(self.collection.products(ids), facet_fields(retrieved.query.facets, self.collection.fields))

    def _reasons(
        self, retrieved: Retrieved, ids: Sequence[str], products: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, Reasons]:
        """Of the first hits."""
        parts = Parts(
            self.encoder, self.collection, self.ranking, self.composer, self.reader, self.late, self.hubs, self._values
        )
        query = retrieved.query
        by_ranker = query is not None and self.reranker is not None and self.reranker.answers(query, retrieved.kind)
        found = dict(zip(ids[:MOST_HITS], products, strict=False))
        with past_the_cache():  # variants of the query that nobody else will ask
            return explained(parts, retrieved, self.ranked(retrieved), found, by_ranker, self.explain_seconds)


_NOWHERE = LegScore(None, None)
_AGAIN = 2  # queries asked once more, where a store over the network changes under them
