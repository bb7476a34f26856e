"""A typed client of Etalage's HTTP service, with and without async. Of Etalage itself it needs nothing.

from etalage_client import Client

with Client("http://127.0.0.1:3000", key="...") as shop:
    for hit in shop.search("red dress", k=3, filters={"price": {"lt": 80}}).hits:
        print(hit.rank, hit.title)
"""

from etalage_client.answers import (
    Alive,
    FeedbackAnswer,
    Hit,
    LegScore,
    ProductAnswer,
    Ready,
    SearchAnswer,
    Understood,
)
from etalage_client.async_client import AsyncClient
from etalage_client.bodies import Event, Filters, SearchOptions, Term
from etalage_client.client import Client
from etalage_client.errors import EtalageClientError, NoAnswer, Refused, Unreachable, Unreadable
from etalage_client.patience import Patience

__all__ = [
    "Alive",
    "AsyncClient",
    "Client",
    "EtalageClientError",
    "Event",
    "FeedbackAnswer",
    "Filters",
    "Hit",
    "LegScore",
    "NoAnswer",
    "Patience",
    "ProductAnswer",
    "Ready",
    "Refused",
    "SearchAnswer",
    "SearchOptions",
    "Term",
    "Understood",
    "Unreachable",
    "Unreadable",
]
