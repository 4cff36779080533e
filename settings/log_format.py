"""The format of the log: one line per event on standard output, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import datetime, tzinfo
from io import FileIO
from types import TracebackType
from typing import TextIO, TypeAlias

from jobs.text import escaped
from settings.fields import Settings
from settings.log_queue import LogQueue

_log = logging.getLogger(__name__)
_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def configure(settings: Settings) -> LogQueue:
    """Log to standard output, with times in the time zone of the service; return the queue."""
    formatter = JsonLines if settings.service.log_format == "json" else TextLines
    handler = _queue_to(sys.stdout)
    handler.setFormatter(formatter(settings.zone))
    handler.start()
    logging.basicConfig(level=settings.service.log_level, handlers=[handler], force=True)
    for verbose in ("apscheduler", "waitress"):
        logging.getLogger(verbose).setLevel(logging.ERROR)
    threading.excepthook = _log_uncaught
    return handler


def _queue_to(stream: TextIO | None) -> LogQueue:
    """Return a queue that bypasses the stream's buffer, which would block the process's exit."""
    if stream is None:  # Standard output was closed before the process began
        return LogQueue(None)
    return LogQueue(FileIO(stream.fileno(), "w", closefd=False), stream.encoding)


def _log_uncaught(uncaught: threading.ExceptHookArgs) -> None:
    """Log the exception that ended a thread, which Python would print in a format of its own."""
    if uncaught.exc_value is not None:
        name = uncaught.thread.name if uncaught.thread else "unknown"
        _log.critical("thread %s: unexpected error", name, exc_info=uncaught.exc_value)


class _Lines(logging.Formatter):
    """A format with times in one time zone, in ISO 8601 with milliseconds and offset."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the base class's
        """Return when the record was made."""
        return datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds")


class TextLines(_Lines):
    """Lines with time, level and message; a traceback follows its line.

    Characters that are not printable are escaped. Text from the store can therefore not add lines,
    and a terminal does not execute control sequences.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's
        """Return the line of a record."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the base class's
        """Return a traceback, in several lines."""
        return "\n".join(escaped(line) for line in super().formatException(ei).split("\n"))


class JsonLines(_Lines):
    """Lines that are objects: time, level, message, and stream, kind, tick and job if known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON in ASCII, which every reader can decode."""
        fields = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)
