"""Waking up when something is due: APScheduler carries the time, the settler does the work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from jobs.agenda import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jobs.model import Stream
    from jobs.settler import Settler

# APScheduler sleeps on the monotonic clock: without a cap it would notice only much later that
# the wall clock was set, or that the machine slept.
LONGEST_SLEEP = timedelta(seconds=30)
SHORTEST_PAUSE = timedelta(milliseconds=200)  # between two looks at what is overdue
OPTIONS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


class TickTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires at every tick, and in between often enough to notice a changed clock.

    After a pause it answers with the present rather than with each fire time that was missed:
    APScheduler would list them all while it holds its lock.
    """

    def __init__(self, next_arrival: Callable[[datetime], datetime]) -> None:
        self._next_arrival = next_arrival

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return when to wake next, as APScheduler asks for it."""
        base = now if previous is None else max(previous, now - LONGEST_SLEEP)
        return min(self._next_arrival(base), base + LONGEST_SLEEP)


class WakeUp(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires once, at an instant, and then not in the lifetime of anything.

    APScheduler removes a job whose trigger has come to its end, and its thread dies of that where
    it happens to be shut down at the same time.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:  # noqa: ARG002 - the base class's
        """Return when to wake, as APScheduler asks for it."""
        return self._at if previous is None else NEVER


class Chore(NamedTuple):
    """Work that is done again and again, `every` so often."""

    name: str
    work: Callable[[], None]
    every: timedelta


class TickScheduler:
    """Has the settler look at every stream when its ticks are due, and does chores in between.

    Retries and confirmations are jobs of the scheduler, too: no thread waits for anything.
    """

    def __init__(
        self,
        settler: Settler,
        *,
        chores: Sequence[Chore],
        flush: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._settler = settler
        self._chores = chores
        self._flush = flush
        self._now = now
        self._stopped = Event()
        # A stream can take two workers, for its ticks and for its tries: none waits for another.
        workers = ThreadPoolExecutor(2 * len(settler.streams) + len(chores) + 1)
        self._scheduler = BackgroundScheduler(executors={"default": workers}, timezone=UTC)

    def start(self) -> None:
        """Arm the schedules; what is due already is taken up at once."""
        now = self._now()
        for stream in self._settler.streams:
            trigger = TickTrigger(partial(self._settler.next_arrival, stream))
            self._add(f"ticks of {stream}", self._look, trigger, stream, next_run_time=now)
        for name, work, every in self._chores:
            trigger = IntervalTrigger(seconds=every.total_seconds(), timezone=UTC)
            self._add(name, work, trigger, next_run_time=now)
        self._scheduler.start()

    @property
    def alive(self) -> bool:
        """Whether its thread lives; one that was not started, or was stopped, has nothing to fear.

        APScheduler's own state says RUNNING after its thread has died.
        """
        thread = getattr(self._scheduler, "_thread", None)
        if thread is None or thread.ident is None:  # RUNNING begins a moment before its thread
            return True
        return thread.is_alive() or not self._scheduler.running  # in this order: a stop is no death

    def stop(self) -> None:
        """Take up nothing more. What is under way goes on: this does not wait for it."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _look(self, stream: Stream) -> None:
        if self._stopped.is_set():
            return
        self._settler.look(stream)
        self._again(f"tries of {stream}", self._look, self._settler.next_look(stream), stream)
        self._again("confirmation", self._confirm, self._settler.next_confirmation())
        self._flush()  # last: it may take its time

    def _confirm(self) -> None:
        if self._stopped.is_set():
            return
        self._settler.confirm()
        for stream in self._settler.streams:
            self._again(f"tries of {stream}", self._look, self._settler.next_look(stream), stream)
        self._again("confirmation", self._confirm, self._settler.next_confirmation())

    def _again(
        self, name: str, work: Callable[..., None], at: datetime | None, *args: object
    ) -> None:
        """Have work done once more; a time that was set before for the same name is forgotten."""
        if at is not None and not self._stopped.is_set():
            trigger = WakeUp(max(at, self._now() + SHORTEST_PAUSE))
            self._add(name, work, trigger, *args)

    def _add(
        self, name: str, work: Callable[..., None], trigger: BaseTrigger, *args: object, **more: Any
    ) -> None:
        self._scheduler.add_job(
            work, trigger, args=args, id=name, replace_existing=True, **OPTIONS, **more
        )
