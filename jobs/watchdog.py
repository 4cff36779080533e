"""Looks at all active jobs every few minutes: tells why one is stuck, frees it where allowed."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from jobs.diagnosis import UNDATED, Cause, diagnose, timed_out
from jobs.journal import about
from jobs.model import Status
from jobs.reporter import Report
from jobs.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from jobs.diagnosis import Trouble
    from jobs.initiator import Initiator, Surroundings
    from jobs.model import Job, Stream
    from jobs.reporter import Reporter
    from jobs.store import JobStore

_log = logging.getLogger(__name__)


class Watchdog:
    """Remembers what it saw at its last look, so that a cause counts when two looks see it."""

    def __init__(
        self,
        streams: Iterable[Stream],
        store: JobStore,
        initiator: Initiator,
        reporter: Reporter,
        world: Surroundings,
    ) -> None:
        self._streams = {op: stream for stream in streams for op in stream.operations}
        self._store = store
        self._initiator = initiator
        self._reporter = reporter
        self._world = world
        self._first_look: datetime | None = None
        self._seen: dict[str, datetime] = {}
        self._suspects: Mapping[str, Trouble] = {}
        self._troubles: Mapping[str, Trouble] = {}
        self._told: dict[tuple[str, Cause], datetime] = {}

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        """What is wrong with active jobs as of the last look, by the job's URI."""
        return MappingProxyType(self._troubles)

    def look(self) -> None:
        """Look once; what fails is tried at the next look."""
        if self._initiator.closed:
            return
        try:
            self._look(self._world.now())
        except StoreError as error:
            _log.info("the look at active jobs was not finished: %s", error)
        self._reporter.flush()

    def _look(self, now: datetime) -> None:
        jobs = self._store.active(tuple(self._streams), self._world.deadline())
        self._first_look = self._first_look or now
        self._seen = {job.uri: self._seen.get(job.uri, now) for job in jobs}
        running = [job for job in jobs if not self._timed_out(job, now)]
        found = [trouble for job in running if (trouble := self._diagnose(job, now))]
        counted = [trouble for trouble in found if self._seen_before(trouble)]
        self._suspects = {trouble.job.uri: trouble for trouble in found}
        stuck = [trouble for trouble in counted if not self._closed(trouble, now)]
        self._troubles = {trouble.job.uri: trouble for trouble in stuck}
        self._tell(stuck, now)

    def _diagnose(self, job: Job, now: datetime) -> Trouble | None:
        seen = self._seen[job.uri]
        came_up = seen if seen != self._first_look else UNDATED
        return diagnose(job, self._streams[job.operation], self._world.patience, now, came_up)

    def _seen_before(self, trouble: Trouble) -> bool:
        before = self._suspects.get(trouble.job.uri)
        return before is not None and before.cause is trouble.cause

    def _tell(self, stuck: Sequence[Trouble], now: datetime) -> None:
        """Report what was not reported for a while, by this process or another."""
        keys = {_key(trouble) for trouble in stuck}
        self._told = {key: at for key, at in self._told.items() if key in keys}
        due = [t for t in stuck if now >= self._told.get(_key(t), UNDATED) + self._reporter.repeat]
        reports = [_report(trouble, self._period(trouble, now)) for trouble in due]
        for trouble, report, known in zip(due, reports, self._reporter.known(reports), strict=True):
            self._told[_key(trouble)] = report.at if known else now
            if known:
                facts = about(report.stream, report.kind, job=report.job)
                _log.info("reported before: %s", report.message, extra=facts)
            else:
                self._reporter.report(report)

    def _period(self, trouble: Trouble, now: datetime) -> datetime:
        """Return when the period began that `now` is in; the first one begins with the trouble."""
        return now - (now - trouble.since) % self._reporter.repeat

    def _timed_out(self, job: Job, now: datetime) -> bool:
        """Fail a job that was silent for too long, where that is allowed; return whether it was."""
        stream = self._streams[job.operation]
        kind = stream.kind_of(job)
        timeout = stream.remedies.job_timeout
        if timeout is None or not timed_out(job, timeout, now, self._seen[job.uri]):
            return False
        minutes = f"{timeout.total_seconds() / 60:g}"
        message = (
            f"{kind.value} of {stream}: job {job} gave no sign of life for {minutes}"
            f" minutes ({stream.remedies.timed_by}): it and its unfinished tasks were set to failed"
        )
        if not self._end(stream, job, Status.FAILED, now):
            return False
        at = (job.last_sign_of_life or now) + timeout
        self._reporter.report(
            Report(
                stream=stream,
                kind=kind,
                thing=job.uri,
                what="timed-out",
                at=at,
                message=message,
                job=job,
            )
        )
        return True

    def _closed(self, trouble: Trouble, now: datetime) -> bool:
        """Close a job whose tasks have ended, where that is allowed; return whether it was."""
        job, stream = trouble.job, trouble.stream
        if not (trouble.cause.finished and stream.remedies.close_finished):
            return False
        status = Status.SUCCESS if trouble.cause is Cause.NOT_CLOSED else Status.FAILED
        if not self._end(stream, job, status, now):
            return False
        kind, setting = stream.kind_of(job), stream.remedies.closed_by
        text = "%s of %s: job %s was set to %s, since its %s (%s)"
        values = (kind.value, stream, job, status.value, trouble.problem, setting)
        _log.info(text, *values, extra=about(stream, kind, job=job))
        return True

    def _end(self, stream: Stream, job: Job, status: Status, now: datetime) -> bool:
        """Give a job its last status; return False where that failed for certain."""
        try:
            deadline = self._world.deadline()
            with self._initiator.turn(stream, deadline):
                self._store.end(job, status, now, deadline)
        except StoreError as error:
            text, facts = "job %s could not be set to %s: %s", about(stream, job=job)
            _log.warning(text, job, status.value, error, extra=facts)
            return error.in_doubt
        return True


def _report(trouble: Trouble, at: datetime) -> Report:
    return Report(
        stream=trouble.stream,
        kind=trouble.stream.kind_of(trouble.job),
        thing=trouble.job.uri,
        what=f"stuck:{trouble.cause.name}",
        at=at,
        message=str(trouble),
        job=trouble.job,
    )


def _key(trouble: Trouble) -> tuple[str, Cause]:
    return trouble.job.uri, trouble.cause
