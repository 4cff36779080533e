"""Wake-ups at the right time: APScheduler waits, the reconciler works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any, NamedTuple

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from jobs.clock import LATEST, Clock
from jobs.model import Stream
from jobs.ticks.confirmation import Confirmation
from jobs.ticks.monitor import WorkMonitor
from jobs.ticks.policy import MIN_CLOCK_STEP
from jobs.ticks.reconciler import Reconciler

# APScheduler sleeps on the monotonic clock. Without this limit it would notice only much later
# that the wall clock was changed, or that the machine was suspended.
MAX_SLEEP = timedelta(seconds=30)
MAX_WORKERS = 8  # for ticks; more would only wait for the store
MIN_PAUSE_SECONDS = 0.2  # before work that is overdue is tried once more
OPTIONS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
_log = logging.getLogger(__name__)


class TickTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires at every tick, and in between often enough to notice a changed clock.

    After a pause it returns one current time instead of each missed fire time, because APScheduler
    would list all of them while it holds its lock.
    """

    def __init__(self, next_due: Callable[[datetime], datetime]) -> None:
        self._next_due = next_due

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return when to wake next; APScheduler calls this."""
        base = now if previous is None else max(previous, now - MAX_SLEEP)
        return min(self._next_due(base), base + MAX_SLEEP)


class WakeUp(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires once, at an instant, and next at `LATEST`, which never comes.

    APScheduler removes a job whose trigger has ended. If it is shut down at that moment, its
    thread dies of an exception; a trigger that never ends avoids that.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:  # noqa: ARG002 - the base class's
        """Return when to wake; APScheduler calls this."""
        return self._at if previous is None else LATEST


class PeriodicTask(NamedTuple):
    """Work that is repeated, with `every` as its period."""

    name: str
    run: Callable[[], None]
    every: timedelta


@dataclass
class TickScheduler:
    """Wakes the reconciler for each stream with due ticks, and runs periodic tasks.

    Retries and confirmations are scheduled too, so that no thread waits for anything.
    """

    reconciler: Reconciler
    confirmation: Confirmation
    periodic_tasks: Sequence[PeriodicTask]
    flush_errors: Callable[[], None]
    clock: Clock
    monitor: WorkMonitor
    _stopped: Event = field(default_factory=Event, init=False)

    def __post_init__(self) -> None:
        """Make APScheduler's scheduler, with workers that do the work in turn."""
        self._offset = self._clock_offset()
        # A stream uses at most two workers at once, for its ticks and its retries.
        count = min(2 * len(self.reconciler.streams), MAX_WORKERS) + len(self.periodic_tasks) + 1
        workers = ThreadPoolExecutor(count)
        self._scheduler = BackgroundScheduler(executors={"default": workers}, timezone=UTC)

    def start(self) -> None:
        """Start the schedules; what is due already is handled at once."""
        self._arm()
        self._offset = self._clock_offset()
        self._scheduler.start()

    def _arm(self) -> None:
        """Schedule everything from now on; it replaces what was scheduled before."""
        now = self.clock.now()
        for stream in self.reconciler.streams:
            trigger = TickTrigger(partial(self.reconciler.next_due, stream))
            name, period = f"ticks of {stream}", MAX_SLEEP
            self._add(name, self._wake, trigger, stream, period=period, next_run_time=now)
        for name, run, every in self.periodic_tasks:
            trigger = IntervalTrigger(seconds=every.total_seconds(), timezone=UTC)
            self._add(name, run, trigger, period=every, next_run_time=now)
        self._schedule_confirmation()

    def check_clock(self) -> None:
        """Schedule everything anew if the wall clock was set; to be called every second or so.

        APScheduler would wait on a clock that was set back until the old time comes again.
        """
        offset = self._clock_offset()
        step, self._offset = offset - self._offset, offset
        if abs(step) >= MIN_CLOCK_STEP and self._scheduler.running:
            direction = "forwards" if step > timedelta(0) else "back"
            seconds = abs(step).total_seconds()
            _log.warning("the clock was set %s by %.0f s", direction, seconds)
            self._arm()

    def _clock_offset(self) -> datetime:
        """Return when the monotonic clock would have been zero; a set clock changes it."""
        return self.clock.now() - timedelta(seconds=self.clock.monotonic())

    @property
    def alive(self) -> bool:
        """Whether its thread lives, or it was not started, or it was stopped on purpose.

        APScheduler's own state remains RUNNING after its thread has died.
        """
        thread = getattr(self._scheduler, "_thread", None)
        if thread is None or thread.ident is None:  # RUNNING begins a moment before its thread
            return True
        # The thread first: a stop between the two reads must not count as a death.
        return thread.is_alive() or not self._scheduler.running

    def stop(self) -> None:
        """Begin nothing more; do not wait for work that runs already."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _wake(self, stream: Stream) -> None:
        if self._stopped.is_set():
            return
        self.reconciler.reconcile(stream)
        self._schedule_retry(stream)
        self._schedule_confirmation()
        self.flush_errors()  # last, because it may take long

    def _confirm(self) -> None:
        if self._stopped.is_set():
            return
        self.confirmation.confirm()
        for stream in self.reconciler.streams:
            self._schedule_retry(stream)
        self._schedule_confirmation()

    def _schedule_retry(self, stream: Stream) -> None:
        at = self.reconciler.next_retry(stream)
        self._wake_at(f"tries of {stream}", self._wake, at, stream)

    def _schedule_confirmation(self) -> None:
        self._wake_at("confirmation", self._confirm, self.confirmation.next_check())

    def _wake_at(
        self, name: str, run: Callable[..., None], at: float | None, *args: object
    ) -> None:
        """Run something at a monotonic time; it replaces an earlier wake-up of the same name."""
        if at is not None and not self._stopped.is_set():
            seconds = max(at - self.clock.monotonic(), MIN_PAUSE_SECONDS)
            wake_up = WakeUp(self.clock.now() + timedelta(seconds=seconds))
            self._add(name, run, wake_up, *args)

    def _add(
        self,
        name: str,
        run: Callable[..., None],
        trigger: BaseTrigger,
        *args: object,
        period: timedelta | None = None,
        **more: Any,
    ) -> None:
        """Schedule work, which is overdue if it does not begin at least once in each `period`."""
        if period:
            self.monitor.expect(name, period)

        def monitored() -> None:
            with self.monitor.running(name, period):
                run(*args)

        self._scheduler.add_job(
            monitored, trigger, id=name, name=name, replace_existing=True, **OPTIONS, **more
        )
