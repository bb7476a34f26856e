"""How candidates become one list: the settings of a release, the fusion of the legs, and the second look at the top."""

from search.ranking.fusion import FUSIONS, Able, Candidates, fuse, leg_shares
from search.ranking.settings import LEGS_OF_KIND, FusionName, KindOdds, LateKind, LegOdds, QueryKind, Ranking

__all__ = [
    "FUSIONS",
    "LEGS_OF_KIND",
    "Able",
    "Candidates",
    "FusionName",
    "KindOdds",
    "LateKind",
    "LegOdds",
    "QueryKind",
    "Ranking",
    "fuse",
    "leg_shares",
]
