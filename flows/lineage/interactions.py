"""Feedback as the interactions that training knows: a CSV file which the mapping of a catalogue may name.

    interactions: {file: interactions.csv, query: query}

The journals forget, the file does not: what it holds already stays, and what is new is added at its end.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

from bento.journals.answered import Answered
from catalog.errors import InvalidSource
from catalog.products import Interaction
from flows.durable import write_durably
from flows.lineage.answers import meant, once, place_of, read_answers, read_reported, words_of

HEADER = [field.name for field in fields(Interaction)]


def interactions_in(folder: Path) -> list[Interaction]:
    """What was reported of the answers in `folder`, each action on a hit once, in the order in which it was told.

    Who is not known is called by the request. The words of the query are those that the journal has; what fits no
    answer is left out.
    """
    reported = once(read_reported(folder))
    asked = {line.request_id for line in reported}
    answers: defaultdict[str, list[Answered]] = defaultdict(list)
    for answer in read_answers(folder):
        if answer.request in asked and answer.hits is not None:
            answers[answer.request].append(answer)
    found = []
    for line in reported:
        if line.request_id not in answers:
            continue
        of = answers[line.request_id]
        answer = of[meant(of, line.time)]
        if place_of(answer, line) is not None:
            user = line.user_id or line.user_hash or line.request_id
            at = line.at or line.time.isoformat(timespec="milliseconds")
            found.append(Interaction(user, line.product_id, line.action, at, words_of(answer)))
    return found


def add_to(path: Path, rows: Iterable[Interaction]) -> tuple[int, int]:
    """Write what is new of `rows` behind what the file holds, all or nothing. Returns rows added, and rows there then.

    Raises InvalidSource for a file that is no such table.
    """
    held = _held(path)
    known = set(held)
    new = [row for row in dict.fromkeys(map(_cells, rows)) if row not in known]
    if new or not path.exists():
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([HEADER, *held, *new])
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600  # queries and users stand in it
        write_durably(path, text.getvalue(), mode)
    return len(new), len(held) + len(new)


def _held(path: Path) -> list[tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidSource(f"{path} cannot be read as a table of interactions: {error}.") from None
    if not rows or rows[0] != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise InvalidSource(f"{path} is no table of interactions: its columns must be {','.join(HEADER)}.")
    return [tuple(row) for row in rows[1:]]


def _cells(row: Interaction) -> tuple[str, ...]:
    return tuple(cell or "" for cell in astuple(row))
