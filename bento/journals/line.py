"""A line of a journal as bytes: JSON of what is known."""

import json
from dataclasses import fields
from datetime import datetime

from bento.journals.answered import Answered
from bento.journals.reported import Reported

Line = Answered | Reported
NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (Answered, Reported)}


def as_line(line: Line) -> bytes:
    """One line of JSON, with its end. Half a character, which is not text, stays an escape."""
    told = {name: value for name in NAMES[type(line)] if (value := getattr(line, name)) is not None}
    told["time"] = _written(line.time)
    words = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return words.encode("utf-8", "backslashreplace") + b"\n"


def _written(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
