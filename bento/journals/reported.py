"""What a caller did with an answer, as the journal of feedback keeps it: a line for each event of POST /feedback.

A line names the answer by its request id and nothing of what was asked; what is known of that is in the journal of
answers. Of the user it tells what the log may tell of queries (ETALAGE_SERVICE_LOG_QUERIES).
"""

from dataclasses import dataclass
from datetime import datetime

from catalog.actions import Action


@dataclass(slots=True)
class Reported:
    """One action on one hit. What is not known stays None, and is left out of its line."""

    time: datetime
    """When the service was told, UTC."""
    request_id: str
    """Of the answer, from its header X-Request-Id. Nobody has looked whether there was one."""
    product_id: str
    action: Action
    rank: int | None = None
    """The hit's place in the answer, 1 is best, as the caller tells it."""
    at: str | None = None
    """When it happened, as the caller tells it: ISO 8601 with a time zone."""
    user_id: str | None = None
    user_hash: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Request, product, action: who reports these again reports nothing new."""
        return self.request_id, self.product_id, self.action
