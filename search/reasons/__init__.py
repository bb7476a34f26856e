"""Why a product was found: what of the query met what of the product, and how much of its score that is."""

from search.reasons.reason import MOST_HITS, AttributeReason, HeatMap, LegReason, Match, Reasons, WordReason

__all__ = ["MOST_HITS", "AttributeReason", "HeatMap", "LegReason", "Match", "Reasons", "WordReason"]
