"""What becomes of ticks and calls, for whoever asks later: the status, the metrics, the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

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
    """What became of a tick, or of a call: then `tick` is None.

    `job` is the URI of the one that was created, did it, or is in its way. `lateness` is how long
    after its fire time a tick's job was created, `count` how many ticks this speaks of.
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


def about(
    stream: Stream,
    kind: JobKind | None = None,
    *,
    tick: object = None,
    job: object = None,
) -> dict[str, object]:
    """Return what a log record carries beside its text, for `extra`: machines filter by it."""
    facts = {
        "stream": stream.name,
        "kind": kind and kind.slug,
        "tick": tick and str(tick),
        "job": job and str(job),
    }
    return {"about": {name: fact for name, fact in facts.items() if fact is not None}}


class Journal:
    """Remembers the last event of each kind of job, and hands every event on."""

    def __init__(self) -> None:
        self._last: dict[tuple[str | None, JobKind], Event] = {}
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have every event from now on handed to a listener."""
        self._listeners.append(listener)

    def note(self, event: Event) -> None:
        """Take in what happened. A tick that was superseded tells of another, not how it stands."""
        if event.result is not Result.SUPERSEDED:
            self._last[event.stream.name, event.kind] = event
        for listener in self._listeners:
            listener(event)

    def last(self, stream: Stream, kind: JobKind) -> Event | None:
        """Return what happened last; None where nothing did since the process started."""
        return self._last.get((stream.name, kind))
