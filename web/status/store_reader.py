"""What the reports need of the store, with few requests whatever the number of streams and jobs.

A reading takes one request. It lists the active jobs and those of the last day, or of some minutes
if there are many streams. A second request lists the newest job of each operation that had no
success since then, however old it is. Its answer is remembered, because it takes longer the more
jobs there are. The first request brings it up to date. A remembered job that it lacks is looked up
by its URI.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeAlias

from jobs.clock import EARLIEST, Clock
from jobs.events import EventLog
from jobs.model import Job, Status, Stream
from jobs.rules import CLOCK_TOLERANCE
from jobs.store import BoundStore, CurrentJobs, JobStore, StoreError
from jobs.streams import Streams
from web.health import INTERNAL_ERROR
from web.status.builder import StoreSnapshot
from web.status.fire_times import DAY
from web.status.report import MAX_DETAILED

_log = logging.getLogger(__name__)

READ_SECONDS = 3.0  # for all requests of one reading; a page must not wait long for a store
FRESH_SECONDS = 1.0  # for which all reports share a reading
HISTORY_SECONDS = 300.0  # for which the newest jobs are remembered
OVERLAP = timedelta(minutes=10)  # of what is remembered and what is read, as clocks differ

JobsByUri: TypeAlias = Mapping[tuple[str, str], Job]  # by operation and URI


@dataclass(frozen=True, kw_only=True)
class History:
    """The active jobs, and the newest job of each operation and its newest successful one.

    `at` is the wall-clock time at which they were read, `elapsed` the monotonic one. `cleanings` is
    how often a person had removed jobs before that. `problem` is why the store did not list them;
    the jobs are then those of an earlier reading, if there was one.
    """

    jobs: tuple[Job, ...]
    problem: str | None
    at: datetime
    elapsed: float
    cleanings: int


@dataclass(kw_only=True, eq=False)
class StoreReader:
    """Reads the store once for all reports of a second."""

    streams: Streams
    store: JobStore
    clock: Clock
    events: EventLog
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)
    _fresh: dict[Stream | None, tuple[float, StoreSnapshot]] = field(
        default_factory=dict, init=False, repr=False
    )
    _history: History | None = field(default=None, init=False, repr=False)

    @property
    def few(self) -> bool:
        """Whether one reading lists the jobs of the last day of all streams."""
        return len(self.streams) <= MAX_DETAILED

    def snapshot(self, only: Stream | None = None) -> StoreSnapshot:
        """Return what is known of all streams, or of `only` one and its jobs of the last day.

        A store that did not answer is not asked again within the second, whatever the stream.
        """
        scope = None if self.few else only
        with self._lock:
            now = self.clock.monotonic()
            self._fresh = {
                key: (read_at, snapshot)
                for key, (read_at, snapshot) in self._fresh.items()
                if now - read_at <= FRESH_SECONDS
            }
            for key, (_, snapshot) in self._fresh.items():
                if key == scope or snapshot.problem:
                    return snapshot
            snapshot = self._read(scope)
            self._fresh[scope] = self.clock.monotonic(), snapshot
            return snapshot

    def problem(self) -> str | None:
        """Return why the store does not answer; None if it does."""
        try:
            self._bound().ping()
        except Exception as error:  # noqa: BLE001 - every failure is a reason for the caller
            return _reason(error)
        return None

    def _bound(self) -> BoundStore:
        seconds = min(READ_SECONDS, self.clock.timeout)
        return self.store.within(self.clock.deadline(seconds))

    def _read(self, scope: Stream | None) -> StoreSnapshot:
        operations = scope.operations if scope else self.streams.operations
        now = self.clock.now()
        since = now - DAY if scope or self.few else self._remembered_until(now) - OVERLAP
        try:
            bound = self._bound()
            current = bound.current(operations, since)
            history = self._past_jobs(bound, current.jobs, since, operations)
        except Exception as error:  # noqa: BLE001 - the report still shows what the process knows
            return StoreSnapshot.without(_reason(error))
        snapshot = _combined(current, history.jobs, since, now)
        return replace(snapshot, history_problem=history.problem)

    def _remembered_until(self, now: datetime) -> datetime:
        return min(self._history.at, now) if self._history else now

    def _past_jobs(
        self, bound: BoundStore, current: Sequence[Job], since: datetime, operations: Sequence[str]
    ) -> History:
        """Return the newest jobs of all operations, the remembered ones brought up to date."""
        history = self._history
        if not history or self._is_outdated(history):
            history = self._read_history(bound, current, since)
        else:
            history = self._updated(history, bound, current, since, operations)
        jobs = _by_uri([*history.jobs, *current]).values()
        self._history = replace(history, jobs=_remembered(jobs, self.clock.now()))
        return self._history

    def _updated(
        self,
        history: History,
        bound: BoundStore,
        current: Sequence[Job],
        since: datetime,
        operations: Sequence[str],
    ) -> History:
        """Return the remembered jobs as they are now.

        One that the reading of current jobs must list, but does not, has ended or was removed. Then
        all are read again, because nothing is known of the jobs before the removed one.
        """
        known = _by_uri(current)
        expected = (job for job in history.jobs if job.operation in {*operations})
        missing = {_key(job) for job in expected if _is_current(job, since)} - known.keys()
        if not missing:
            return history
        found = _by_uri(bound.find(sorted({uri for _, uri in missing})))
        if missing - found.keys():
            return self._read_history(bound, current, since)
        return replace(history, jobs=tuple(found.get(_key(job), job) for job in history.jobs))

    def _read_history(self, bound: BoundStore, current: Sequence[Job], since: datetime) -> History:
        """Read the newest jobs; a store that takes too long is asked again in some minutes.

        Current jobs of an operation show its newest ones, if one of them has succeeded.
        """
        cleanings, now = self.events.cleanings, self.clock.now()
        jobs, problem = self._history.jobs if self._history else (), None
        try:
            operations = _without_success(self.streams.operations, current, since, now)
            jobs = bound.newest(operations, now + CLOCK_TOLERANCE)
        except StoreError as error:
            problem = str(error)
        elapsed = self.clock.monotonic()
        return History(jobs=jobs, at=now, elapsed=elapsed, cleanings=cleanings, problem=problem)

    def _is_outdated(self, history: History) -> bool:
        age = self.clock.monotonic() - history.elapsed
        return age > HISTORY_SECONDS or history.cleanings != self.events.cleanings


def _combined(
    current: CurrentJobs, past: Iterable[Job], since: datetime, now: datetime
) -> StoreSnapshot:
    """Return what a reading shows; a job of the past counts as it is now."""
    known = _by_uri(current.jobs)
    jobs = [*(job for job in past if _key(job) not in known), *current.jobs]
    dated = _dated(jobs, now)
    return StoreSnapshot.of(
        active=(job for job in current.jobs if job.active),
        recent=(job for job in current.jobs if job.created and job.created >= since),
        newest=_newest(dated),
        succeeded=_newest(job for job in dated if job.status is Status.SUCCESS),
        complete=current.complete,
    )


def _without_success(
    operations: Sequence[str], current: Iterable[Job], since: datetime, now: datetime
) -> Sequence[str]:
    """Return the operations of which no job since an instant has succeeded.

    A job with two dates counts as one of the older date, but is read as one of the newer.
    """
    succeeded = (job for job in _dated(current, now) if job.status is Status.SUCCESS)
    shown = {job.operation for job in succeeded if (job.created or EARLIEST) >= since}
    return [one for one in operations if one not in shown]


def _dated(jobs: Iterable[Job], now: datetime) -> Sequence[Job]:
    """Return the jobs that have a date, but none in the future."""
    return [job for job in jobs if job.created and job.created <= now + CLOCK_TOLERANCE]


def _newest(jobs: Iterable[Job]) -> Iterator[Job]:
    """Yield the newest job of each operation."""
    by_age = sorted(jobs, key=lambda job: (job.created or EARLIEST, job.uri))
    yield from {job.operation: job for job in by_age}.values()


def _remembered(jobs: Collection[Job], now: datetime) -> tuple[Job, ...]:
    """Return the active jobs, and of each operation the newest job and the newest success."""
    dated = _dated(jobs, now)
    succeeded = [job for job in dated if job.status is Status.SUCCESS]
    active = (job for job in jobs if job.active)
    return tuple(_by_uri([*active, *_newest(dated), *_newest(succeeded)]).values())


def _is_current(job: Job, since: datetime) -> bool:
    return job.active or (job.created or EARLIEST) >= since


def _key(job: Job) -> tuple[str, str]:
    return job.operation, job.uri


def _by_uri(jobs: Iterable[Job]) -> JobsByUri:
    return {_key(job): job for job in jobs}


def _reason(error: Exception) -> str:
    """Return why a read failed, and log an unexpected error with its traceback."""
    if isinstance(error, StoreError):
        return str(error)
    _log.error("reading the store failed unexpectedly", exc_info=error)
    return INTERNAL_ERROR
