"""Telling operators what went wrong: a log line, and an error resource as soon as possible."""

from __future__ import annotations

import logging
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from jobs.model import ErrorResource
from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jobs.model import Job, Stream
    from jobs.store import Deadline, JobStore

_log = logging.getLogger(__name__)

MESSAGE_LIMIT = 4000  # Virtuoso stores literals of more than 4,096 characters aside, as files
MOST_WAITING = 1000  # errors that wait for a store that is away; beyond that the oldest go


class Reporter:
    """Logs errors at once and keeps them until they are stored."""

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
        """Log `message` and keep it to be stored as an error that references `job`.

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
        if len(self._waiting) == MOST_WAITING:
            _log.error("too many errors wait for the store: the oldest is dropped")
        self._waiting.append(error)

    def flush(self) -> None:
        """Store what waits, as far as the store takes it; to be called outside of any turn.

        An error is done with when a read finds it: the store's word for it may be a lie. One that
        the store refuses holds up no other.
        """
        if not self._lock.acquire(blocking=False):
            return  # another thread is at it
        try:
            for error in tuple(self._waiting):
                if self._stored(error):
                    self._waiting.remove(error)
        except StoreUnavailable as failure:
            _log.error("error resources have to wait for the store: %s", failure)
        finally:
            self._lock.release()

    def _stored(self, error: ErrorResource) -> bool:
        """Write an error where it is not there yet; return whether it is in the end."""
        deadline = self._deadline()
        try:
            if self._store.recorded(error.uri, deadline):
                return True
            self._store.record(error, deadline)
            return self._store.recorded(error.uri, deadline)
        except StoreUnavailable:
            raise
        except StoreError as failure:
            _log.error("the store does not take an error resource: %s", failure)
            return False
