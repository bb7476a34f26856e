"""Rolling back from the page: `etalage rollback` as a process of its own, one at a time.

A process of its own, because it opens the embedded Milvus, which one process holds as long as it lives; and because it
then goes on to its end, whatever becomes of this server.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bento.errors import Busy, WrongShape, one_sentence
from flows.admin.refusals import Overtaken
from flows.errors import OK
from flows.releases import ReleaseStore

MOST_REASON = 300  # characters
LOG = Path("admin") / "rollback.log"  # in ETALAGE_HOME: what the last one said
LOGGED = re.compile(r"\d\d:\d\d:\d\d\.\d+ \| ")
"""How a line of Prefect's log begins; the refusal stands outside of it."""
SUGGESTED = (
    "Hits look wrong",
    "Hits of one category look wrong",
    "Answers are too slow",
    "Errors since the promotion",
)


@dataclass(frozen=True)
class Wish:
    """To go back from `champion` to `to`, as `by` asked for with `reason`."""

    champion: str
    to: str
    by: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """How a rollback ended: the exit code of the command, and its last words."""

    wish: Wish
    code: int
    sentence: str
    at: str  # ISO 8601, UTC

    @property
    def done(self) -> bool:
        """Whether the release before answers again."""
        return self.code == OK


Carry = Callable[[Wish], Awaitable[tuple[int, str]]]
"""Does what is wished for. Returns an exit code and the last words."""


class Rollbacks:
    """The one that is under way, and the last one that ended. The event loop asks."""

    def __init__(self, store: ReleaseStore, carry: Carry) -> None:
        self._store = store
        self._carry = carry
        self._task: asyncio.Task[Outcome] | None = None
        self.under_way: Wish | None = None
        self.last: Outcome | None = None

    def begin(self, wish: Wish) -> "asyncio.Task[Outcome]":
        """Begin it. Raises Busy where one is under way, Overtaken where another champion answers by now."""
        if self.under_way is not None:
            raise Busy(f"A rollback to {self.under_way.to} is under way.", 5)
        champion = self._store.champion()
        if champion is None or (champion.release, champion.previous) != (wish.champion, wish.to):
            now = "no release" if champion is None else f"release {champion.release}"
            raise Overtaken(f"Meanwhile {now} is the champion, so nothing was done: look at the page again.")
        self.under_way, self.last = wish, None
        self._task = asyncio.create_task(self._run(wish))
        return self._task

    async def _run(self, wish: Wish) -> Outcome:
        code, said = 1, "It could not be started."
        try:
            code, said = await self._carry(wish)
        finally:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self.last = Outcome(wish, code, one_sentence(said), at)
            self.under_way = None
        return self.last


def wish_of(form: dict[str, str], by: str) -> Wish:
    """What a form asks for. Raises WrongShape with one sentence about what is missing."""
    reason = form.get("reason", "")
    if not reason:
        raise WrongShape("A rollback needs a reason: it stays in the record.")
    if len(reason) > MOST_REASON or not reason.isprintable():
        raise WrongShape(f"A reason is one line of at most {MOST_REASON} characters.")
    if not form.get("champion") or not form.get("to"):
        raise WrongShape("Say which release is the champion (`champion`) and which is to answer again (`to`).")
    return Wish(form["champion"], form["to"], by, reason)


def by_command(home: Path) -> Carry:
    """`etalage rollback` in this workspace, its words kept in LOG of `home`."""

    async def carry(wish: Wish) -> tuple[int, str]:
        log = home / LOG
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = (f"--reason={wish.reason}", f"--by={wish.by}", f"--instead-of={wish.champion}")
        with log.open("wb") as out:  # a file, and no pipe of ours: it goes on when this server ends
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "flows", "rollback", *options,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
            code = await process.wait()
        if code == OK:
            return code, f"Release {wish.to} answers again."
        lines = log.read_text(errors="replace").splitlines()
        said = [line for line in lines if line.strip() and not LOGGED.match(line)]
        return code, said[-1] if said else f"It ended with exit code {code}: {log} has all of it."

    return carry
