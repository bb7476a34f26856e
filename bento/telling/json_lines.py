"""The form of the log: one JSON object a line on stdout.

{"time": "2026-11-21T10:00:00.123Z", "level": "info", "logger": "etalage.access", "request": "order-66",
 "method": "POST", "route": "/search", "kind": "text", "status": 200, "release": "r20261121-1", "hits": 10,
 "ms": 8.1, "phases_ms": {"read": 0.1, "encode": 1.4}}
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LOGGERS = {"etalage": logging.INFO, "opentelemetry": logging.WARNING}
"""What is logged, and from which level on: our own, and what OpenTelemetry cannot deliver."""
FIELDS = "fields"
"""Attribute of a log record: what stands beside its message."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, logger, message if any, its FIELDS, and a traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        if message := record.getMessage():
            line["message"] = message
        line |= getattr(record, FIELDS, {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_as_json_lines(*others: str) -> None:
    """Send LOGGERS and `others` to stdout as JSON lines; BentoML's own lines stay as they are."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    for name, level in {**LOGGERS, **dict.fromkeys(others, logging.INFO)}.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers = [handler]
        logger.propagate = False
