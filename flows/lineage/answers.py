"""The journals of answers and of feedback, read: what bento/journals/ has written, of every process of a home."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bento.journals.answered import Answered
from bento.journals.files import SUFFIX
from bento.journals.journal import FEEDBACK, journal_folder
from bento.journals.reported import Reported
from bento.settings import ServiceSettings
from catalog.errors import NotReady
from flows.errors import AnswerNotFound

Kept = TypeVar("Kept", Answered, Reported)
_ANSWERED, _REPORTED = TypeAdapter(Answered), TypeAdapter(Reported)


@dataclass
class Reading:
    """Counts beside what was read: `unreadable` lines were cut short by a kill, or are not of a journal."""

    lines: int = 0
    unreadable: int = 0


def read_answers(folder: Path, count: Reading | None = None, containing: bytes = b"") -> Iterator[Answered]:
    """All lines below `folder` that contain these bytes, file by file in the order in which the files began.

    A file that is removed meanwhile (it is the oldest) is passed over.
    """
    return _read(folder, _ANSWERED, count or Reading(), containing)


def read_reported(folder: Path, count: Reading | None = None, containing: bytes = b"") -> Iterator[Reported]:
    """All feedback to the answers in `folder`, as `read_answers`; what was sent again is there again."""
    return _read(folder / FEEDBACK, _REPORTED, count or Reading(), containing)


def _read(folder: Path, kind: TypeAdapter[Kept], count: Reading, containing: bytes) -> Iterator[Kept]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if containing not in content:
            continue
        for line in content.split(b"\n"):
            if line and containing in line:
                try:
                    yield kind.validate_json(line)
                except ValidationError:
                    count.unreadable += 1
                else:
                    count.lines += 1


def once(lines: Iterable[Reported]) -> list[Reported]:
    """Each action on a hit once, as it was told first; oldest first."""
    found: dict[tuple[str, str, str], Reported] = {}
    for line in sorted(lines, key=lambda line: line.time):
        found.setdefault(line.key, line)
    return list(found.values())


NOWHERE = 0
"""The place of a hit of which it is not known."""


def meant(answers: Sequence[Answered], time: datetime) -> int:
    """Which of several answers to one request id was reported of then: the last one before.

    An id is the caller's own where it sent one, so it may come again.
    """
    before = [number for number, line in enumerate(answers) if line.time <= time]
    return max(before or range(len(answers)), key=lambda number: answers[number].time)


def place_of(line: Answered, event: Reported) -> int | None:
    """Where the reported hit was in the answer: its rank, NOWHERE where that is not known; None where it cannot have
    been there.
    """
    hits, ids = line.hits or 0, line.ids or []
    known = ids.index(event.product_id) + 1 if event.product_id in ids else NOWHERE
    if known and event.rank in (None, known):
        return known
    if known or hits <= len(ids):
        return None
    if event.rank is None:
        return NOWHERE
    return event.rank if len(ids) < event.rank <= hits else None


def words_of(line: Answered) -> str | None:
    """The words that the encoder was given: the text, and the terms that pull. None where the journal has none."""
    if line.query is None:
        return None
    pulling = [text for text, weight in line.query.get("terms", ()) if weight > 0]
    words = " ".join([line.query.get("text") or "", *pulling]).strip()
    return words or None


def folder_of(home: Path) -> Path:
    """Where the services of `home` journal. Raises NotReady where the environment switches that off."""
    folder = journal_folder(home, ServiceSettings())
    if folder is None:
        raise NotReady("Answers are not journalled here: ETALAGE_SERVICE_JOURNAL is off, or there is no home.")
    return folder


def find_answers(home: Path, request: str) -> tuple[Answered, ...]:
    """Every answer to a request with this id, oldest first: a caller that sends its own may send it again.

    Raises AnswerNotFound.
    """
    folder = folder_of(home)
    found = [
        line for line in read_answers(folder, containing=request.encode(errors="replace")) if line.request == request
    ]
    if not found:
        first = next(iter(read_answers(folder)), None)
        since = "it is empty" if first is None else f"it begins at {first.time.isoformat(timespec='seconds')}"
        raise AnswerNotFound(
            f"No query with the request id '{request}' is in the journal {folder} ({since}). A service elsewhere has "
            "its own; the log and the header X-Etalage-Release name the release of every answer: `etalage why RELEASE`."
        )
    return tuple(sorted(found, key=lambda line: line.time))


def find_reported(home: Path, request: str) -> tuple[Reported, ...]:
    """What was reported of the answers to a request with this id, each action on a product once, oldest first."""
    lines = read_reported(folder_of(home), containing=request.encode(errors="replace"))
    return tuple(once(line for line in lines if line.request_id == request))
