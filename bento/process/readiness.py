"""Opening the release in the background until it answers, and proving on every /readyz that it still does.

It is a circuit breaker (Nygard, Release It!, 2007): once a store over the network does not answer, every query is
refused at once instead of waiting for it again, until the release was opened anew and its probe query was answered.
A store that was read at the start (the embedded one) is asked nothing more and cannot be missed.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bento.errors import Busy, TooSlow, body_of, one_sentence, refusal_of
from bento.process.admission import Admission
from bento.process.threads import QueryThreads
from bento.settings import ServiceSettings
from catalog.errors import EtalageError, NotReady, StoreAway
from search.deadline import answered_by
from search.engine import Query, SearchEngine
from search.query_cache import past_the_cache

logger = logging.getLogger("etalage.service")

MAX_WAIT = 10.0
PROOF_LASTS = 1.0
"""Seconds for which one probe query answers for every /readyz, so that probing costs nothing."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Proof:
    """The outcome of one probe query."""

    at: float
    took_ms: float
    failure: str


class Readiness:
    """Holds the engine once it is open; until then, the reason why not."""

    def __init__(self, load: Callable[[], SearchEngine], settings: ServiceSettings, store_timeout: float) -> None:
        """`store_timeout`: seconds in which a store over the network must have answered all that a query asks."""
        self._load = load
        self._settings = settings
        self._store_timeout = store_timeout
        self._engine: SearchEngine | None = None
        self._reason = "The release is being opened."
        self._lost = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._proof: Proof | None = None
        self._proving = asyncio.Lock()
        self._thread = QueryThreads(Admission(1, 0, patience=0), timeout=settings.probe_timeout, name="probe")

    def engine(self) -> SearchEngine:
        """The engine. Raises NotReady with the reason while there is none."""
        if self._engine is None:
            raise NotReady(self._reason)
        return self._engine

    def opened(self) -> SearchEngine | None:
        """The engine, or None while there is none."""
        return self._engine

    async def keep_open(self) -> None:
        """Open the release, and open it again whenever its store was lost."""
        while True:
            await self._open_at_last()
            await self._lost.wait()
            self._lost.clear()

    async def _open_at_last(self) -> None:
        """Open the release, however often it takes: a store that comes back needs no restart of the service."""
        wait = self._settings.retry_seconds
        while True:
            try:
                self._engine = await asyncio.to_thread(self._open)
                self._proof = None
                logger.info("release %s is open", self._engine.release)
                return
            except StoreAway as error:
                self._reason = _reason_of(error)
                logger.warning("not ready: %s", one_sentence(str(error)))
            except EtalageError as error:
                self._reason = one_sentence(str(error))
                logger.warning("not ready: %s", self._reason)
            except Exception as error:  # whatever a store or a model file can raise: shown in /readyz, and tried again
                self._reason = f"The release could not be opened ({type(error).__name__}); the log has the reason."
                logger.exception("not ready")
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT)

    def asked(self, work: Callable[[SearchEngine], Result], until: float) -> Result:
        """What `work` makes of the engine, in the thread of a query whose store must have answered by `until`.

        Raises what `work` raises, and NotReady with the reason at once where the store was lost while the query waited.
        A store that is found away is lost: everybody is refused until it was opened again.
        """
        engine = self.engine()
        try:
            with answered_by(until):
                return work(engine)
        except StoreAway as error:
            self._lose(engine, error)
            raise _Lost(_reason_of(error)) from error

    def until(self) -> float:
        """When the store must have answered a query that comes in now (time.monotonic)."""
        return time.monotonic() + self._store_timeout

    def _lose(self, engine: SearchEngine, error: StoreAway) -> None:
        if engine is not self._engine:
            return  # another query was first, and perhaps it is open again
        self._reason = _reason_of(error)
        self._engine = None
        logger.warning("the store was lost: %s", one_sentence(str(error)))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lost.set)

    def _open(self) -> SearchEngine:
        engine = self._load()
        engine.encoder.check_probes()
        with answered_by(self.until()):
            self._ask(engine)
        return engine

    def _ask(self, engine: SearchEngine) -> None:
        with past_the_cache():  # a remembered vector would prove nothing of the encoder
            found = engine.search(Query(text=self._settings.probe_text, k=1))
        if not found.hits:
            raise NotReady("The probe query found no product: the release's collection is empty.")

    async def prove(self) -> Proof:
        """Ask the probe query now, or take the last proof while it is fresh. Raises NotReady with the reason."""
        async with self._proving:
            self.engine()
            proof = self._proof
            if proof is None or time.monotonic() - proof.at > PROOF_LASTS:
                proof = self._proof = await self._prove()
        if proof.failure:
            raise NotReady(proof.failure)
        return proof

    async def _prove(self) -> Proof:
        started = time.monotonic()
        failure = ""
        try:
            until = self.until()
            await self._thread.run(lambda: self.asked(self._ask, until))
        except (TooSlow, Busy):  # Busy: the last probe query is still running
            failure = f"The probe query took longer than {self._settings.probe_timeout:g} seconds."
        except _Lost as error:  # told in the log where it was found
            failure = str(error)
        except Exception as error:  # the probe's failure is the answer of /readyz
            if refusal_of(error).status >= 500:
                logger.exception("the probe query failed")
            failure = f"The probe query failed: {body_of(error)['error']}"
        return Proof(at=time.monotonic(), took_ms=(time.monotonic() - started) * 1000, failure=failure)

    def close(self) -> None:
        """Stop probing."""
        self._thread.close()


class _Lost(NotReady):
    """The store was found away by this query."""


def _reason_of(error: StoreAway) -> str:
    return f"The product store {error.how}; queries are answered again as soon as it does."
