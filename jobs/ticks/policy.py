"""How long ticks stay due and how often they are tried, and when they fire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from jobs.clock import EARLIEST, LATEST

MAX_COUNTED = 10_000  # superseded ticks; as many as a pattern of seconds brings in three hours


@dataclass(frozen=True, kw_only=True)
class TickPolicy:
    """How long ticks stay due, and how often they are tried.

    `window` is how long a tick stays due. It begins with the oldest pending tick of a schedule, so
    that a short period cannot hide a block for ever. `settle_time` is how long an update may
    still be applied after its answer was lost, and how long a reported success may be untrue.
    `standby_delay` is how long after its fire time this replica handles a tick. `max_pause` is
    the longest pause between two tries.
    """

    window: timedelta = timedelta(hours=6)
    settle_time: timedelta = timedelta(seconds=60)
    standby_delay: timedelta = timedelta(0)
    max_pause: timedelta = timedelta(seconds=60)


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

    def latest(self, instant: datetime) -> datetime:
        """Return the one fire time, or before it `EARLIEST`, which is long past."""
        return self.instant if instant >= self.instant else EARLIEST


def between(schedule: FireTimes, after: datetime, before: datetime) -> tuple[int, datetime]:
    """Count the fire times strictly between two instants; return the first one after too."""
    first = instant = schedule.next_after(after)
    count = 0
    while instant < before and count < MAX_COUNTED:
        count += 1
        instant = schedule.next_after(instant)
    return count, first
