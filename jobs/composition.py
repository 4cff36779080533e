"""Putting the domain together: everything between the store and the outside.

The service, the tests and the simulation all compose it here, with a store and clock of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
from jobs.task_operations import TaskOperations
from jobs.ticks.confirmation import Confirmation
from jobs.ticks.earlier_tasks import EarlierTasks
from jobs.ticks.history import recent_jobs
from jobs.ticks.monitor import MonitoredStore, WorkMonitor
from jobs.ticks.reconciler import Reconciler
from jobs.ticks.recorder import TickRecorder
from jobs.ticks.resumption import Resumption
from jobs.ticks.scheduler import MAX_WORKERS, PeriodicTask, TickScheduler
from jobs.ticks.schedules import TicksByStream, ticks_by_stream

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
    monitor = _monitor(len(streams), clock)
    store = MonitoredStore(store, monitor.progress)
    reporter = ErrorReporter(store, clock, settings.error_repeat)
    tasks = TaskOperations(streams)
    creator = JobCreator(store, clock, locks, events, tasks)
    ticks = ticks_by_stream(streams, clock.now().replace(microsecond=0), policy)
    recorder = TickRecorder(reporter, clock, events)
    confirmation = Confirmation(ticks, store, locks, recorder, clock)
    reconciler = _reconciler(ticks, creator, recorder, confirmation, settings)
    recovery = JobRecovery(store, locks, reporter, clock)

    known = partial(_known_jobs, ticks, creator, recovery, clock)
    sweeper = Sweeper(streams, store, locks, recovery, reporter, clock, policy, known, tasks)
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


def _monitor(streams: int, clock: Clock) -> WorkMonitor:
    """Return the monitor of scheduled work, which waits for a lock, and then for requests."""
    step = 2 * clock.timeout
    queue = ceil(2 * streams / MAX_WORKERS - 1) * step  # a stream has at most two pieces of work
    return WorkMonitor(clock.monotonic, step + OVERDUE_SECONDS, queue)


def _reconciler(
    ticks: TicksByStream,
    creator: JobCreator,
    recorder: TickRecorder,
    confirmation: Confirmation,
    settings: DomainSettings,
) -> Reconciler:
    """Return the reconciler, with what it reads of the past at a start."""
    store, clock = creator.store, creator.clock
    resumption = Resumption(store, recorder, clock, clock.monotonic(), settings.configured)
    earlier = EarlierTasks(creator.task_operations, store, clock)
    return Reconciler(
        ticks, store, creator, creator.locks, recorder, clock, confirmation, resumption, earlier
    )


def _known_jobs(
    ticks: TicksByStream, creator: JobCreator, recovery: JobRecovery, clock: Clock
) -> list[str]:
    """Return the jobs of which a late update can have left two values, also after their end."""
    schedules = [one for group in ticks.values() for one in group]
    return [*recent_jobs(schedules, clock.now()), *creator.startup_jobs, *recovery.ended]


def _periodic_tasks(
    sweeper: Sweeper, watchdog: Watchdog, settings: DomainSettings
) -> list[PeriodicTask]:
    tasks = [PeriodicTask("sweep", sweeper.sweep, settings.sweep_period)]
    if settings.watchdog_period:
        tasks.append(PeriodicTask("watchdog", watchdog.scan, settings.watchdog_period))
    return tasks
