"""Putting the domain together: everything between the store and the outside.

The service, the tests and the simulation all compose it here, with a store and clock of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from jobs.clock import Clock
from jobs.creation import JobCreator
from jobs.domain_settings import DomainSettings
from jobs.error_reports import ErrorReporter
from jobs.events import Event, EventLog
from jobs.locks import StreamLocks
from jobs.maintenance.recovery import JobRecovery
from jobs.maintenance.sweeper import Sweeper
from jobs.maintenance.watchdog import Watchdog
from jobs.store import JobStore
from jobs.streams import Streams
from jobs.ticks.confirmation import Confirmation
from jobs.ticks.monitor import MonitoredStore, WorkMonitor
from jobs.ticks.reconciler import Reconciler
from jobs.ticks.recorder import TickRecorder
from jobs.ticks.scheduler import MAX_WORKERS, PeriodicTask, TickScheduler
from jobs.ticks.schedules import ticks_by_stream

OVERDUE_SECONDS = 60.0  # that work may be late beside the time that its requests may take


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The parts of the domain, with nothing started."""

    clock: Clock
    store: JobStore
    locks: StreamLocks
    events: EventLog
    reporter: ErrorReporter
    creator: JobCreator
    reconciler: Reconciler
    confirmation: Confirmation
    sweeper: Sweeper
    watchdog: Watchdog
    scheduler: TickScheduler
    monitor: WorkMonitor


def compose_domain(
    streams: Streams,
    store: JobStore,
    clock: Clock,
    settings: DomainSettings,
    *listeners: Callable[[Event], None],
    locks: StreamLocks | None = None,
) -> Domain:
    """Make the parts; the listeners get every event. A simulation passes locks of its own."""
    policy, locks, events = settings.policy, locks or StreamLocks(streams), EventLog(listeners)
    step = 2 * clock.timeout  # of scheduled work, which waits for a lock, and then for requests
    queue = ceil(2 * len(streams) / MAX_WORKERS - 1) * step  # a stream has at most two pieces of it
    monitor = WorkMonitor(clock.monotonic, step + OVERDUE_SECONDS, queue)
    store = MonitoredStore(store, monitor.progress)
    reporter = ErrorReporter(store, clock, settings.error_repeat)
    creator = JobCreator(store, clock, locks, events)
    ticks = ticks_by_stream(streams, clock.now().replace(microsecond=0), policy)
    recorder = TickRecorder(reporter, clock, events)
    confirmation = Confirmation(ticks, store, locks, recorder, clock)
    reconciler = Reconciler(
        ticks, store, creator, locks, recorder, clock, confirmation, clock.monotonic()
    )
    recovery = JobRecovery(store, locks, reporter, clock)
    sweeper = Sweeper(streams, store, locks, recovery, reporter, clock, policy)
    watchdog = Watchdog(streams, store, locks, recovery, reporter, clock, settings.thresholds)
    periodic = _periodic_tasks(sweeper, watchdog, settings)
    return Domain(
        clock=clock,
        store=store,
        locks=locks,
        events=events,
        reporter=reporter,
        creator=creator,
        reconciler=reconciler,
        confirmation=confirmation,
        sweeper=sweeper,
        watchdog=watchdog,
        scheduler=TickScheduler(reconciler, confirmation, periodic, reporter.flush, clock, monitor),
        monitor=monitor,
    )


def _periodic_tasks(
    sweeper: Sweeper, watchdog: Watchdog, settings: DomainSettings
) -> list[PeriodicTask]:
    tasks = [PeriodicTask("sweep", sweeper.sweep, settings.sweep_period)]
    if settings.watchdog_period:
        tasks.append(PeriodicTask("watchdog", watchdog.scan, settings.watchdog_period))
    return tasks
