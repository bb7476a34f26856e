"""What a request leaves in the log: one line, and of what was asked only what a setting allows."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from bento.settings import ServiceSettings
from catalog.words.tokens import normalise
from search.engine import Answer, Query

UNREAD = "unread"
"""Kind of a query that was refused before it was known what it asks."""


@dataclass
class Notes:
    """What becomes known of a request while it is answered; the line in the log is made of it."""

    kind: str = ""
    """Of the query: text, image, text+image, product, or UNREAD; "" where the request is no query."""
    release: str = ""
    """That answered; "" where none did."""
    hits: int | None = None
    began: float = 0.0
    """When its first phase did, by time.perf_counter(); 0 where it has none."""
    phases_ms: dict[str, float] = field(default_factory=dict)
    """What it took, in the order in which they run, one after the other."""
    asked: dict[str, Any] = field(default_factory=dict)
    """What the setting allows to tell of the query."""
    reason: str = ""
    """Kind of the refusal; "" for none."""
    language: str | None = None
    """Of the query's words; None without any."""
    k: int | None = None
    """As the caller wrote it, checked only where there is an answer; so are the names of the filters."""
    filters: tuple[str, ...] = ()
    answer: Answer | None = None


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

    def user(self, user_id: str | None) -> dict[str, str]:
        """Of a user who did something with an answer: as little as of what was asked."""
        if user_id is None or self.how == "none":
            return {}
        return {"user_id": user_id} if self.how == "plain" else {"user_hash": self._hashed(user_id)}

    def _told(self, query: dict[str, Any]) -> dict[str, Any]:
        if self.how == "plain":
            return {"query": query}
        same = normalise(json.dumps(query, ensure_ascii=False, sort_keys=True))
        return {"query_hash": self._hashed(same)}

    def _hashed(self, words: str) -> str:
        return hashlib.blake2b(words.encode(), key=self._key, digest_size=8).hexdigest()
