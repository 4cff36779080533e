"""APScheduler's part: it wakes the real `TickScheduler`, in virtual time.

As APScheduler it sleeps on the monotonic clock until the next wall-clock time that is due, runs
at most one instance of each job, and asks the trigger for the next time when it starts a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.simulation.loop import Loop, Work


class Trigger(Protocol):
    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None: ...


@dataclass
class Entry:
    run: Callable[..., object]
    trigger: Trigger
    at: datetime | None


class VirtualScheduler:
    """Has what `TickScheduler` uses of APScheduler's `BackgroundScheduler`."""

    def __init__(
        self,
        loop: Loop,
        start_work: Callable[..., Work],
        now: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        self.running = False
        self._loop, self._start_work, self._now, self._jitter = loop, start_work, now, jitter
        self._entries: dict[str, Entry] = {}
        self._works: dict[str, Work] = {}
        self._armed: float | None = None

    def add_job(
        self,
        run: Callable[..., object],
        trigger: Trigger,
        *,
        id: str,  # noqa: A002 # APScheduler's name
        next_run_time: datetime | None = None,
        **_options: object,
    ) -> None:
        at = next_run_time or trigger.get_next_fire_time(None, self._now())
        self._entries[id] = Entry(run, trigger, at)
        if self.running:
            self._arm()

    def start(self) -> None:
        self.running = True
        self._arm()

    def shutdown(self, *, wait: bool) -> None:
        self.running = False

    def _arm(self) -> None:
        """Wake at the next time that is due; a wake-up that comes too early does no harm."""
        at = min(entry.at for entry in self._entries.values() if entry.at)
        when = self._loop.now + max(0.0, (at - self._now()).total_seconds()) + self._jitter()
        if self._armed is None or when < self._armed:
            self._armed = when
            self._loop.at(when, self._wake, when)

    def _wake(self, when: float) -> None:
        if when != self._armed:
            return
        self._armed = None
        if not self.running:
            return
        now = self._now()
        for name, entry in list(self._entries.items()):
            if entry.at and entry.at <= now:
                self._run(name, entry, now)
        self._arm()

    def _run(self, name: str, entry: Entry, now: datetime) -> None:
        last = following = entry.at
        while following and following <= now:
            last, following = following, entry.trigger.get_next_fire_time(following, now)
        entry.at = following
        work = self._works.get(name)
        if work is None or work.dead:  # else: "maximum number of running instances reached"
            self._works[name] = self._start_work(entry.run)
        assert last is not None
