"""What the service knows of itself and its store, read when somebody looks."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from jobs.rules import CLOCK_TOLERANCE
from jobs.store import Deadline, StoreError
from settings.version import VERSION
from web.assembly import DAY, FireTimes, Reading, Sight, stream_report
from web.report import StatusReport, StoreReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from jobs.initiator import Surroundings
    from jobs.journal import Journal
    from jobs.model import Job, Stream
    from jobs.store import JobStore
    from jobs.watchdog import Watchdog
    from web.health import Health

_log = logging.getLogger(__name__)

READ_SECONDS = 3.0  # for all reads of one look; a page must not wait for a store that hangs
FRESH_SECONDS = 1.0  # for which a reading serves everybody who looks


@dataclass(frozen=True, kw_only=True)
class Board:
    """Shows the same facts to page, JSON, metrics and command line.

    It reads the store with four queries, whatever the number of streams and jobs.
    """

    streams: Sequence[Stream]
    endpoint: str
    zone: tzinfo
    store: JobStore
    world: Surroundings
    journal: Journal
    watchdog: Watchdog
    health: Health
    started: datetime
    _fire_times: FireTimes = field(default_factory=FireTimes, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)
    _read: dict[str, tuple[float, Reading]] = field(default_factory=dict, repr=False)

    def report(self, only: Stream | None = None) -> StatusReport:
        """Return how everything stands, or `only` one of the streams."""
        reading, now = self._reading(), self.world.now()
        sight = Sight(
            now=now,
            reading=reading,
            last=self.journal.last,
            troubles=self.watchdog.troubles,
            fire_times=self._fire_times,
        )
        problem = self.health.problem()
        return StatusReport(
            version=VERSION,
            now=now,
            started=self.started,
            uptime_seconds=max(0.0, (now - self.started).total_seconds()),
            time_zone=str(self.zone),
            ready=problem is None,
            problem=problem,
            store=StoreReport(
                endpoint=self.endpoint,
                reachable=reading.problem is None,
                problem=reading.problem,
            ),
            streams=tuple(
                stream_report(stream, sight) for stream in self.streams if only in (None, stream)
            ),
        )

    def store_problem(self) -> str | None:
        """Return why the store does not answer; None if it does."""
        try:
            self.store.ping(self._deadline())
        except Exception as error:  # noqa: BLE001 - whoever looks is told why in any case
            return _why(error)
        return None

    def _deadline(self) -> Deadline:
        return Deadline.after(min(READ_SECONDS, self.world.seconds), self.world.monotonic)

    def _reading(self) -> Reading:
        """Read the store, unless somebody did a moment ago."""
        with self._lock:
            at, reading = self._read.get("last", (0.0, None))
            if reading is None or self.world.monotonic() - at > FRESH_SECONDS:
                reading = self._look()
                self._read["last"] = (self.world.monotonic(), reading)
            return reading

    def _look(self) -> Reading:
        deadline, now = self._deadline(), self.world.now()
        operations = [operation for stream in self.streams for operation in stream.operations]
        try:
            active = self.store.active(operations, deadline)
            recent = self.store.recent(operations, now - DAY, deadline)
            newest = self.store.newest(operations, now + CLOCK_TOLERANCE, deadline)
            last = self._last_jobs(newest, deadline)
        except Exception as error:  # noqa: BLE001 - what the process itself knows is still shown
            return Reading(problem=_why(error))
        return Reading(active=active, recent=recent, newest=last)

    def _last_jobs(self, newest: Sequence[Job], deadline: Deadline) -> tuple[Job, ...]:
        """Put the last job of each operation in with all that is known of it."""
        last = {job.operation: job.uri for job in newest}
        jobs = self.store.find(list(last.values()), deadline) if last else ()
        found = {job.uri: job for job in jobs}
        return tuple(found.get(job.uri, job) for job in newest)


def _why(error: Exception) -> str:
    """Say why a read failed; the log has all of what nobody foresaw."""
    if isinstance(error, StoreError):
        return str(error)
    _log.error("the store could not be read, in an unforeseen way", exc_info=error)
    return "an error in the service itself; its log has more"
