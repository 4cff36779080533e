"""What became of ticks and calls, for the log, the metrics and the status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from jobs.model import JobKind, Stream, Trigger


class Result(Enum):
    """What became of a tick or a call, in one word."""

    CREATED = "created"
    DONE = "done"
    WAITS = "waits"
    SUPERSEDED = "superseded"
    MISSED = "missed"
    CLEANED = "cleaned"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What became of a tick, or of a person's call (then `tick` is None).

    `job` is the URI of the job that was created, did the work, or blocks. `lateness` is the time
    from the fire time to the creation of the job. `count` is the number of ticks concerned.
    """

    stream: Stream
    kind: JobKind
    result: Result
    trigger: Trigger
    at: datetime
    tick: datetime | None = None
    reason: str = ""
    job: str | None = None
    lateness: timedelta | None = None
    count: int = 1


@dataclass
class EventLog:
    """Keeps the last event of each stream and kind, and passes every event to the listeners."""

    listeners: tuple[Callable[[Event], None], ...] = ()
    cleanings: int = field(default=0, init=False)  # how often a person removed jobs
    _last: dict[tuple[str | None, JobKind], Event] = field(default_factory=dict, init=False)

    def record(self, event: Event) -> None:
        """Record an event. A superseded tick is not kept: it says nothing of the newest one."""
        if event.result is not Result.SUPERSEDED:
            self._last[event.stream.name, event.kind] = event
        if event.result is Result.CLEANED:
            self.cleanings += 1
        for listener in self.listeners:
            listener(event)

    def last(self, stream: Stream, kind: JobKind) -> Event | None:
        """Return the last event since the process started; None if there was none."""
        return self._last.get((stream.name, kind))
