"""Telling operators what went wrong: a log line, and an error resource as soon as possible."""

from __future__ import annotations

import logging
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from jobs.model import ErrorResource
from jobs.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jobs.model import Job, Stream
    from jobs.store import Deadline, JobStore

_log = logging.getLogger(__name__)

MESSAGE_LIMIT = 4000  # Virtuoso stores literals of more than 4,096 characters aside, as files
MOST_WAITING = 1000  # errors that wait for a store that is away; beyond that the oldest go


class Reporter:
    """Logs and stores errors; those that the store doesn't take now are kept for later."""

    def __init__(
        self,
        store: JobStore,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        deadline: Callable[[], Deadline],
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._deadline = deadline
        self._waiting: deque[ErrorResource] = deque(maxlen=MOST_WAITING)
        self._lock = Lock()

    def report(
        self, stream: Stream, message: str, job: Job | None = None, error_id: str | None = None
    ) -> None:
        """Log `message` and store it as an error that references `job`.

        An error with an `error_id` is written once, whoever reports it.
        """
        _log.warning("%s", message)
        error = ErrorResource(
            error_id=error_id or self._new_id(),
            graph=stream.jobs_graph,
            creator=stream.error_creator,
            message=message[:MESSAGE_LIMIT],
            created=self._now(),
            job=job.uri if job else None,
        )
        self._waiting.append(error)
        self.flush()

    def flush(self) -> None:
        """Store what waits, the oldest first, as far as the store takes it."""
        with self._lock:
            while self._waiting:
                error = self._waiting[0]
                try:
                    deadline = self._deadline()
                    if not self._store.recorded(error.uri, deadline):
                        self._store.record(error, deadline)
                except StoreError as failure:
                    _log.error("an error resource has to wait for the store: %s", failure)
                    return
                self._waiting.popleft()
