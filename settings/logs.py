"""How the log looks: one line an event on standard output, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from config import Settings

_log = logging.getLogger(__name__)


def configure(settings: Settings) -> None:
    """Log to standard output, in the service's time zone."""
    formatter = JsonLines if settings.service.log_format == "json" else TextLines
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings.zone))
    logging.basicConfig(level=settings.service.log_level, handlers=[handler], force=True)
    for chatty in ("apscheduler", "waitress"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    threading.excepthook = _log_death


def _log_death(death: threading.ExceptHookArgs) -> None:
    """Log what ended a thread: Python itself would print it, in a form of its own."""
    if death.exc_value is not None:
        name = death.thread.name if death.thread else "unknown"
        _log.critical("thread %s died in an unforeseen way", name, exc_info=death.exc_value)


class TextLines(logging.Formatter):
    """Time with zone, level, message; a traceback follows its line."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the base class's
        """Return when the record was made."""
        return datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's
        """Return the line: one, and one that can be written, whatever a store's words hold."""
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        return line.encode(errors="backslashreplace").decode()


class JsonLines(TextLines):
    """An object a line: time, level, message, and stream, kind, tick and job where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON in ASCII, so that no reader's encoding matters."""
        fields = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)
