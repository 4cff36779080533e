"""Ending stuck jobs, where the stream's settings allow it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.clock import Clock
from jobs.error_reports import ErrorReport, ErrorReporter
from jobs.locks import StreamLocks
from jobs.maintenance.diagnosis import Cause, StuckJob, last_sign_of_life, timed_out
from jobs.model import Job, Status, Stream
from jobs.store import Deadline, JobStore, StoreError, StoreUnavailable
from jobs.stream_log import StreamLog, log_about

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FinalStatus:
    """A status that ends a job.

    `at` becomes its `dct:modified`. It is computed from dates in the store, so that two replicas
    write the same.
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
    """Ends jobs; a job counts as ended when a read shows it."""

    store: JobStore
    locks: StreamLocks
    reporter: ErrorReporter
    clock: Clock

    def fail_silent(
        self, jobs: Iterable[tuple[Stream, Job]], seen: Mapping[str, datetime], now: datetime
    ) -> set[str]:
        """Fail the jobs that timed out; return the URIs of those that are failed now.

        Each error is stored first: after the job has failed, no scan would find it again.
        """
        endings = [
            ending
            for stream, job in jobs
            if (ending := _timed_out(stream, job, seen[job.uri], now)) is not None
        ]
        reports = [_report(ending) for ending in endings]
        for report, known in zip(reports, self.reporter.known(reports), strict=True):
            if not known and not self.reporter.is_waiting(report):
                self.reporter.report(report)
        self.reporter.flush()
        stored = self.reporter.known(reports)
        return self._end([e for e, known in zip(endings, stored, strict=True) if known])

    def close_finished(self, stuck: Iterable[StuckJob]) -> set[str]:
        """Close the jobs whose tasks have ended; return the URIs of those that are closed now."""
        return self._end(
            [
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
        )

    def _end(self, endings: Sequence[FinalStatus]) -> set[str]:
        """End as many jobs as there is time for; the next scan ends the others."""
        deadline = self.clock.deadline()
        tried = self._try(endings, deadline)
        if not tried:
            return set()
        store, jobs = self.store.within(deadline), [ending.job for ending in tried]
        store.repair(jobs)
        active = {job.uri for job in store.find([job.uri for job in jobs]) if job.active}
        ended = [ending for ending in tried if ending.job.uri not in active]
        for ending in ended:
            text = "job %s was set to %s: %s"
            ending.log.info(text, ending.job, ending.status.value, ending.why)
        return {ending.job.uri for ending in ended}

    def _try(self, endings: Sequence[FinalStatus], deadline: Deadline) -> list[FinalStatus]:
        """Send the updates; stop at the first failure that shows that the store is absent."""
        tried, store = [], self.store.within(deadline)
        for ending in endings:
            try:
                with self.locks.hold(ending.stream, deadline):
                    store.set_status(ending.job, ending.status, ending.at)
            except StoreError as error:
                ending.log.info("job %s could not be ended: %s", ending.job, error)
                if isinstance(error, StoreUnavailable):
                    break
            tried.append(ending)
        return tried


def _timed_out(stream: Stream, job: Job, seen: datetime, now: datetime) -> FinalStatus | None:
    timeout = stream.remedies.job_timeout
    if timeout is None or not timed_out(job, timeout, now, seen):
        return None
    minutes, setting = f"{timeout.total_seconds() / 60:g}", stream.remedies.timed_by
    return FinalStatus(
        stream=stream,
        job=job,
        status=Status.FAILED,
        at=(last_sign_of_life(job, now) or seen) + timeout,
        why=f"no sign of life for {minutes} minutes ({setting})",
    )


def _report(ending: FinalStatus) -> ErrorReport:
    return ErrorReport(
        stream=ending.stream,
        kind=ending.stream.kind_of(ending.job),
        subject=ending.job.uri,
        cause="timed-out",
        at=ending.at,
        message=f"job {ending.job} is failed, and its unfinished tasks with it: {ending.why}",
        job=ending.job,
    )
