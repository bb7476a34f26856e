"""Who is logged in: a random token in the browser's cookie, and what it stands for in this process only."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 8 * 3600
"""How long a log-in lasts, whatever is done with it."""
MOST = 200
"""Log-ins remembered; the oldest is forgotten first."""


@dataclass(frozen=True)
class Session:
    """A log-in by the API key `key` (its id, never its secret); `proof` must come with every form, `ends` is a time."""

    key: str
    proof: str
    ends: float

    def proves(self, sent: str) -> bool:
        """Whether `sent` came from a form that this session was shown."""
        return hmac.compare_digest(sent.encode(), self.proof.encode())


class Sessions:
    """Log-ins by the digest of their token: whoever reads this process's memory has no cookie. `clock` tells seconds.

    Not for several threads: the event loop asks.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_digest: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, key: str) -> str:
        """Log the holder of `key` in. Returns the token, which nothing can tell again."""
        token = secrets.token_urlsafe(32)
        self._by_digest[_digest(token)] = Session(key, secrets.token_urlsafe(32), self._clock() + SECONDS)
        if len(self._by_digest) > MOST:
            self._by_digest.popitem(last=False)
        return token

    def of(self, token: str) -> Session | None:
        """What `token` stands for; None for one that is unknown, ended or too old."""
        found = self._by_digest.get(_digest(token))
        if found is not None and self._clock() >= found.ends:
            self.end(token)
            return None
        return found

    def end(self, token: str) -> None:
        """Log out; an unknown token is no error."""
        self._by_digest.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
