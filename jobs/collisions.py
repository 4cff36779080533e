"""Jobs that are due at one instant: they start together, or one waits for the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from jobs.cron import Schedule
    from jobs.model import JobKind, Stream

MOST_FIRES = 700  # of one schedule that are listed; every half hour in 14 days is 672


@dataclass(frozen=True)
class Due:
    """A kind of a stream that has a schedule."""

    stream: Stream
    kind: JobKind

    def __str__(self) -> str:
        """Name it as messages do."""
        return f"{self.kind.value} of {self.stream}"


@dataclass(frozen=True, kw_only=True)
class Collision:
    """Who is due at one instant. `times` counts such instants, all there are where `exact`."""

    due: tuple[Due, ...]
    first: datetime
    times: int
    exact: bool


def fire_times(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    """Yield the fire times after an instant, without end."""
    instant = start
    while True:
        instant = schedule.next_after(instant)
        yield instant


def collisions(
    streams: Iterable[Stream], start: datetime, horizon: timedelta
) -> tuple[Collision, ...]:
    """Return what meets within the horizon, one for each set that does, the earliest first.

    However often patterns are due, the work is bounded: of each schedule only the first fire
    times are listed. One with more of them is asked whether it is due when another is.
    """
    fires = [_Fires(due, schedule, start, start + horizon) for due, schedule in _schedules(streams)]
    meetings: dict[tuple[_Fires, ...], list[datetime]] = {}
    for instant in sorted(set().union(*(each.listed for each in fires))):
        together = tuple(each for each in fires if each.includes(instant))
        meetings.setdefault(together, []).append(instant)
    return tuple(
        Collision(
            due=tuple(each.due for each in together),
            first=instants[0],
            times=len(instants),
            exact=any(each.complete for each in together),
        )
        for together, instants in meetings.items()
        if len(together) > 1
    )


def _schedules(streams: Iterable[Stream]) -> Iterator[tuple[Due, Schedule]]:
    for stream in streams:
        for plan in stream.plans:
            if plan.schedule is not None:
                yield Due(stream, plan.kind), plan.schedule


class _Fires:
    """The fire times of one schedule within the horizon: the first ones, or all if `complete`."""

    def __init__(self, due: Due, schedule: Schedule, start: datetime, end: datetime) -> None:
        self.due = due
        within = takewhile(lambda instant: instant <= end, fire_times(schedule, start))
        listed = list(islice(within, MOST_FIRES))
        self.listed = frozenset(listed)
        self.complete = len(listed) < MOST_FIRES
        self._schedule = schedule
        self._last = listed[-1] if listed else start

    def includes(self, instant: datetime) -> bool:
        """Say whether the schedule is due at an instant within the horizon."""
        if self.complete or instant <= self._last:
            return instant in self.listed
        return self._schedule.latest(instant) == instant
