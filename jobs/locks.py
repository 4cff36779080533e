"""One piece of work per stream at a time, and none after the service begins to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jobs.model import Stream
from jobs.store import Deadline, StoreUnavailable


class StreamLocks:
    """A lock for each stream: two pieces of work that read and then write never interleave."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._locks = {stream.name: threading.RLock() for stream in streams}
        self._closed = threading.Event()

    @contextmanager
    def hold(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        """Hold the stream's lock.

        Raise `StoreUnavailable` if it is not free before the deadline, or the service is stopping.
        """
        lock = self._locks[stream.name]
        if not lock.acquire(timeout=deadline.remaining):
            raise StoreUnavailable(f"{stream}: an earlier call still runs", sent=False)
        try:
            if self._closed.is_set():
                raise StoreUnavailable("the service is stopping", sent=False)
            yield
        finally:
            lock.release()

    @property
    def closed(self) -> bool:
        """Whether new work is refused."""
        return self._closed.is_set()

    def close(self, deadline: Deadline) -> bool:
        """Refuse new work, and wait for running work; return whether all of it ended in time.

        Work that waits for a lock is refused when it gets the lock.
        """
        self._closed.set()
        for lock in self._locks.values():
            if not lock.acquire(timeout=deadline.remaining):
                return False
            lock.release()
        return True
