"""The section `monitor` of params.yaml: how much must have been seen, how far it must have moved, how often in vain."""

from typing import Literal

from pydantic import Field

from catalog.params import Section

MOST_TESTS = 60
"""Tests in one run, at most: three of queries, two and eight of answers, the rest of clicks."""


class Minimum(Section):
    """What must lie in each of two windows before they are compared; less gives no alarm, and says so."""

    queries: int = Field(default=300, ge=20)
    plain: int = Field(default=200, ge=20)
    """Queries whose words the journal holds."""
    events: int = Field(default=300, ge=20)
    """Of one slice: views and clicks of interactions, answers of click-through."""
    products: int = Field(default=100, ge=20)


class Limits(Section):
    """How far each may move. A share that moves from 0.30 to 0.42 has moved by 0.12."""

    languages: float = Field(default=0.10, gt=0, le=1)
    """Share of queries that would have to be in another language (total variation), as of kinds, categories..."""
    kinds: float = Field(default=0.10, gt=0, le=1)
    wording: float = Field(default=0.55, gt=0.5, le=1)
    """How well a classifier tells the windows apart by a query's vector: area under the ROC curve; by chance 0.5.
    Where a share s of the queries is of another world and the rest as before, it is 0.5 + s / 2.
    """
    zero_result: float = Field(default=0.02, gt=0, le=1)
    """Rise of the share."""
    low_confidence: float = Field(default=0.10, gt=0, le=1)
    top_score: float = Field(default=0.15, gt=0, le=1)
    """Kolmogorov-Smirnov distance of the best hits' scores, within one kind and release."""
    latency: float = Field(default=1.5, gt=1)
    """Times the p95 of the reference."""
    clicks: float = Field(default=0.20, gt=0, le=1)
    """Fall of clicks per view, or of the share of answers with a click, as a share of what it was."""
    products_changed: float = Field(default=0.30, gt=0, le=1)
    """Share of today's products that are new or not as they were."""
    categories: float = Field(default=0.10, gt=0, le=1)
    brands: float = Field(default=0.20, gt=0, le=1)
    product_languages: float = Field(default=0.10, gt=0, le=1)
    prices: float = Field(default=0.20, gt=0, le=1)
    """Kolmogorov-Smirnov distance within the most frequent currency."""
    without_picture: float = Field(default=0.05, gt=0, le=1)
    """Rise of the share."""
    pictures: float = Field(default=0.7, gt=0.5, le=1)
    """How well a classifier tells the pictures of then and of now apart by their colours, as in gates.continuity."""
    without_description: float = Field(default=0.10, gt=0, le=1)
    new_values: float = Field(default=0.05, gt=0, le=1)
    """Share of products with an attribute value or category that no product had."""


class Topics(Section):
    """Queries that found nothing, or whose legs did not agree, in groups."""

    by: Literal["vectors", "words"] = "vectors"
    """What makes queries alike: their vectors by the champion, across languages, or the words that they share."""

    most: int = Field(default=10, ge=2, le=50)
    fewest: int = Field(default=20, ge=5)
    """Different queries, below which they are one list."""
    queries: int = Field(default=1000, ge=50, le=5000)
    """Different queries that are grouped, the most frequent first."""


class MonitorParams(Section):
    """Alarms of `etalage monitor`."""

    reference_days: float = Field(default=7.0, gt=0)
    """Days after its promotion in which a champion sees what is usual."""
    false_alarms: float = Field(default=0.01, gt=0, le=0.2)
    """Probability that a run alarms although nothing moved, over all of its tests together (Holm)."""
    sample: int = Field(default=1000, ge=100, le=5000)
    """Queries of a window that are encoded."""
    seed: int = 7
    minimum: Minimum = Minimum()
    limits: Limits = Limits()
    topics: Topics = Topics()

    @property
    def draws(self) -> int:
        """Permutations of a test: so many that its least p-value, 1 / (draws + 1), can pass Holm's first step."""
        return max(999, round(2 * MOST_TESTS / self.false_alarms) - 1)
