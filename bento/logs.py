"""The log: one JSON object a line. A request leaves one line; of what was asked only what a setting allows.

{"time": "2026-11-21T10:00:00.123Z", "level": "info", "logger": "etalage.access", "request": "order-66",
 "method": "POST", "route": "/search", "kind": "text", "status": 200, "release": "r20261121-1", "hits": 10,
 "ms": 8.1, "phases_ms": {"read": 0.1, "encode": 1.4}}
"""

import hashlib
import json
import logging
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bento.settings import ServiceSettings
from catalog.tokens import normalise
from search.engine import Query

UNREAD = "unread"
"""Kind of a query that was refused before it was known what it asks."""
FIELDS = "fields"
"""Attribute of a log record: what stands beside its message."""


@dataclass
class Notes:
    """What becomes known of a request while it is answered; the line in the log is made of it."""

    kind: str = ""
    """Of the query: text, image, text+image, product, or UNREAD; "" where the request is no query."""
    release: str = ""
    """That answered; "" where none did."""
    hits: int | None = None
    phases_ms: dict[str, float] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    """What the setting allows to tell of the query."""
    reason: str = ""
    """Kind of the refusal; "" for none."""


class QueryTeller:
    """Tells of a query what `log_queries` allows: nothing, a hash of it, or its words."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.how = settings.log_queries
        # Without a key of the operator's, hashes compare within one process and nobody can look words up by them.
        self._key = hashlib.sha256(settings.log_key.get_secret_value().encode() or secrets.token_bytes(32)).digest()

    def of(self, query: Query) -> dict[str, Any]:
        """Of a search. Pictures are told by the first 16 hex of their sha256."""
        if self.how == "none":
            return {}
        words = {"text": query.text} if query.text is not None else {}
        terms = {"terms": [[term.text, term.weight] for term in query.terms]} if query.terms else {}
        pictures = [hashlib.sha256(image).hexdigest()[:16] for image in query.images]
        return self._told({**words, **terms, **({"images": pictures} if pictures else {})})

    def like(self, product_id: str) -> dict[str, Any]:
        """Of a question for products like one."""
        return {} if self.how == "none" else self._told({"like": product_id})

    def _told(self, query: dict[str, Any]) -> dict[str, Any]:
        if self.how == "plain":
            return {"query": query}
        same = normalise(json.dumps(query, ensure_ascii=False, sort_keys=True))
        return {"query_hash": hashlib.blake2b(same.encode(), key=self._key, digest_size=8).hexdigest()}


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, logger, message if any, its FIELDS, and a traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        if message := record.getMessage():
            line["message"] = message
        line |= getattr(record, FIELDS, {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_as_json_lines() -> None:
    """Send every logger of etalage to stdout as JSON lines; BentoML's own lines stay as they are."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("etalage")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]
    logger.propagate = False
