"""A bound on how many callers may wait for the store at one time.

One beyond that is turned away at once, so that a store that hangs can't take all of the server's
threads, and every caller gets an answer in bounded time.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from werkzeug.exceptions import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_AFTER = 5  # seconds that a turned away caller is asked to wait


class Places:
    """Room for `most` callers."""

    def __init__(self, most: int) -> None:
        self._semaphore = BoundedSemaphore(most)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place; raise `ServiceUnavailable` where there is none."""
        if not self._semaphore.acquire(blocking=False):
            detail = "too many calls are waiting for the store already"
            raise ServiceUnavailable(detail, retry_after=RETRY_AFTER)
        try:
            yield
        finally:
            self._semaphore.release()
