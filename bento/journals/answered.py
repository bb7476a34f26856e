"""One answer as the journal keeps it: what `etalage why --answer` and the drift of queries are read from.

It tells of the query what the log may tell (ETALAGE_SERVICE_LOG_QUERIES), and never the values of filters.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bento.asking.verdict import is_doubtful
from bento.telling.logs import Notes


@dataclass(slots=True)
class Answered:
    """One query that was answered or refused. What is not known stays None, and is left out of its line."""

    time: datetime
    """When it was over, UTC."""
    request: str
    """The id in X-Request-Id: the caller's own where it sent one, so it may come again."""
    release: str
    """That answered; "" where none was open."""
    kind: str
    """text, image, text+image, product, or unread: refused before it was known what it asks."""
    status: int
    """Of HTTP; 0 where the caller left before an answer."""
    ms: float
    language: str | None = None
    """Of the words: en, zh, mixed; None without any."""
    reason: str | None = None
    """Kind of the refusal."""
    k: int | None = None
    hits: int | None = None
    """How many there were."""
    ids: list[str] | None = None
    """Products, best first; no more than ETALAGE_SERVICE_JOURNAL_HITS of them."""
    top: float | None = None
    """Score of the best hit; compares within queries of one kind and release at best."""
    low_confidence: bool | None = None
    zero_result: bool | None = None
    filters: list[str] | None = None
    """Names of the fields that were filtered."""
    query: dict[str, Any] | None = None
    query_hash: str | None = None


def answered(request: str, release: str, notes: Notes, status: int, seconds: float, most_hits: int) -> Answered:
    """What the journal keeps of a query that is over just now."""
    line = Answered(datetime.now(UTC), request, release, notes.kind, status, round(seconds * 1000, 1))
    line.language = notes.language
    line.query, line.query_hash = notes.asked.get("query"), notes.asked.get("query_hash")
    answer = notes.answer
    if answer is None:
        line.reason = notes.reason or None
        return line
    line.k, line.filters = notes.k, list(notes.filters) or None  # of a refused query both are what the caller likes
    line.hits, line.ids = len(answer.hits), [hit.id for hit in answer.hits[:most_hits]]
    line.top = round(answer.hits[0].score, 6) if answer.hits else None
    line.low_confidence, line.zero_result = is_doubtful(answer), not answer.hits
    return line
