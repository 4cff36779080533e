"""How the log looks: one line an event on standard output, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from config import Settings


def configure(settings: Settings) -> None:
    """Log to standard output, in the service's time zone."""
    formatter = JsonLines if settings.service.log_format == "json" else TextLines
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(settings.zone))
    logging.basicConfig(level=settings.service.log_level, handlers=[handler], force=True)
    for chatty in ("apscheduler", "waitress"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


class TextLines(logging.Formatter):
    """Time with zone, level, message; a traceback follows its line."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - the base class's
        """Return when the record was made."""
        return datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds")


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
