"""Reporting errors to operators: a log line at once, and an error resource in the store."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from jobs import ids
from jobs.clock import EARLIEST, Clock
from jobs.model import Job, JobKind, Stream, Tick
from jobs.store import BoundStore, ErrorResource, JobStore, StoreError, StoreUnavailable
from jobs.stream_log import log_about

_log = logging.getLogger(__name__)

MAX_MESSAGE = 4000  # characters; Virtuoso stores literals of more than 4,096 aside, as files
MAX_WAITING = 1000  # errors that wait for an absent store; then the oldest are dropped
WORK_TIMEOUTS = 4  # as many timeouts as work that read a job can take until it reports the job


@dataclass(frozen=True, kw_only=True)
class ErrorReport:
    """Something that an operator has to know: a cause that concerns a subject.

    `subject` is an IRI and `cause` a word without white space. A pair of them is stored at most
    once per period. `at` is computed from what is in the store, so that two processes use the
    same instant. The log line begins with stream and kind.
    """

    stream: Stream
    kind: JobKind
    subject: str
    cause: str
    at: datetime
    message: str
    job: Job | None = None
    tick: Tick | None = None


@dataclass(frozen=True)
class _Waiting:
    """An error to be stored, unless it or one of its neighbours was stored within a period.

    The neighbours are the errors of the periods before and after. An error of the period after
    exists if it was reported by a clock that was ahead.
    """

    error: ErrorResource
    neighbours: tuple[ErrorResource, ErrorResource]

    @property
    def uris(self) -> list[str]:
        """The URIs of all three."""
        return [self.error.uri, *(error.uri for error in self.neighbours)]


@dataclass
class ErrorReporter:
    """Logs errors at once, and keeps them until they are stored.

    The same problem is reported at most once per `repeat`, also after restarts and with several
    replicas. Time is divided into periods of that length, and the id of an error is computed from
    its period. Two ids therefore show whether it was reported: this period's and the one before.
    """

    store: JobStore
    clock: Clock
    repeat: timedelta
    _waiting: dict[str, _Waiting] = field(default_factory=dict, init=False)
    _forgotten: dict[str, float] = field(default_factory=dict, init=False)
    _flushing: Lock = field(default_factory=Lock, init=False)

    def report(self, report: ErrorReport) -> None:
        """Log a report, and keep it to be stored as an error that references its job."""
        log = log_about(_log, report.stream, report.kind, tick=report.tick, job=report.job)
        log.warning("%s", report.message)
        waiting = self._errors(report)
        if self._is_forgotten(waiting):
            return
        if len(self._waiting) >= MAX_WAITING:
            _log.error("too many errors wait for the store: the oldest one is dropped")
            self._waiting.pop(next(iter(self._waiting)), None)
        self._waiting.setdefault(waiting.error.uri, waiting)

    def forget(self, jobs: Collection[str]) -> None:
        """Drop what waits about jobs that a person removed, given as URIs.

        Work that read a job before it was removed may still report it. For as long as such work
        can take, a report about the job is only logged.
        """
        now = self.clock.monotonic()
        self._forgotten = {job: until for job, until in self._forgotten.items() if until > now}
        until = now + WORK_TIMEOUTS * self.clock.timeout
        self._forgotten |= dict.fromkeys(jobs, until)
        for uri, one in list(self._waiting.items()):
            if one.error.job in self._forgotten:
                self._waiting.pop(uri, None)

    def _is_forgotten(self, one: _Waiting) -> bool:
        job = one.error.job
        return job is not None and self._forgotten.get(job, -math.inf) > self.clock.monotonic()

    def is_waiting(self, report: ErrorReport) -> bool:
        """Return whether a report waits to be stored."""
        return self._errors(report).error.uri in self._waiting

    def known(self, reports: Sequence[ErrorReport]) -> list[bool]:
        """Return for each report whether it is stored already, for this period or the last."""
        waiting = [self._errors(report) for report in reports]
        stored = self._stored(waiting)
        return [self._is_known(one, stored) for one in waiting]

    def flush(self) -> None:
        """Store what waits, as far as the store accepts it; call it without a stream's lock.

        An error counts as stored when a read finds it, because a success that the store reports
        may be untrue. An error that the store refuses does not delay the others.
        """
        if not self._flushing.acquire(blocking=False):
            return  # another thread does it
        try:
            self._flush()
        except StoreError as failure:
            _log.error("error resources have to wait for the store: %s", failure)
        finally:
            self._flushing.release()

    def _flush(self) -> None:
        waiting = list(self._waiting.values())
        if not waiting:
            return
        stored = self._stored(waiting)
        written = self._send(waiting, stored)
        found = self._stored(written)
        late = [one.error.uri for one in written if one.error.uri not in self._waiting]
        if late:
            self._bound().delete_errors(late)  # forgotten while they were written
        for one in written:
            if one.error.uri in found:
                self._waiting.pop(one.error.uri, None)

    def _send(
        self, waiting: Sequence[_Waiting], stored: dict[str, datetime | None]
    ) -> list[_Waiting]:
        """Write what is not stored yet, unless it was forgotten meanwhile; return what was sent."""
        written = []
        for one in waiting:
            if self._is_known(one, stored):
                self._waiting.pop(one.error.uri, None)
            elif one.error.uri in self._waiting and self._write(one.error):
                written.append(one)
                stored[one.error.uri] = one.error.created
        return written

    def _errors(self, report: ErrorReport) -> _Waiting:
        """Return the errors of a report for its period and its neighbours."""
        at = max(report.at, EARLIEST)
        start = at - (at - EARLIEST) % self.repeat
        before, after = (_error(report, start + step) for step in (-self.repeat, self.repeat))
        return _Waiting(_error(report, start), (before, after))

    def _stored(self, waiting: Sequence[_Waiting]) -> dict[str, datetime | None]:
        """Return which of these errors exist, with their dates."""
        uris = [uri for one in waiting for uri in one.uris]
        return dict(self._bound().find_errors(uris)) if uris else {}

    def _is_known(self, one: _Waiting, stored: Mapping[str, datetime | None]) -> bool:
        dates = [stored.get(neighbour.uri) for neighbour in one.neighbours]
        young = any(date and abs(one.error.created - date) < self.repeat for date in dates)
        return young or one.error.uri in stored

    def _write(self, error: ErrorResource) -> bool:
        """Write an error; return whether the store reports success."""
        try:
            self._bound().write_error(error)
        except StoreUnavailable:
            raise
        except StoreError as failure:
            _log.error("the store refuses an error resource: %s", failure)
            return False
        return True

    def _bound(self) -> BoundStore:
        return self.store.within(self.clock.deadline())


def _error(report: ErrorReport, period: datetime) -> ErrorResource:
    message = f"{report.kind.value} of {report.stream}: {report.message}"
    return ErrorResource(
        error_id=ids.error(report.subject, report.cause, period),
        graph=report.stream.jobs_graph,
        creator=report.stream.error_creator,
        message=message[:MAX_MESSAGE],
        created=report.at,
        job=report.job.uri if report.job else None,
    )
