"""One piece of work per stream at a time, and none after the service begins to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.model import Stream
from jobs.store import Deadline, StoreUnavailable


@dataclass
class _Lock:
    """A lock that one thread holds, or that several share; a thread can hold it several times.

    Threads that want to hold it go before those that want to share it.
    """

    changed: threading.Condition = field(default_factory=threading.Condition)
    owner: int | None = None
    depth: int = 0
    sharers: int = 0
    waiting: int = 0

    def hold(self, timeout: float) -> bool:
        """Wait until no other thread has the lock; return whether that was in time."""
        with self.changed:
            if self.owner != threading.get_ident():
                self.waiting += 1
                free = self.changed.wait_for(lambda: not (self.owner or self.sharers), timeout)
                self.waiting -= 1
                if not free:
                    self.changed.notify_all()  # those that want to share it may go on
                    return False
                self.owner = threading.get_ident()
            self.depth += 1
            return True

    def let_go(self) -> None:
        """Give back what `hold` got."""
        with self.changed:
            self.depth -= 1
            if not self.depth:
                self.owner = None
                self.changed.notify_all()

    def share(self, timeout: float) -> bool:
        """Wait until no thread holds the lock, or wants to; return whether that was in time."""
        with self.changed:
            free = self.changed.wait_for(lambda: not (self.owner or self.waiting), timeout)
            self.sharers += free
            return free

    def unshare(self) -> None:
        """Give back what `share` got."""
        with self.changed:
            self.sharers -= 1
            self.changed.notify_all()


class StreamLocks:
    """A lock for each stream: two pieces of work that read and then write never interleave."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._locks = {stream.name: _Lock() for stream in streams}
        self._closed = threading.Event()

    @contextmanager
    def hold(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        """Hold the stream's lock.

        Raise `StoreUnavailable` if it is not free before the deadline, or the service is stopping.
        """
        lock = self._locks[stream.name]
        with self._taken(stream, lock.hold(deadline.remaining), lock.let_go):
            yield

    @contextmanager
    def share(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        """Share the stream's lock with work that reads nothing before it writes, either.

        Raise `StoreUnavailable` as `hold` does.
        """
        lock = self._locks[stream.name]
        with self._taken(stream, lock.share(deadline.remaining), lock.unshare):
            yield

    @contextmanager
    def _taken(self, stream: Stream, taken: bool, give_back: Callable[[], None]) -> Iterator[None]:  # noqa: FBT001
        if not taken:
            raise StoreUnavailable(f"{stream}: an earlier call still runs", sent=False)
        try:
            if self._closed.is_set():
                raise StoreUnavailable("the service is stopping", sent=False)
            yield
        finally:
            give_back()

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
            if not lock.hold(deadline.remaining):
                return False
            lock.let_go()
        return True
