"""What the journals cost: microseconds of a request's own thread, of the writer's, and bytes a line; of feedback, from
the body of a request to its lines on the disk, for an event that comes alone and for each of a hundred.

    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.journal [--lines 5000] [--rounds 9]

A line is made and handed over as the service does it, for an answer of ten hits; what is written lies in a temporary
folder. Beside it, in the same round, what the request's line in the log costs, which every request pays as well.
Medians of the rounds. Times are of the processor, so that waiting for the disk is not hidden in them and others'
work is not in them.
"""

import argparse
import io
import json
import logging
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bento.asking.reading import parse_fields
from bento.feedback.schemas import FeedbackRequest
from bento.journals.answered import answered
from bento.journals.journal import Journal
from bento.journals.reported import Reported
from bento.settings import ServiceSettings
from bento.telling.json_lines import FIELDS, JsonLines
from bento.telling.logs import Notes
from search.engine import Answer, Hit, LegScore

LEGS = ("dense", "image", "text", "lexical")


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    rounds = [_round(options.lines) for _ in range(options.rounds)]
    print(json.dumps({name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}, indent=2))


def _round(lines: int) -> dict[str, float]:
    notes = _notes()
    with tempfile.TemporaryDirectory(prefix="etalage-journal-") as folder:
        lost: list[int] = []
        journal = Journal(lambda outcome, count: lost.append(count) if outcome == "lost" else None)
        journal.open(Path(folder), 2**28, 1.0)
        process = time.process_time()
        own = _each(lines, lambda: journal.note(answered("0123456789abcdef", "r0123456789", notes, 200, 0.008, 10)))
        journal.close()
        writer = (time.process_time() - process) / lines * 1e6 - own
        (path,) = Path(folder).iterdir()
        size = path.stat().st_size
    if lost:
        raise SystemExit(f"{sum(lost)} lines were lost: ask for fewer --lines, as a round comes faster than requests.")
    logged = _each(lines, _logger(notes))
    return {
        "request_us": own,
        "writer_us": writer,
        "log_line_us": logged,
        "request_to_log_line": own / logged,
        "bytes_a_line": size / lines,
        "feedback_alone_us": _feedback(1, lines // 50),
        "feedback_of_100_us": _feedback(100, lines // 100),
    }


def _feedback(events: int, requests: int) -> float:
    """Microseconds of the process for one event, all its threads together; HTTP itself is not in it."""
    settings = ServiceSettings()
    with tempfile.TemporaryDirectory(prefix="etalage-journal-") as folder:
        journal = Journal(lambda *_: None, of="feedback events", durable=True)
        journal.open(Path(folder), 2**28, 1.0)
        told = [{"request_id": "0123456789abcdef", "product_id": f"p{n}", "action": "click"} for n in range(events)]
        body = json.dumps({"events": told}).encode()
        process = time.process_time()
        for _ in range(requests):
            asked = parse_fields(FeedbackRequest, body, "application/json", settings)
            now = datetime.now(UTC)
            journal.keep([Reported(now, e.request_id, e.product_id, e.action) for e in asked.events]).result()
        took = time.process_time() - process
        journal.close()
    return took / requests / events * 1e6


def _each(times: int, work: Callable[[], object]) -> float:
    """Microseconds of this thread's processor time for one `work`."""
    started = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - started) / times * 1e6


def _notes() -> Notes:
    place = {leg: LegScore(0.5, 3) for leg in LEGS}
    hits = tuple(Hit(f"product-{number:06d}", 0.031746, number, place, {}) for number in range(1, 11))
    answer = Answer(hits, "r0123456789", {"encode": 1.4, "retrieve": 3.3})
    return Notes(kind="text", language="en", k=10, filters=("price",), answer=answer, hits=10)


def _logger(notes: Notes) -> Callable[[], object]:
    """What writes the line that bento/guarding/envelope.py puts into the log."""
    logger = logging.Logger("etalage.access")
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    about = {"request": "0123456789abcdef", "method": "POST", "route": "/search", "kind": notes.kind, "status": 200}
    phases = {"read": 0.1, "wait": 0.0, "parse": 0.1, "encode": 1.4, "retrieve": 3.3, "rank": 1.7}
    line = {**about, "reason": None, "release": "r0123456789", "key": None, "hits": 10, "ms": 8.1, "phases_ms": phases}
    return lambda: logger.info("", extra={FIELDS: dict(line)})


if __name__ == "__main__":
    main()
