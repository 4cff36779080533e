"""The fire times of a cron pattern in a time zone."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

from cronsim import CronSim

from jobs.cron import describe

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Schedule:
    """When a pattern is due in a time zone; made by `parse`.

    Schedules are equal if their patterns and zones are equal. When the clocks change, there are two
    cases, the same as in Debian's cron(8):

    - If neither the minute nor the hour field begins with `*`, each local time runs once. Times
      that the clocks skip run together at the end of the gap. Times that occur twice run at their
      first occurrence.
    - Any other pattern runs whenever the clock shows a matching time.
    """

    pattern: str
    zone: tzinfo
    _plain: str = field(repr=False, compare=False)
    _once: bool = field(repr=False, compare=False)

    @cached_property
    def in_words(self) -> str:
        """The pattern in English, without the rules for clock changes."""
        return describe.in_words(self._plain)

    @property
    def ticks_in_a_minute(self) -> int:
        """How many seconds of a minute the pattern names."""
        seconds = self._plain.split()[0]
        return 60 if seconds == "*" else len(seconds.split(","))

    def next_after(self, instant: datetime) -> datetime:
        """Return the first fire time after an aware instant, in UTC.

        Raise `ValueError` for a naive instant.
        """
        now = _utc(instant)
        return min(fire for fire in self._fires_near(now, back=False) if fire > now)

    def latest(self, instant: datetime) -> datetime:
        """Return the last fire time at or before an aware instant, in UTC.

        Raise `ValueError` for a naive instant.
        """
        now = _utc(instant)
        return max(fire for fire in self._fires_near(now, back=True) if fire <= now)

    def fire_times(self, instant: datetime) -> Iterator[datetime]:
        """Yield the fire times after an aware instant, in UTC; there is always another one."""
        while True:
            instant = self.next_after(instant)
            yield instant

    def _fires_near(self, now: datetime, *, back: bool) -> list[datetime]:
        """Return fire times before and after an instant, including the nearest ones.

        The search starts from the local time. If that local time occurs twice, two more searches
        start from the last local time before the clocks go back and from the first one after it.
        """
        local = self._local(now)
        starts = [local]
        first, second = self._occurrences(local)
        if first < second:
            change = self._change(local)
            starts += [self._local(change - _SECOND), self._local(change) - _SECOND]
        return [fire for start in starts for fire in self._fires_from(start, back=back)]

    def _fires_from(self, local: datetime, *, back: bool) -> tuple[datetime, ...]:
        """Return when the first match from a local time on fires: at one or at both occurrences."""
        while True:
            start = local + _SECOND if back else local
            match = next(CronSim(self._plain, start, reverse=back))
            first, second = self._occurrences(match)
            if first <= second:
                return (first,) if self._once else (first, second)
            change = self._change(match)
            if self._once:
                return (change,)
            local = self._local(change - _SECOND) if back else self._local(change) - _SECOND

    def _local(self, instant: datetime) -> datetime:
        """Return the local time at an instant as a naive datetime, in whole seconds."""
        return instant.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def _occurrences(self, local: datetime) -> tuple[datetime, datetime]:
        """Return the first and the second instant at which a local time occurs.

        Usually these are equal. For a local time in a gap, the first is the later one (PEP 495).
        """
        first, second = (local.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        return first.astimezone(UTC), second.astimezone(UTC)

    def _change(self, local: datetime) -> datetime:
        """Return when the clocks change, for a local time that they skip or repeat."""
        low, high = sorted(self._occurrences(local))

        def changed(seconds: int) -> bool:
            elapsed = timedelta(seconds=seconds)
            return self._local(low + elapsed) != self._local(low) + elapsed

        seconds = range((high - low) // _SECOND)
        return low + bisect.bisect_left(seconds, x=True, key=changed) * _SECOND


def _utc(instant: datetime) -> datetime:
    """Return the instant in UTC, as arithmetic on local datetimes ignores clock changes."""
    if instant.utcoffset() is None:
        message = f"an aware datetime is needed, got {instant!r}"
        raise ValueError(message)
    return instant.astimezone(UTC)
