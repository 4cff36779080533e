"""The status of the service and of its store, read on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from jobs.clock import Clock
from jobs.composition import Domain
from jobs.events import EventLog
from jobs.maintenance.watchdog import Watchdog
from jobs.model import Stream
from jobs.store import JobStore
from jobs.streams import Streams
from jobs.task_operations import TaskOperations
from settings.fields import Settings
from settings.version import VERSION
from web.health import Health
from web.status.builder import Snapshot, stream_report
from web.status.fire_times import FireTimes
from web.status.report import StatusReport, StoreReport
from web.status.store_reader import StoreReader


@dataclass(kw_only=True, eq=False)
class StatusReader:
    """Gives the same facts to the page, the JSON status, the metrics and the command line.

    With more than `MAX_DETAILED` streams, the report of all streams is a short one.
    """

    streams: Streams
    endpoint: str
    zone: tzinfo
    store: StoreReader
    clock: Clock
    events: EventLog
    watchdog: Watchdog
    health: Health
    started: datetime
    task_operations: TaskOperations
    changed_files: Callable[[], tuple[str, ...]] = tuple
    _fire_times: FireTimes = field(default_factory=FireTimes, init=False, repr=False)

    def report(self, only: Stream | None = None) -> StatusReport:
        """Return the status of all streams, or of `only` one of them."""
        store, now = self.store.snapshot(only), self.clock.now()
        detailed = self.store.few or only is not None
        snapshot = Snapshot(
            now=now,
            store=store,
            last_event=self.events.last,
            stuck=self.watchdog.stuck_jobs,
            fire_times=self._fire_times,
            detailed=detailed,
            task_operations=self.task_operations,
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
                endpoint=self.endpoint,
                reachable=store.problem is None,
                problem=store.problem,
                history_problem=store.history_problem,
                complete=store.complete,
            ),
            detailed=detailed,
            streams=tuple(
                stream_report(stream, snapshot) for stream in self.streams if only in (None, stream)
            ),
        )


def status_reader(
    settings: Settings, domain: Domain, store: JobStore, health: Health
) -> StatusReader:
    """Return the source of the page, the status and the metrics."""
    return StatusReader(
        streams=settings.streams,
        endpoint=settings.service.mu_sparql_endpoint,
        zone=settings.zone,
        store=StoreReader(
            streams=settings.streams, store=store, clock=domain.clock, events=domain.events
        ),
        clock=domain.clock,
        events=domain.events,
        watchdog=domain.watchdog,
        health=health,
        started=domain.clock.now(),
        task_operations=domain.creator.task_operations,
        changed_files=settings.changed_files,
    )
