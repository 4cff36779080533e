"""A limit on how many calls may wait for the store at the same time.

Calls beyond the limit are refused at once. A store that hangs can therefore never occupy all
threads of the server, and every caller gets an answer within a bounded time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from werkzeug.exceptions import ServiceUnavailable

RETRY_AFTER = 5  # seconds until a refused caller should try again


class ConcurrencyLimit:
    """Admits at most `limit` calls at the same time."""

    def __init__(self, limit: int) -> None:
        self._slots = BoundedSemaphore(limit)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Occupy a slot; raise `ServiceUnavailable` if none is free."""
        if not self._slots.acquire(blocking=False):
            detail = "too many calls are waiting for the store already"
            raise ServiceUnavailable(detail, retry_after=RETRY_AFTER)
        try:
            yield
        finally:
            self._slots.release()
