"""POST /feedback: what callers did with answers goes into a journal of its own, for `etalage monitor`.

It needs no release and no thread of the queries: a search waits for no feedback. Whether there was such an answer is
not looked up, since another process may have given it; who reads the journals joins them, and tells what fits nowhere.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from bento.asking.bodies import BodyReader
from bento.asking.queries import as_json
from bento.asking.reading import parse_fields
from bento.errors import Busy, NoJournal, NotKept
from bento.feedback.schemas import FeedbackAnswer, FeedbackRequest
from bento.guarding.envelope import NOTES
from bento.journals.journal import Journal
from bento.journals.reported import Reported
from bento.settings import ServiceSettings
from bento.telling.logs import Notes, QueryTeller
from bento.telling.metrics import Metrics

MOST_AT_ONCE = 64
"""Requests that are read or wait for the disk; the next one is told 429."""
PATIENCE = 5.0
"""Seconds that a request waits for the disk."""
MOST_REMEMBERED = 10_000
"""Events of late by which a repeated one is known."""


class Feedback:
    """Takes feedback while the service runs. `journal` is durable: what it has written is on the disk."""

    def __init__(self, settings: ServiceSettings, journal: Journal, metrics: Metrics, teller: QueryTeller) -> None:
        self._settings, self._journal, self._metrics, self._teller = settings, journal, metrics, teller
        self._reader = BodyReader(settings, settings.max_other_bytes)
        self._parser = ThreadPoolExecutor(1, "feedback")  # one: whatever comes, it takes no more than that of a core
        self._recent = Recent(MOST_REMEMBERED)
        self._taken = 0

    def close(self) -> None:
        """Take no more."""
        self._parser.shutdown(wait=False, cancel_futures=True)

    async def report(self, request: Request) -> Response:
        """POST /feedback. Raises NoJournal, Busy, NotKept, and what is wrong with the request."""
        if not self._journal.is_open:
            raise NoJournal("This service keeps no journal, so it cannot take feedback.")
        if self._taken >= MOST_AT_ONCE:
            raise Busy("The service is taking as much feedback as it can: Retry-After says when to try again.")
        self._taken += 1
        writing: asyncio.Future[None] | None = None
        try:
            lines = await self._read(request)
            fresh, repeated = self._recent.told_apart(lines)
            if fresh:
                writing = asyncio.wrap_future(self._journal.keep(fresh))
                await self._written(writing, fresh)
                self._recent.add(fresh)
        finally:
            if writing is None or writing.done():
                self._taken -= 1
            else:  # the disk is stuck, and the lines still wait for it
                writing.add_done_callback(self._free)
        self._metrics.reported("repeated", repeated)
        return as_json(FeedbackAnswer(kept=len(fresh), repeated=len(repeated)).model_dump())

    async def _read(self, request: Request) -> list[Reported]:
        kind = request.headers.get("content-type", "")
        with self._reader.holding() as hold:
            body = await hold.read(request)
            asked = await asyncio.get_running_loop().run_in_executor(
                self._parser, parse_fields, FeedbackRequest, body, kind, self._settings
            )
        notes: Notes = request.scope[NOTES]
        notes.asked = {"events": len(asked.events)}
        now = datetime.now(UTC)
        return [
            Reported(
                time=now,
                request_id=event.request_id,
                product_id=event.product_id,
                action=event.action,
                rank=event.rank,
                at=event.at,
                **self._teller.user(event.user_id),
            )
            for event in asked.events
        ]

    async def _written(self, writing: "asyncio.Future[None]", lines: Sequence[Reported]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(writing)
        except (OSError, TimeoutError):  # the log has the reason: the journal tells it
            self._metrics.reported("lost", lines)
            raise NotKept("The feedback could not be kept: send it again in a while.") from None
        self._metrics.reported("kept", lines)

    def _free(self, writing: "asyncio.Future[None]") -> None:
        writing.exception()  # nobody else asks for it any more
        self._taken -= 1


class Recent:
    """The events of late, so that one that is sent again is not kept again by this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[tuple[str, str, str], None] = {}

    def told_apart(self, lines: Sequence[Reported]) -> tuple[list[Reported], list[Reported]]:
        """Those of `lines` that are new, each once, and the others."""
        new: dict[tuple[str, str, str], Reported] = {}
        repeated = []
        for line in lines:
            if line.key in self._known or line.key in new:
                repeated.append(line)
            else:
                new[line.key] = line
        return list(new.values()), repeated

    def add(self, lines: Sequence[Reported]) -> None:
        """Know them from now on, and forget the oldest for them."""
        for line in lines:
            self._known[line.key] = None
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
