"""How long ticks stay due and how often they are tried, and when they fire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jobs.clock import LATEST

FIRST_PAUSE = 1.0  # seconds
MAX_DOUBLINGS = 20  # of a pause; more would only make the number large
MAX_WRITE_PAUSE = 3600.0  # seconds between two writes for one tick
MIN_CLOCK_STEP = timedelta(seconds=1)  # of a clock that was set; smaller steps are corrections
MAX_COUNTED = 10_000  # superseded ticks; as many as a pattern of seconds brings in three hours


@dataclass(frozen=True, kw_only=True)
class TickPolicy:
    """How long ticks stay due, and how often they are tried.

    `window` is how long a tick stays due. It begins with the oldest pending tick of a schedule, so
    that a short period cannot hide a block for ever. `settle_time` is how long an update may
    still be applied after its answer was lost, and how long a reported success may be untrue.
    `request_time` is how long a request may take, and so how much later than the settle time the
    last update of a killed process may be applied.
    `standby_delay` is how long this replica must see a job creatable and absent before it creates
    it. `replicated` means that other replicas may write at the same time. `max_pause` is the
    longest pause between two tries. `report_every` is the period in which one error is repeated.
    """

    window: timedelta = timedelta(hours=6)
    settle_time: timedelta = timedelta(seconds=60)
    request_time: timedelta = timedelta(0)
    standby_delay: timedelta = timedelta(0)
    replicated: bool = False
    max_pause: timedelta = timedelta(seconds=60)
    report_every: timedelta = timedelta(hours=24)

    @property
    def settle_seconds(self) -> float:
        """The settle time in seconds."""
        return self.settle_time.total_seconds()

    @property
    def resume_seconds(self) -> float:
        """The seconds after which the last update of a killed process has arrived."""
        return (self.settle_time + self.request_time).total_seconds()

    @property
    def standby_seconds(self) -> float:
        """The standby delay in seconds; 0 if this replica stands by for no other."""
        return self.standby_delay.total_seconds()

    def retry_pause(self, tries: int, random: float) -> float:
        """Return the seconds before another try, each time about twice as many."""
        doubled = FIRST_PAUSE * 2.0 ** min(tries, MAX_DOUBLINGS)
        return min(doubled, self.max_pause.total_seconds()) * (0.5 + random / 2)

    def confirm_pause(self, age: float) -> float:
        """Return the seconds before another confirming read; `age` is the job's, in seconds."""
        return min(max(FIRST_PAUSE, age), self.max_pause.total_seconds())

    def write_pause(self, writes: int) -> float:
        """Return the seconds, after the settle time, before another write for the same tick."""
        doubled = self.settle_seconds * (2.0 ** min(writes - 1, MAX_DOUBLINGS) - 1)
        return min(doubled, MAX_WRITE_PAUSE)


class FireTimes(Protocol):
    """When ticks fire: a cron schedule, or `Once`."""

    def next_after(self, instant: datetime) -> datetime:
        """Return the first fire time after `instant`."""

    def latest(self, instant: datetime) -> datetime:
        """Return the newest fire time up to `instant`."""


@dataclass(frozen=True)
class Once:
    """Fires one time, at `instant`: what is due when the service starts."""

    instant: datetime

    def next_after(self, instant: datetime) -> datetime:
        """Return the one fire time, or after it `LATEST`, which never comes."""
        return self.instant if instant < self.instant else LATEST

    def latest(self, instant: datetime) -> datetime:  # noqa: ARG002 - as FireTimes asks for it
        """Return the one fire time, also before it: the start does not wait for a wrong clock."""
        return self.instant


def between(schedule: FireTimes, after: datetime, before: datetime) -> tuple[int, datetime]:
    """Count the fire times strictly between two instants; return the first one after too."""
    first = instant = schedule.next_after(after)
    count = 0
    while instant < before and count < MAX_COUNTED:
        count += 1
        instant = schedule.next_after(instant)
    return count, first
