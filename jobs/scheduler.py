"""Waking up when ticks are due: APScheduler carries the time, `Agenda` the ticks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobs.agenda import Agenda
    from jobs.model import Tick

# APScheduler sleeps on the monotonic clock: without a cap it would notice only much later that
# the wall clock was set, or that the machine slept.
LONGEST_SLEEP = timedelta(seconds=30)


class TickTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler 3 has no types
    """Fires at every tick of an agenda, and in between often enough to notice a changed clock.

    After a pause it answers with the present rather than with each fire time that was missed:
    APScheduler would list them all while it holds its lock.
    """

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Return when to wake next, as APScheduler asks for it."""
        base = now if previous is None else max(previous, now - LONGEST_SLEEP)
        tick = self._agenda.next_after(base)
        return None if tick is None else min(tick, base + LONGEST_SLEEP)


class TickScheduler:
    """Runs `settle` for every tick of the agendas, each stream's ticks one after the other."""

    def __init__(
        self,
        agendas: Iterable[Agenda],
        settle: Callable[[Tick], None],
        now: Callable[[], datetime],
    ) -> None:
        self._agendas = tuple(agendas)
        self._settle = settle
        self._now = now
        self._stopped = Event()
        workers = ThreadPoolExecutor(max(1, len(self._agendas)))  # no stream waits for another
        self._scheduler = BackgroundScheduler(executors={"default": workers}, timezone=UTC)

    def start(self) -> None:
        """Arm the schedules; ticks that are due already are taken up at once."""
        for agenda in self._agendas:
            self._scheduler.add_job(
                self._take_up,
                TickTrigger(agenda),
                args=[agenda],
                id=str(agenda.stream),
                next_run_time=self._now(),
                misfire_grace_time=None,
                coalesce=True,
                max_instances=1,
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Take up no more ticks. One that is being settled goes on: this does not wait for it."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _take_up(self, agenda: Agenda) -> None:
        while ticks := agenda.take(self._now()):
            for tick in ticks:
                if self._stopped.is_set():
                    return
                self._settle(tick)
