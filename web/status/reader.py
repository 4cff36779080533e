"""The status of the service and of its store, read on request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from threading import Lock

from jobs.clock import Clock
from jobs.composition import Domain
from jobs.events import EventLog
from jobs.maintenance.watchdog import Watchdog
from jobs.model import Job, Stream
from jobs.rules import CLOCK_TOLERANCE
from jobs.store import BoundStore, JobStore, StoreError
from jobs.streams import Streams
from settings.fields import Settings
from settings.version import VERSION
from web.health import INTERNAL_ERROR, Health
from web.status.builder import DAY, FireTimes, Snapshot, StoreSnapshot, stream_report
from web.status.report import StatusReport, StoreReport

_log = logging.getLogger(__name__)

READ_SECONDS = 3.0  # for all reads of one report; a page must not wait long for a store that hangs
FRESH_SECONDS = 1.0  # for which all reports share one read of the store


@dataclass(kw_only=True, eq=False)
class StatusReader:
    """Gives the same facts to the page, the JSON status, the metrics and the command line.

    One report needs four queries, whatever the number of streams and jobs.
    """

    streams: Streams
    endpoint: str
    zone: tzinfo
    store: JobStore
    clock: Clock
    events: EventLog
    watchdog: Watchdog
    health: Health
    started: datetime
    changed_files: Callable[[], tuple[str, ...]] = tuple
    _fire_times: FireTimes = field(default_factory=FireTimes, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _last_read: tuple[float, StoreSnapshot] | None = field(default=None, init=False, repr=False)

    def report(self, only: Stream | None = None) -> StatusReport:
        """Return the status of all streams, or of `only` one of them."""
        store, now = self._store_snapshot(), self.clock.now()
        snapshot = Snapshot(
            now=now,
            store=store,
            last_event=self.events.last,
            stuck=self.watchdog.stuck_jobs,
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
            changed_files=self.changed_files(),
            store=StoreReport(
                endpoint=self.endpoint, reachable=store.problem is None, problem=store.problem
            ),
            streams=tuple(
                stream_report(stream, snapshot) for stream in self.streams if only in (None, stream)
            ),
        )

    def store_problem(self) -> str | None:
        """Return why the store does not answer; None if it does."""
        try:
            self._bound().ping()
        except Exception as error:  # noqa: BLE001 - every failure is a reason for the caller
            return _reason(error)
        return None

    def _bound(self) -> BoundStore:
        seconds = min(READ_SECONDS, self.clock.timeout)
        return self.store.within(self.clock.deadline(seconds))

    def _store_snapshot(self) -> StoreSnapshot:
        """Return the last snapshot if it is fresh, else read the store."""
        with self._lock:
            if self._last_read is not None:
                read_at, snapshot = self._last_read
                if self.clock.monotonic() - read_at <= FRESH_SECONDS:
                    return snapshot
            snapshot = self._read_store()
            self._last_read = self.clock.monotonic(), snapshot
            return snapshot

    def _read_store(self) -> StoreSnapshot:
        bound, now = self._bound(), self.clock.now()
        operations = self.streams.operations
        try:
            active = bound.active(operations)
            recent = bound.recent(operations, now - DAY)
            newest = bound.newest(operations, now + CLOCK_TOLERANCE)
            last = {job.operation: job.uri for job in newest}
            complete = bound.find(list(last.values())) if last else ()
        except Exception as error:  # noqa: BLE001 - the report still shows what the process knows
            return StoreSnapshot.of(problem=_reason(error))
        return StoreSnapshot.of(active=active, recent=recent, newest=_replaced(newest, complete))


def status_reader(
    settings: Settings, domain: Domain, store: JobStore, health: Health
) -> StatusReader:
    """Return the source of the page, the status and the metrics."""
    return StatusReader(
        streams=settings.streams,
        endpoint=settings.service.mu_sparql_endpoint,
        zone=settings.zone,
        store=store,
        clock=domain.clock,
        events=domain.events,
        watchdog=domain.watchdog,
        health=health,
        started=domain.clock.now(),
        changed_files=settings.changed_files,
    )


def _replaced(jobs: Sequence[Job], complete: Sequence[Job]) -> list[Job]:
    """Return the jobs, those that are also in `complete` with all their properties and tasks."""
    found = {job.uri: job for job in complete}
    return [found.get(job.uri, job) for job in jobs]


def _reason(error: Exception) -> str:
    """Return why a read failed, and log an unexpected error with its traceback."""
    if isinstance(error, StoreError):
        return str(error)
    _log.error("reading the store failed unexpectedly", exc_info=error)
    return INTERNAL_ERROR
