"""Opening the release in the background until it answers, and proving on every /readyz that it still does."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bento.errors import Busy, TooSlow, body_of, one_sentence, refusal_of
from bento.settings import ServiceSettings
from bento.threads import QueryThreads
from catalog.errors import EtalageError, NotReady
from search.engine import Query, SearchEngine
from search.query_cache import past_the_cache

logger = logging.getLogger("etalage.service")

MAX_WAIT = 30.0
PROOF_LASTS = 1.0
"""Seconds for which one probe query answers for every /readyz, so that probing costs nothing."""


@dataclass(frozen=True)
class Proof:
    """The outcome of one probe query."""

    at: float
    took_ms: float
    failure: str


class Readiness:
    """Holds the engine once it is open; until then, the reason why not."""

    def __init__(self, load: Callable[[], SearchEngine], settings: ServiceSettings) -> None:
        self._load = load
        self._settings = settings
        self._engine: SearchEngine | None = None
        self._reason = "The release is being opened."
        self._proof: Proof | None = None
        self._proving = asyncio.Lock()
        self._thread = QueryThreads(threads=1, queue=0, timeout=settings.probe_timeout, name="probe")

    def engine(self) -> SearchEngine:
        """The engine. Raises NotReady with the reason while there is none."""
        if self._engine is None:
            raise NotReady(self._reason)
        return self._engine

    def opened(self) -> SearchEngine | None:
        """The engine, or None while there is none."""
        return self._engine

    async def open(self) -> None:
        """Open the release, however often it takes: a store that comes back needs no restart of the service."""
        wait = self._settings.retry_seconds
        while True:
            try:
                self._engine = await asyncio.to_thread(self._open)
                logger.info("release %s is open", self._engine.release)
                return
            except EtalageError as error:
                self._reason = one_sentence(str(error))
                logger.warning("not ready: %s", self._reason)
            except Exception as error:  # whatever a store or a model file can raise: shown in /readyz, and tried again
                self._reason = f"The release could not be opened ({type(error).__name__}); the log has the reason."
                logger.exception("not ready")
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT)

    def _open(self) -> SearchEngine:
        engine = self._load()
        engine.encoder.check_probes()
        self._ask(engine)
        return engine

    def _ask(self, engine: SearchEngine) -> None:
        with past_the_cache():  # a remembered vector would prove nothing of the encoder
            found = engine.search(Query(text=self._settings.probe_text, k=1))
        if not found.hits:
            raise NotReady("The probe query found no product: the release's collection is empty.")

    async def prove(self) -> Proof:
        """Ask the probe query now, or take the last proof while it is fresh. Raises NotReady with the reason."""
        engine = self.engine()
        async with self._proving:
            if self._proof is None or time.monotonic() - self._proof.at > PROOF_LASTS:
                self._proof = await self._prove(engine)
        if self._proof.failure:
            raise NotReady(self._proof.failure)
        return self._proof

    async def _prove(self, engine: SearchEngine) -> Proof:
        started = time.monotonic()
        failure = ""
        try:
            await self._thread.run(lambda: self._ask(engine))
        except (TooSlow, Busy):  # Busy: the last probe query is still running
            failure = f"The probe query took longer than {self._settings.probe_timeout:g} seconds."
        except Exception as error:  # the probe's failure is the answer of /readyz
            if refusal_of(error).status >= 500:
                logger.exception("the probe query failed")
            failure = f"The probe query failed: {body_of(error)['error']}"
        return Proof(at=time.monotonic(), took_ms=(time.monotonic() - started) * 1000, failure=failure)

    def close(self) -> None:
        """Stop probing."""
        self._thread.close()
