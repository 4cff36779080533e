"""Log lines about a stream: they begin with its name, and carry it for machines."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from jobs.model import JobKind, Stream


class StreamLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines begin with stream and kind, and carry them for machines."""

    def __init__(self, logger: logging.Logger, subject: str, about: dict[str, str]) -> None:
        super().__init__(logger, {"about": about})
        self._prefix = subject.replace("%", "%%")

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[str, MutableMapping[str, Any]]:
        """Return the message with its prefix; `extra` is what JSON lines show."""
        return f"{self._prefix}: {msg}", {**kwargs, "extra": self.extra}


def log_about(
    logger: logging.Logger,
    stream: Stream,
    kind: JobKind | None = None,
    *,
    tick: object = None,
    job: object = None,
) -> StreamLog:
    """Return a logger for lines about a stream, and about a kind, tick or job of it."""
    facts = {"stream": stream.name, "kind": kind and kind.slug, "tick": tick, "job": job}
    subject = f"{kind.value} of {stream}" if kind else str(stream)
    return StreamLog(
        logger, subject, {name: str(fact) for name, fact in facts.items() if fact is not None}
    )
