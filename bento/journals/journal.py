"""The journals: one line of JSON for every query (bento/journals/answered.py), and one for every event of feedback
(bento/journals/reported.py), below the home, bounded, append only.

    ETALAGE_HOME/journal/20261121T101112.123456-4711-9f3a.jsonl
    ETALAGE_HOME/journal/feedback/20261121T101118.654321-4711-1b7c.jsonl

Every process writes files of its own, so two releases and several workers never share one. A request only puts its line
into a bounded queue; a thread writes what has come every FLUSH seconds. A disk that is full, gone or stuck costs lines,
which are counted, and never an answer. A kill -9 loses the lines of the last FLUSH seconds. Feedback is told only when
its lines are on the disk: who reports it waits, and tries again where it was not kept.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from bento.journals.files import JournalFiles
from bento.journals.line import Line, as_line
from bento.settings import ServiceSettings

logger = logging.getLogger("etalage.service")

FOLDER, FEEDBACK = "journal", "feedback"
FLUSH = 0.2
"""Seconds for which lines are gathered before they are written at once."""
MOST_WAITING = 10_000
"""Lines that wait for a disk that is stuck; more are lost."""
LAST_SECONDS = 3.0
"""How long a service that stops waits for its last lines to be written."""
HOUR = 3600.0

Told = Callable[[str, int], None]
Batch = tuple[Sequence[Line], Future[None] | None]
"""Lines, and what is to be told when they were written."""


def journal_folder(home: Path, settings: ServiceSettings) -> Path | None:
    """Where the journal is: as the settings say, or in `home`; None where it is off, or `home` is not there.

    A Bento in a container without a home keeps none: whatever it wrote there would be lost with it, and its log has
    release and request id of every answer.
    """
    if not settings.journal:
        return None
    if settings.journal_folder is not None:
        return settings.journal_folder.absolute()
    return (home / FOLDER).absolute() if home.is_dir() else None


def feedback_folder(home: Path, settings: ServiceSettings) -> Path | None:
    """Where feedback is kept: in the journal's folder; None where there is none."""
    folder = journal_folder(home, settings)
    return None if folder is None else folder / FEEDBACK


class Journal:
    """A journal of one process, `of` answers or feedback. `told` hears ("written" or "lost", lines).

    A `durable` one gathers nothing, and puts on the disk at once all that came while it did so the last time.
    """

    def __init__(self, told: Told, of: str = "answers", durable: bool = False) -> None:
        self._told, self._of, self._durable = told, of, durable
        self._waiting: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    def open(self, folder: Path | None, most_bytes: int, most_days: float) -> None:
        """Begin to write into `folder`, where the newest `most_bytes` of at most `most_days` days are kept."""
        if folder is None:
            logger.info("%s are not journalled: it is switched off, or there is no home", self._of)
            return
        files = JournalFiles(folder, most_bytes, most_days, self._durable)
        self._thread = threading.Thread(target=self._run, args=(files,), name=f"journal of {self._of}", daemon=True)
        self._thread.start()

    def note(self, line: Line) -> None:
        """Keep `line`, soon. Takes microseconds, whatever the disk does."""
        if self._thread is None:
            return
        if self._waiting.qsize() >= MOST_WAITING:
            self._told("lost", 1)
        else:
            self._waiting.put(((line,), None))

    def keep(self, lines: Sequence[Line]) -> Future[None]:
        """Keep `lines` of an open journal, and be told: done when they were written, OSError where they were lost."""
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # from now on nobody can cancel it
        self._waiting.put((lines, written))
        return written

    @property
    def is_open(self) -> bool:
        """Whether lines are kept."""
        return self._thread is not None

    def close(self) -> None:
        """Write what waits, for LAST_SECONDS at most."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._ending.set()
        self._waiting.put(None)
        thread.join(LAST_SECONDS)
        if thread.is_alive():
            logger.warning("the last %s were not journalled within %g seconds", self._of, LAST_SECONDS)

    def _run(self, files: JournalFiles) -> None:
        lost, ended = 0, False
        while not ended:
            came = self._next()
            ended = None in came
            batches = [batch for batch in came if batch is not None]
            written = [as_line(line) for lines, _ in batches for line in lines]
            try:
                files.append(b"".join(written))
            except OSError as error:
                if not lost:
                    why = error.strerror or error
                    logger.warning("%s are not journalled, and answers are given as before: %s", self._of, why)
                lost += len(written)
                self._told("lost", len(written))
                _settle(batches, error)
                continue
            if lost and written:
                logger.info("%s are journalled again; %d lines were lost", self._of, lost)
                lost = 0
            self._told("written", len(written))
            _settle(batches, None)
        files.close()

    def _next(self) -> list[Batch | None]:
        """What comes in the next FLUSH seconds; nothing after an hour without any. None is the end."""
        try:
            came = [self._waiting.get(timeout=HOUR)]
        except queue.Empty:
            return []
        self._ending.wait(0.0 if self._durable else FLUSH)
        for _ in range(self._waiting.qsize()):
            came.append(self._waiting.get())
        return came


def _settle(batches: Sequence[Batch], error: OSError | None) -> None:
    """Tell all who wait what became of their lines."""
    for _, waiting in batches:
        if waiting is not None:
            waiting.set_exception(error) if error is not None else waiting.set_result(None)
