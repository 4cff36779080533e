"""Fire times: the real cron's, computed once, and the auditor's own rule to hold against them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from jobs.cron import Schedule, parse

BASE = datetime(2024, 1, 6, 6, tzinfo=UTC)  # virtual time zero; a whole hour
KEPT = BASE - timedelta(hours=1)  # before it the real schedule is asked


@dataclass(frozen=True)
class Rule:
    """The auditor's own idea of a pattern: every `period` seconds from `offset` on."""

    period: int
    offset: int

    @property
    def pattern(self) -> str:
        """The cron pattern that means the same."""
        if self.period < 60:
            return f"{self.offset}/{self.period} * * * * *"
        minutes, second = self.period // 60, self.offset % 60
        if minutes == 1:
            return f"{second} * * * * *"
        return f"{second} {self.offset // 60}/{minutes} * * * *"

    def count(self, after: float, before: float) -> int:
        """Count the fire times strictly between two instants, in seconds of virtual time."""
        first = (after - self.offset) // self.period + 1
        last = -((self.offset - before) // self.period) - 1
        return max(0, int(last - first + 1))

    def times(self, begin: float, end: float) -> range:
        """Return the fire times from one instant up to another."""
        first = -((self.offset - begin) // self.period)
        start = int(first) * self.period + self.offset
        return range(start, int(end) + 1, self.period)


def seconds(instant: datetime) -> float:
    """Return an instant in seconds of virtual time."""
    return (instant - BASE).total_seconds()


@dataclass(eq=False)
class KeptSchedule:
    """The real schedule, whose fire times are kept: a simulation asks for them very often."""

    real: Schedule
    _times: list[datetime] = field(default_factory=list)

    @property
    def pattern(self) -> str:
        return self.real.pattern

    def next_after(self, instant: datetime) -> datetime:
        if instant < KEPT:
            return self.real.next_after(instant)
        self._reach(instant)
        return self._times[bisect_right(self._times, instant)]

    def latest(self, instant: datetime) -> datetime:
        if instant < KEPT:
            return self.real.latest(instant)
        self._reach(instant)
        index = bisect_right(self._times, instant) - 1
        return self._times[index] if index >= 0 else self.real.latest(instant)

    def _reach(self, instant: datetime) -> None:
        if not self._times:
            self._times.append(self.real.next_after(KEPT))
        if self._times[-1] <= instant and instant > self._times[-1] + timedelta(days=2):
            raise ValueError(f"{instant} is out of the simulation's reach")
        while self._times[-1] <= instant:
            self._times.append(self.real.next_after(self._times[-1]))


@cache
def schedule(pattern: str) -> KeptSchedule:
    """Return the schedule of a pattern; all worlds of a run share it."""
    return KeptSchedule(parse(pattern, UTC))
