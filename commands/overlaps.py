"""Find jobs that are due at the same instant: they start together, or one waits for another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from jobs.cron import Schedule
from jobs.model import JobKind, Stream

MAX_LISTED = 700  # fire times of one schedule; every half hour for 14 days makes 672


@dataclass(frozen=True)
class ScheduledKind:
    """A kind of job of one stream that has a schedule."""

    stream: Stream
    kind: JobKind

    def __str__(self) -> str:
        """Name it as messages do."""
        return f"{self.kind.value} of {self.stream}"


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Kinds of job that are due at the same instants, `first` being the earliest of these.

    `times` counts the instants. Where it is not `exact`, there may be more of them.
    """

    kinds: tuple[ScheduledKind, ...]
    first: datetime
    times: int
    exact: bool


def overlaps(streams: Iterable[Stream], start: datetime, horizon: timedelta) -> tuple[Overlap, ...]:
    """Return one overlap for each set of kinds that are due together, the earliest first.

    It covers instants after `start` and up to `start + horizon`. The work is bounded, however
    often patterns are due: only the first `MAX_LISTED` fire times of each schedule are listed. A
    schedule with more fire times is asked about each instant at which another one is due.
    """
    all_fires = [
        _FireTimes.of(kind, schedule, start, start + horizon)
        for kind, schedule in _scheduled(streams)
    ]
    instants_of: dict[tuple[_FireTimes, ...], list[datetime]] = {}
    for instant in sorted(set().union(*(fires.listed for fires in all_fires))):
        together = tuple(fires for fires in all_fires if fires.include(instant))
        instants_of.setdefault(together, []).append(instant)
    return tuple(
        Overlap(
            kinds=tuple(fires.kind for fires in together),
            first=instants[0],
            times=len(instants),
            exact=any(fires.complete for fires in together),
        )
        for together, instants in instants_of.items()
        if len(together) > 1
    )


def _scheduled(streams: Iterable[Stream]) -> Iterator[tuple[ScheduledKind, Schedule]]:
    for stream in streams:
        for plan in stream.plans:
            if plan.schedule is not None:
                yield ScheduledKind(stream, plan.kind), plan.schedule


@dataclass(frozen=True, kw_only=True, eq=False)
class _FireTimes:
    """The fire times of one schedule within the horizon: the first ones, or all if `complete`."""

    kind: ScheduledKind
    schedule: Schedule
    listed: frozenset[datetime]
    last_listed: datetime

    @classmethod
    def of(
        cls, kind: ScheduledKind, schedule: Schedule, start: datetime, end: datetime
    ) -> _FireTimes:
        """List the fire times after `start` and up to `end`."""
        within = takewhile(lambda instant: instant <= end, schedule.fire_times(start))
        listed = list(islice(within, MAX_LISTED))
        return cls(
            kind=kind,
            schedule=schedule,
            listed=frozenset(listed),
            last_listed=listed[-1] if listed else start,
        )

    @property
    def complete(self) -> bool:
        """Whether every fire time within the horizon is listed."""
        return len(self.listed) < MAX_LISTED

    def include(self, instant: datetime) -> bool:
        """Return whether the schedule is due at an instant within the horizon."""
        if self.complete or instant <= self.last_listed:
            return instant in self.listed
        return self.schedule.latest(instant) == instant
