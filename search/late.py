"""The second stage: late interaction over the best candidates of the first (models.late).

    late = load_late(folder, encoder)            # None where there is none
    late.blended(fused, query, seen, weight)     # the fused list again, its top in another order

Words of the query, and places of its photos, each find their best match in the picture and the title of a product;
search.engine blends that with the first stage by the weight that tuning chose for the kind of query, often 0.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.encoder import EncoderLike
from models.late.changed import ChangedTokens
from models.late.encoder import LateEncoder
from models.late.folder import TOKENS, is_enabled
from models.late.max_sim import Floats
from models.late.tokens import ProductTokens
from models.late.words import words_of
from search.collection import DECIMALS, DENSE, FIELD_OF_LEG, Scored
from search.query import Query
from search.ranking.fusion import NARROWEST

LATE = "late"  # beside the legs, in what adds up to a score
_ROUNDING = 1e-5

MODALITIES_OF_LEG: Mapping[str, frozenset[str]] = {
    DENSE: frozenset({"image", "text"}),
    **{leg: frozenset({leg}) for leg in FIELD_OF_LEG if leg != DENSE},
}


class AskedTokens(NamedTuple):
    """Tokens [T, W] of one part of a query, how much the part weighs, and of words which; () for a photo."""

    tokens: Floats
    weight: float
    words: tuple[str, ...] = ()


class LateInteraction:
    """Token heads and product tokens of a release. Threads may share it."""

    def __init__(self, heads: LateEncoder, tokens: ProductTokens | ChangedTokens, folder: Path) -> None:
        self.heads, self.tokens, self.folder = heads, tokens, folder

    def blended(
        self, fused: Scored, query: Query, seen: Collection[str], weight: float, photos: Sequence[Floats] = ()
    ) -> Scored:
        """`fused` (the candidates to look at, best first) in the order of both stages; see `blend`.

        `seen`: what of a product may be looked at, image, text or both. Raises InvalidQuery as the encoder does.
        """
        return blend(fused, self.scores(query, [product_id for product_id, _ in fused], seen, photos), weight)

    def scores(
        self, query: Query, ids: list[str], seen: Collection[str], photos: Sequence[Floats] = ()
    ) -> dict[str, float]:
        """MaxSim of each product that can be looked at. Words and photos weigh as `text_weight` says.

        `photos`: tokens [J, W] of the query's photos, where it is known already what they show.
        """
        found = [
            (self.tokens.scores(part.tokens, ids, seen), part.weight)
            for part in self.asked(query, photos)
            if part.weight > 0
        ]
        if not found:
            return {}
        return {each: sum(scores[each] * weight for scores, weight in found) for each in found[0][0]}

    def asked(self, query: Query, photos: Sequence[Floats] = ()) -> list[AskedTokens]:
        """The tokens of the words, and those of each photo."""
        parts: list[AskedTokens] = []
        words = words_of(query.words() or "")
        share = query.text_weight if words and query.images else 1.0
        if words:
            parts.append(AskedTokens(self._words(words), share, words))
        if query.images:
            shown = photos or [self.heads.photo(image) for image in query.images]
            parts += [AskedTokens(tokens, (1 - share * bool(words)) / len(shown)) for tokens in shown]
        return parts

    def _words(self, words: tuple[str, ...]) -> Floats:
        """[T, W]: of a title's word the token that was made with the release, of another word one made now."""
        known = self.tokens.known
        rows = [self.tokens.words[known[word]] if word in known else self.heads.words((word,))[0] for word in words]
        return np.stack(rows)


def blend(fused: Scored, late: Mapping[str, float], weight: float) -> Scored:
    """(1 - weight) x first stage + weight x late, each stretched to 0..1, and back on the scale of the first stage.

    Late scores that all lie within NARROWEST are not torn apart, as in the fusion of the legs.

    A product without a late score keeps the value that the first stage gave it. The first score stays the largest and
    the last the smallest that can be, so what comes after `fused` in a longer list still comes after it.
    """
    if weight == 0 or len(fused) < 2 or not late:
        return fused
    scale = BlendScale.of(fused, late, weight)
    mixed = [(-round(scale.value(score, late.get(product_id)), DECIMALS), product_id) for product_id, score in fused]
    # by value: where all first scores are one, late decides
    return [(product_id, round(scale.score(-value), DECIMALS)) for value, product_id in sorted(mixed)]


class BlendScale(NamedTuple):
    """What the scores of a list are stretched by: the first stage's best and last, and late interaction's."""

    top: float
    last: float
    low: float
    high: float
    weight: float

    @classmethod
    def of(cls, fused: Scored, late: Mapping[str, float], weight: float) -> "BlendScale":
        """Of the list that is blended, and its late scores."""
        return cls(fused[0][1], fused[-1][1], min(late.values()), max(late.values()), weight)

    def value(self, score: float, late: float | None) -> float:
        """Of a product with these scores, 0 to 1."""
        first = (score - self.last) / (self.top - self.last) if self.top > self.last else 1.0
        if late is None:
            return first
        own = 1.0 - (self.high - late) / max(self.high - self.low, NARROWEST)
        return (1 - self.weight) * first + self.weight * own

    def score(self, value: float) -> float:
        """A value on the scale of the first stage."""
        return self.last + (self.top - self.last) * value


def with_late(legs: Mapping[str, Mapping[str, float]], ranked: Scored) -> dict[str, Mapping[str, float]]:
    """What each leg adds to the first stage's score of the `ranked`, and LATE: what the second stage added to that."""
    added = {product_id: round(score - sum(legs[product_id].values()), DECIMALS) for product_id, score in ranked}
    return {
        product_id: {**legs[product_id], **({LATE: more} if abs(more) > _ROUNDING else {})}
        for product_id, more in added.items()
    }


def seen_by(legs: Collection[str]) -> frozenset[str]:
    """What of a product the legs that were asked look at."""
    return frozenset().union(*(MODALITIES_OF_LEG.get(leg, frozenset()) for leg in legs))


def load_late(
    folder: Path, encoder: EncoderLike, changed: Callable[[ProductTokens], ChangedTokens] | None = None
) -> LateInteraction | None:
    """What lies in `folder`, its tokens `changed`; None where it says that there is none. Raises NotReady,
    EncoderMismatch."""
    if not is_enabled(folder):
        return None
    tokens = ProductTokens.load(folder / TOKENS)
    return LateInteraction(LateEncoder.load(folder, encoder), changed(tokens) if changed else tokens, folder)
