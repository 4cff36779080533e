"""The locks of `jobs.locks` for greenlets: the standard library's are owned by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from greenlet import getcurrent

from jobs.model import Stream
from jobs.store import Deadline, StoreUnavailable
from tests.simulation.loop import Loop, Work


@dataclass
class Waiter:
    work: Work
    waits: bool = True


@dataclass
class Lock:
    """A lock that the same piece of work may take several times; others wait in turn."""

    loop: Loop
    owner: Work | None = None
    depth: int = 0
    waiters: deque[Waiter] = field(default_factory=deque)

    def acquire(self, timeout: float) -> bool:
        work = getcurrent()
        if self.owner is None or self.owner is work:
            self.owner, self.depth = work, self.depth + 1
            return True
        if timeout <= 0:
            return False
        waiter = Waiter(work)
        self.waiters.append(waiter)
        self.loop.after(timeout, self._give_up, waiter)
        self.loop.wait()
        return self.owner is work

    def release(self) -> None:
        self.depth -= 1
        if self.depth:
            return
        self.owner = None
        while self.waiters:
            waiter = self.waiters.popleft()
            if waiter.waits:
                waiter.waits = False
                self.owner, self.depth = waiter.work, 1
                self.loop.after(0, self.loop.resume, waiter.work)
                return

    def _give_up(self, waiter: Waiter) -> None:
        if waiter.waits:
            waiter.waits = False
            self.loop.resume(waiter.work)


class CooperativeLocks:
    """Has the interface of `StreamLocks`."""

    def __init__(self, streams: Iterable[Stream], loop: Loop) -> None:
        self._locks = {stream.name: Lock(loop) for stream in streams}
        self.closed = False

    @contextmanager
    def hold(self, stream: Stream, deadline: Deadline) -> Iterator[None]:
        lock = self._locks[stream.name]
        if not lock.acquire(deadline.remaining):
            raise StoreUnavailable(f"{stream}: an earlier call still runs", sent=False)
        try:
            if self.closed:
                raise StoreUnavailable("the service is stopping", sent=False)
            yield
        finally:
            lock.release()

    share = hold  # as a thread that gets the lock at once and alone

    def close(self, deadline: Deadline) -> bool:
        self.closed = True
        return all(lock.acquire(deadline.remaining) for lock in self._locks.values())
