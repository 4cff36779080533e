"""Ending stuck jobs, where the stream's settings allow it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from jobs.clock import Clock
from jobs.error_reports import ErrorReport, ErrorReporter
from jobs.locks import StreamLocks
from jobs.maintenance.diagnosis import (
    Cause,
    StuckJob,
    is_nameable,
    last_sign_of_life,
    timed_out,
)
from jobs.model import Job, Status, Stream
from jobs.store import Deadline, JobStore, StoreError, StoreUnavailable
from jobs.stream_log import StreamLog, log_about

MAX_ENDED = 500  # jobs that are remembered
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FinalStatus:
    """A status that ends a job.

    `at` becomes its `dct:modified`. It is computed from dates in the store where it can be, so that
    two replicas write the same.
    """

    stream: Stream
    job: Job
    status: Status
    at: datetime
    why: str

    @property
    def log(self) -> StreamLog:
        """The logger for lines about the job."""
        return log_about(_log, self.stream, self.stream.kind_of(self.job), job=self.job)


@dataclass(frozen=True)
class JobRecovery:
    """Ends jobs; a job counts as ended when a read shows it.

    `ended` are the URIs of the last jobs that it tried to end.
    """

    store: JobStore
    locks: StreamLocks
    reporter: ErrorReporter
    clock: Clock
    ended: deque[str] = field(default_factory=partial(deque, maxlen=MAX_ENDED), init=False)

    def fail_silent(
        self, jobs: Iterable[tuple[Stream, Job]], seen: Mapping[str, datetime], now: datetime
    ) -> set[str]:
        """Fail the jobs that timed out; return the URIs of those that are failed now."""
        endings = [
            ending
            for stream, job in jobs
            if (ending := _timed_out(stream, job, seen[job.uri], now)) is not None
        ]
        return self.fail(endings, "timed-out")

    def fail(self, endings: Sequence[FinalStatus], cause: str) -> set[str]:
        """Fail jobs; return the URIs of those that are failed now.

        Each is reported after a read has shown the outcome; `cause` is the report's, if it is
        failed.
        """
        failures = self._end(endings)
        reports = [_report(ending, cause, failures.get(ending.job.uri)) for ending in endings]
        for report, known in zip(reports, self._known(reports), strict=True):
            if not known and not self.reporter.is_waiting(report):
                self.reporter.report(report)
        return {ending.job.uri for ending in endings} - failures.keys()

    def _known(self, reports: Sequence[ErrorReport]) -> list[bool]:
        """Return which reports are stored already; none if the store does not answer.

        No later scan may find the jobs again.
        """
        try:
            return self.reporter.known(reports)
        except StoreError:
            return [False] * len(reports)

    def close_finished(self, stuck: Iterable[StuckJob]) -> set[str]:
        """Close the jobs whose tasks have ended; return the URIs of those that are closed now."""
        endings = [
            FinalStatus(
                stream=one.stream,
                job=one.job,
                status=Status.SUCCESS if one.cause is Cause.NOT_CLOSED else Status.FAILED,
                at=one.since,
                why=f"{one.problem} ({one.stream.remedies.closed_by})",
            )
            for one in stuck
            if one.cause.finished and one.stream.remedies.close_finished
        ]
        return {ending.job.uri for ending in endings} - self._end(endings).keys()

    def _end(self, endings: Sequence[FinalStatus]) -> dict[str, str]:
        """End as many jobs as there is time for; return what became of each of the others."""
        if not endings:
            return {}
        deadline = self.clock.deadline()
        self.ended.extend(ending.job.uri for ending in endings)
        failures = self._send(endings, deadline)
        jobs, store = [ending.job for ending in endings], self.store.within(deadline)
        try:
            store.repair([uri for job in jobs for uri in job.subjects])
            active = {job.uri for job in store.find([job.uri for job in jobs]) if job.active}
        except StoreError as error:
            unknown = f"was to be failed, but its state could not be read after that: {error}"
            return dict.fromkeys((job.uri for job in jobs), unknown)
        for ending in endings:
            job, status = ending.job, ending.status.value
            if job.uri not in active:
                ending.log.info("job %s was set to %s: %s", job, status, ending.why)
            else:
                failures.setdefault(job.uri, "the store reported success, but it is still active")
                ending.log.warning("job %s could not be ended: %s", job, failures[job.uri])
        return {
            uri: f"could not be failed: {why}" for uri, why in failures.items() if uri in active
        }

    def _send(self, endings: Sequence[FinalStatus], deadline: Deadline) -> dict[str, str]:
        """Send the updates, and return the failures; stop when the store is absent."""
        failures, store = {}, self.store.within(deadline)
        for number, ending in enumerate(endings):
            try:
                with self.locks.hold(ending.stream, deadline):
                    store.set_status(ending.job, ending.status, ending.at)
            except StoreError as error:
                failures[ending.job.uri] = str(error)
                if isinstance(error, StoreUnavailable):
                    failures |= {left.job.uri: str(error) for left in endings[number:]}
                    break
        return failures


def _timed_out(stream: Stream, job: Job, seen: datetime, now: datetime) -> FinalStatus | None:
    timeout = stream.remedies.job_timeout
    if timeout is None or not is_nameable(job) or not timed_out(job, timeout, now, seen):
        return None
    minutes, setting = f"{timeout.total_seconds() / 60:g}", stream.remedies.timed_by
    return FinalStatus(
        stream=stream,
        job=job,
        status=Status.FAILED,
        at=(last_sign_of_life(job, now) or seen) + timeout,
        why=f"no sign of life for {minutes} minutes ({setting})",
    )


def _report(ending: FinalStatus, cause: str, failure: str | None) -> ErrorReport:
    outcome = "is failed, and its unfinished tasks with it"
    if failure is not None:
        outcome = failure
    return ErrorReport(
        stream=ending.stream,
        kind=ending.stream.kind_of(ending.job),
        subject=ending.job.uri,
        cause=cause if failure is None else "not-failed",
        at=ending.at,
        message=f"job {ending.job} {outcome}: {ending.why}",
        job=ending.job,
    )
