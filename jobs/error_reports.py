"""Reporting errors to operators: a log line at once, and an error resource in the store."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from jobs import ids
from jobs.clock import EARLIEST, Clock
from jobs.model import Job, JobKind, Stream, Tick
from jobs.store import BoundStore, ErrorResource, JobStore, StoreError, StoreUnavailable
from jobs.stream_log import log_about
from jobs.text import fitting

_log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 8000  # Virtuoso refuses a VALUES with longer literals, as a layer sends them
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
    about_tick: bool

    @property
    def uris(self) -> list[str]:
        """The URIs of all three."""
        return [self.error.uri, *(error.uri for error in self.neighbours)]


@dataclass
class ErrorReporter:
    """Logs errors at once, and keeps them until they are stored.

    The same problem is reported at most once per `repeat`, also after restarts and with several
    replicas. Time is divided into periods of that length, and the id of an error is computed from
    its period. Three ids therefore show whether it was reported: this period's and its neighbours'.
    """

    store: JobStore
    clock: Clock
    repeat: timedelta
    _waiting: dict[str, _Waiting] = field(default_factory=dict, init=False)
    _forgotten: dict[str, float] = field(default_factory=dict, init=False)
    _forgetting: Lock = field(default_factory=Lock, init=False)
    _flushing: Lock = field(default_factory=Lock, init=False)

    def report(self, report: ErrorReport) -> None:
        """Log a report, and keep it to be stored as an error that references its job."""
        log = log_about(_log, report.stream, report.kind, tick=report.tick, job=report.job)
        log.warning("%s", report.message)
        waiting = self._without_forgotten(self._errors(report))
        if waiting is None:
            return
        if len(self._waiting) >= MAX_WAITING:
            _log.error("too many errors wait for the store: the oldest one is dropped")
            self._waiting.pop(next(iter(self._waiting)), None)
        self._waiting.setdefault(waiting.error.uri, waiting)

    def forget(self, jobs: Collection[str]) -> None:
        """Drop what waits about jobs that a person removed, given as URIs.

        Work that read a job before it was removed may still report it. For as long as such work
        can take, a report about the job is only logged. A report about a tick is kept without the
        job: it is the record of the tick.
        """
        now = self.clock.monotonic()
        until = now + WORK_TIMEOUTS * self.clock.timeout
        with self._forgetting:
            known = {job: end for job, end in self._forgotten.items() if end > now}
            self._forgotten = known | dict.fromkeys(jobs, until)
        for uri, one in list(self._waiting.items()):
            kept = self._without_forgotten(one)
            if kept is None:
                self._waiting.pop(uri, None)
            elif kept is not one and uri in self._waiting:
                self._waiting[uri] = kept

    def _without_forgotten(self, one: _Waiting) -> _Waiting | None:
        """Return what is left to be stored if the job of an error was removed; None if nothing."""
        job = one.error.job
        if job is None or self._forgotten.get(job, -math.inf) <= self.clock.monotonic():
            return one
        return replace(one, error=replace(one.error, job=None)) if one.about_tick else None

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
        for one in written:
            if one.error.uri in found:
                self._waiting.pop(one.error.uri, None)

    def _send(
        self, waiting: Sequence[_Waiting], stored: dict[str, datetime | None]
    ) -> list[_Waiting]:
        """Write what is not stored yet, unless it was forgotten meanwhile; return what was sent."""
        written = []
        for one in waiting:
            uri, left = one.error.uri, self._without_forgotten(one)
            if self._is_known(one, stored):
                self._waiting.pop(uri, None)
            elif left and self._write(left.error):
                written.append(one)
                stored[uri] = one.error.created
                if self._without_forgotten(left) is not left:
                    self._bound().delete_error(uri)  # a DELETE call removed its job meanwhile
        return written

    def _errors(self, report: ErrorReport) -> _Waiting:
        """Return the errors of a report for its period and its neighbours."""
        at = max(report.at, EARLIEST)
        start = at - (at - EARLIEST) % self.repeat
        before, after = (_error(report, start + step) for step in (-self.repeat, self.repeat))
        return _Waiting(_error(report, start), (before, after), report.tick is not None)

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
        message=fitting(message[:MAX_MESSAGE], MAX_MESSAGE_BYTES),
        created=report.at,
        job=report.job.uri if report.job else None,
    )
