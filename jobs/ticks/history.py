"""The jobs of earlier ticks of a schedule: known by their identity, not by a search.

The history of an operation may hold a million jobs. A store can find one by its URI at once, but
the newest one only by reading all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile

from jobs import ids
from jobs.clock import EARLIEST
from jobs.model import JOB_BASE, Job
from jobs.ticks.pending import PendingTicks
from jobs.ticks.policy import FireTimes

LAST = 15  # ticks before the newest one that are all looked up
GROWTH = 1.1  # of the distance of the earlier ones that are looked up
MAX_AGE = timedelta(days=400)  # of the ticks that are looked up
READ_AGE = timedelta(days=2)  # of the jobs among which a start finds the newest one of a tick
STEP = timedelta(microseconds=1)
CHECKED = 2000  # jobs of all schedules that a sweep inspects, and of one:
CHECKED_OF_ONE = 100
CHECKED_AGE = timedelta(days=1)


def tick_job(ticks: PendingTicks, fire_time: datetime) -> str:
    """Return the URI of the job of a tick."""
    return JOB_BASE + ids.tick_job(ticks.operation, fire_time)


def last_jobs(ticks: PendingTicks) -> list[str]:
    """Return the URIs of the jobs of the last ticks of a schedule."""
    newest = ticks.handled_until
    return [tick_job(ticks, one) for one in (newest, *last_before(ticks.schedule, newest))]


def last_before(schedule: FireTimes, newest: datetime) -> Iterator[datetime]:
    """Yield the last fire times before one, the newest first."""
    return islice(_before(schedule, newest), LAST)


def long_before(schedule: FireTimes, newest: datetime) -> Iterator[datetime]:
    """Yield some fire times before the last ones, the older the fewer."""
    *_, fire_time = last_before(schedule, newest)
    while (age := newest - fire_time) < MAX_AGE:
        fire_time = schedule.latest(newest - age * GROWTH)
        yield fire_time


def _before(schedule: FireTimes, instant: datetime) -> Iterator[datetime]:
    """Yield the fire times before an instant, the newest first."""
    while True:
        instant = schedule.latest(instant - STEP)
        yield instant


def newest_of_tick(jobs: Iterable[Job], operation: str) -> Job | None:
    """Return the first of the jobs, the newest first, that a tick of this operation made."""
    own = (job for job in jobs if job.operation == operation)
    return next((job for job in own if ids.is_derived(job.uri.removeprefix(JOB_BASE))), None)


def tick_of(ticks: PendingTicks, job: Job) -> datetime | None:
    """Return which of the schedule's last ticks before the job was created is the job's, if any."""
    created = job.created or EARLIEST
    latest = ticks.schedule.latest(created)
    candidates = (latest, *last_before(ticks.schedule, latest))
    return next((one for one in candidates if tick_job(ticks, one) == job.uri), None)


def recent_jobs(schedules: Iterable[PendingTicks], now: datetime) -> list[str]:
    """Return the URIs of the newest ticks' jobs of the last day, some of each schedule."""
    recurring = [ticks for ticks in schedules if ticks.recurs]
    each = min(CHECKED_OF_ONE, max(1, CHECKED // max(1, len(recurring))))
    return [
        tick_job(ticks, fire_time)
        for ticks in recurring
        for fire_time in takewhile(
            lambda fire_time: fire_time >= now - CHECKED_AGE,
            islice(_before(ticks.schedule, now + STEP), each),
        )
    ]
