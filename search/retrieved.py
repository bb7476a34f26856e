"""What the legs put forward for one query, before it is ranked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search.attributes import Wish
from search.collection import Scored, Vector
from search.filters import Filter
from search.query import Query
from search.ranking import QueryKind, Ranking, fuse, leg_shares
from search.ranking.rerank import Contributions
from search.understanding.understood import Mention, Understood
from search.votes import Shares


@dataclass(frozen=True, slots=True)
class Asked:
    """How the legs were asked: what reasons ask again with a part of the query left out.

    `query`: as it was meant (search.meant); `narrow`: its filter; `photo` [D] of its photos; `votes`: what they show
    (search.votes); `mentions`: what the query speaks of and what its photos show; `wish`: what the leg `attributes`
    made of those.
    """

    query: Query
    narrow: Filter
    photo: Vector | None = None
    votes: Mapping[str, Shares] = field(default_factory=dict)
    mentions: tuple[Mention, ...] = ()
    wish: Wish | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the legs put forward for one query, before ranking; tuning ranks it again with other weights."""

    kind: QueryKind
    candidates: Mapping[str, Scored]
    able: Mapping[str, frozenset[str]]
    took_ms: Mapping[str, float]
    understood: Understood | None = None
    query: Query | None = None
    """What was asked; None for products like another."""
    photos: tuple[Vector, ...] = ()
    """Tokens [J, W] of its photos, where late interaction will look at them."""
    asked: Asked | None = None
    """None for products like another."""
    like: Mapping[str, Any] | None = None
    """The product that these are like, where it is asked why."""

    def ranked(self, ranking: Ranking) -> Scored:
        """Every candidate, best first."""
        weights = ranking.weights_for(self.kind, tuple(self.candidates))
        return fuse(self.candidates, weights, self.able, ranking.fusion, ranking.odds_for(self.kind))

    def explained(self, ranking: Ranking) -> Contributions:
        """What each leg adds to the score that `ranked` gives."""
        weights = ranking.weights_for(self.kind, tuple(self.candidates))
        return leg_shares(self.candidates, weights, self.able, ranking.fusion, ranking.odds_for(self.kind))
