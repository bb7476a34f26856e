"""Who comes in: an API key where there are keys, nobody from outside where there are none, and how often each.

A route says what it needs by `middleware=needs("search", service.admit)`; a route without it is open to all.
"""

import ipaddress
import logging
import math
import os
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.errors import NoKey, RateLimited, UnknownKey, WrongScope, one_sentence
from bento.guarding.addresses import strangers_reach
from bento.guarding.limits import TokenBuckets
from bento.settings import ServiceSettings
from catalog.errors import NotReady
from search.key_file import KeyFile, key_path
from search.keys import ADMIN, InvalidKeys, Keys, KeyScope
from search.settings import SearchSettings

logger = logging.getLogger("etalage.service")

CALLER = "etalage.caller"
"""Where the ASGI scope of a request holds the id of the key that asked."""
UNPROTECTED = (
    "The service listens on an address that strangers reach and has no API keys: make one with `etalage keys add`, "
    "or listen on 127.0.0.1."
)
AS_ROOT = "run it as a user of its own, as the image of its Bento does."
Admit = Callable[[Scope, KeyScope], None]


class Door:
    """Lets requests in, or says why not. `bound` are the addresses that the process listens on."""

    def __init__(self, settings: ServiceSettings, bound: Callable[[], tuple[str, ...]]) -> None:
        self._file = KeyFile(key_path(SearchSettings().home, settings.keys), required=settings.keys is not None)
        self._bound = bound()
        self._buckets = TokenBuckets(settings.rate, settings.burst) if settings.rate else None
        self._wrong = TokenBuckets(settings.wrong_keys / 60, settings.wrong_keys) if settings.wrong_keys else None
        self._told = ""

    def keys(self) -> Keys | None:
        """The keys of now; None where the service is open because only this machine reaches it.

        Raises InvalidKeys for a broken or vanished file, NotReady where strangers reach a service without keys.
        """
        try:
            found = self._file.now()
        except InvalidKeys as error:
            self._tell(logging.ERROR, f"nobody is let in: {one_sentence(str(error))}")
            raise
        if found is not None:
            self._tell(logging.INFO, f"API keys are on: {len(found.live())} of {self._file.path} open this service")
        elif reached := strangers_reach(self._bound):
            self._tell(logging.ERROR, f"nobody is let in: {UNPROTECTED} (it listens on {', '.join(reached)})")
            raise NotReady(UNPROTECTED)
        else:
            self._tell(
                logging.WARNING,
                f"API KEYS ARE OFF, listening on {', '.join(self._bound) or 'no address'}: whoever is on this machine "
                "may search, and so may everybody behind a proxy on it. Make keys with `etalage keys add`.",
            )
        return found

    def tell(self) -> None:
        """Say in the log at the start who is let in, and whether too much would be in their hands."""
        if os.geteuid() == 0 and (reached := strangers_reach(self._bound)):
            logger.warning("the service runs as root and strangers reach it at %s: %s", ", ".join(reached), AS_ROOT)
        with suppress(InvalidKeys, NotReady):  # told by `keys`; /readyz and every refusal say it again
            self.keys()

    def admit(self, scope: Scope, need: KeyScope) -> None:
        """Return if the request may go on; it then carries the id of its key under CALLER.

        Raises NoKey, UnknownKey (401), WrongScope (403), RateLimited (429), and what `keys` raises (503).
        """
        found = self.keys()
        if found is None:
            server = (scope.get("server") or ("",))[0]
            if _is_address(server) and strangers_reach([server]):
                raise NotReady(UNPROTECTED)  # it came in through a socket that was opened after the start
            caller = f"address {_network(scope)}"
        else:
            key = found.holder(_secret(Headers(scope=scope)))
            if key is None:
                self._count_wrong(scope)
                raise UnknownKey("The API key is unknown or was revoked.")
            scope[CALLER] = key.id
            if not key.allows(need):
                raise WrongScope(f"The API key is not allowed to do this: it lacks the scope {need}.", need)
            caller = f"key {key.id}"
        # Prometheus must not be refused because a search from the same place was too eager.
        if self._buckets is not None and need != ADMIN and (wait := self._buckets.take(caller)):
            raise RateLimited("Too many requests from this caller: Retry-After says when.", math.ceil(wait))

    def _count_wrong(self, scope: Scope) -> None:
        """Raises RateLimited for an address that sent too many wrong keys.

        Only another wrong key is told so: whoever shares an address with a guesser goes on with a right one.
        """
        if self._wrong is None:
            return
        address = _network(scope)
        if wait := self._wrong.take(address):
            self._tell(logging.WARNING, f"wrong API keys come from {address}, more than {self._wrong.burst} a minute")
            raise RateLimited("Too many wrong API keys from this address: Retry-After says when.", math.ceil(wait))

    def _tell(self, level: int, sentence: str) -> None:
        """Log what changed, once."""
        if sentence != self._told:
            self._told = sentence
            logger.log(level, "%s", sentence)


class Guard:
    """ASGI middleware of one route: only who may do what `need` names goes on, before a byte of the body is read."""

    def __init__(self, app: ASGIApp, need: KeyScope, admit: Admit) -> None:
        self.app = app
        self.need = need
        self.admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Raises what `Door.admit` raises."""
        self.admit(scope, self.need)
        await self.app(scope, receive, send)


def needs(need: KeyScope, admit: Admit) -> list[Middleware]:
    """What a route is given so that it asks for a key with the scope `need`."""
    return [Middleware(Guard, need=need, admit=admit)]


def _secret(headers: Headers) -> str:
    """The one secret that the request carries. Raises NoKey for none, UnknownKey for several that differ."""
    sent = {value.strip() for value in headers.getlist("x-api-key")}
    for value in headers.getlist("authorization"):
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            sent.add(rest.strip())
    sent.discard("")
    if not sent:
        raise NoKey("This needs an API key: send it as Authorization: Bearer KEY, or as X-Api-Key: KEY.")
    if len(sent) > 1:
        raise UnknownKey("The request carries two different API keys: send one.")
    return sent.pop()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _network(scope: Scope) -> str:
    """The caller's address; of IPv6 its /64, since a caller has all of that. One name for whatever is no address."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
