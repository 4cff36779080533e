"""Whether scheduled work is done in time: a scheduler that is alive may still do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta

from jobs.store import BoundStore, Deadline, JobStore

_current: ContextVar[str | None] = ContextVar("_current", default=None)  # this thread's work


@dataclass(frozen=True)
class WorkMonitor:
    """Knows by when each piece of scheduled work has to begin, or to make progress.

    Work makes progress when it begins, when it begins requests to the store, and when it ends. A
    store that is slow or absent bounds each of these steps, so work that is late has no excuse.
    `grace` is how much later than its time work may be, in seconds of the `monotonic` clock, and
    `queue` how long it may wait for a worker before it begins.
    """

    monotonic: Callable[[], float]
    grace: float
    queue: float
    _due: dict[str, float] = field(default_factory=dict, init=False)

    def expect(self, name: str, within: timedelta) -> None:
        """Note that work has to begin within some time from now."""
        self._due[name] = self.monotonic() + within.total_seconds() + self.queue + self.grace

    @contextmanager
    def running(self, name: str, period: timedelta | None) -> Iterator[None]:
        """Note that this thread does the work now; it comes again after `period`, if it does."""
        token = _current.set(name)
        self.progress()
        try:
            yield
        finally:
            _current.reset(token)
            if period is None:
                self._due.pop(name, None)
            else:
                self.expect(name, period)

    def progress(self) -> None:
        """Note that the work of this thread makes progress, if it is scheduled work."""
        name = _current.get()
        if name is not None:
            self._due[name] = self.monotonic() + self.grace

    def overdue(self) -> str | None:
        """Return which work is overdue most, and by how much; None if none is."""
        due = dict(self._due)
        name = min(due, key=due.__getitem__, default=None)
        if name is None or (late := self.monotonic() - due[name]) <= 0:
            return None
        return f"{name}: overdue by {late + self.grace:.0f} s; if it lasts, restart the service"


@dataclass(frozen=True)
class MonitoredStore:
    """A store that notes progress whenever requests begin."""

    store: JobStore
    progress: Callable[[], None]

    def within(self, deadline: Deadline) -> BoundStore:
        """Return the store for one piece of work."""
        self.progress()
        return self.store.within(deadline)
