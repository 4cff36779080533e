"""The watchdog: scans the active jobs, reports stuck ones, ends them where that is allowed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jobs.clock import EARLIEST, Clock
from jobs.error_reports import ErrorReport, ErrorReporter
from jobs.locks import StreamLocks
from jobs.maintenance.diagnosis import Cause, StuckJob, StuckThresholds, diagnose
from jobs.maintenance.recovery import JobRecovery
from jobs.model import Job
from jobs.store import JobStore, StoreError
from jobs.stream_log import log_about
from jobs.streams import Streams

_log = logging.getLogger(__name__)

MAX_REPORTED = 500  # stuck jobs in one scan; the next scans report the others


@dataclass
class Watchdog:
    """Reports a job as stuck only when two consecutive scans find the same cause."""

    streams: Streams
    store: JobStore
    locks: StreamLocks
    recovery: JobRecovery
    reporter: ErrorReporter
    clock: Clock
    thresholds: StuckThresholds
    _older_jobs: frozenset[str] | None = field(default=None, init=False)
    _first_seen: dict[str, datetime] = field(default_factory=dict, init=False)
    _suspects: Mapping[str, StuckJob] = field(default_factory=dict, init=False)
    _stuck: Mapping[str, StuckJob] = field(default_factory=dict, init=False)
    _reported: dict[tuple[str, Cause], datetime] = field(default_factory=dict, init=False)

    @property
    def stuck_jobs(self) -> Mapping[str, StuckJob]:
        """The stuck jobs that the last scan found, by URI."""
        return self._stuck

    def scan(self) -> None:
        """Scan once; what fails is tried again by the next scan."""
        if self.locks.closed:
            return
        try:
            self._scan(self.clock.now())
        except StoreError as error:
            _log.info("the scan of active jobs was not finished: %s", error)
        self.reporter.flush()

    def _scan(self, now: datetime) -> None:
        jobs = self.store.within(self.clock.deadline()).active(self.streams.operations)
        if self._older_jobs is None:
            self._older_jobs = frozenset(job.uri for job in jobs)
        # Not later than now: the clock may have been set back since.
        self._first_seen = {job.uri: min(self._first_seen.get(job.uri, now), now) for job in jobs}
        with_stream = [(self.streams.by_operation(job.operation), job) for job in jobs]
        ended = self.recovery.fail_silent(with_stream, self._first_seen, now)
        found = [
            stuck for job in jobs if job.uri not in ended if (stuck := self._diagnose(job, now))
        ]
        confirmed = [stuck for stuck in found if self._seen_before(stuck)]
        self._suspects = {stuck.job.uri: stuck for stuck in found}
        ended |= self.recovery.close_finished(confirmed)
        left = [stuck for stuck in confirmed if stuck.job.uri not in ended]
        self._stuck = {stuck.job.uri: stuck for stuck in left}
        self._report(left, now)

    def _diagnose(self, job: Job, now: datetime) -> StuckJob | None:
        # A job that is older than this process counts from its own dates.
        older = self._older_jobs and job.uri in self._older_jobs
        first_seen = EARLIEST if older else self._first_seen[job.uri]
        stream = self.streams.by_operation(job.operation)
        return diagnose(job, stream, self.thresholds, now, first_seen)

    def _seen_before(self, stuck: StuckJob) -> bool:
        """Return whether the last scan found the same; a job that changed since gets more time."""
        before = self._suspects.get(stuck.job.uri)
        return before is not None and (before.cause, before.since) == (stuck.cause, stuck.since)

    def _report(self, stuck: Sequence[StuckJob], now: datetime) -> None:
        """Report what was not reported during the last period, by any process."""
        keys = {_key(one) for one in stuck}
        self._reported = {k: at for k, at in self._reported.items() if k in keys and at <= now}
        repeat = self.reporter.repeat
        due = [one for one in stuck if now >= self._reported.get(_key(one), EARLIEST) + repeat]
        due = due[:MAX_REPORTED]
        reports = [_error_report(one, self._period(one, now)) for one in due]
        for one, report, known in zip(due, reports, self.reporter.known(reports), strict=True):
            self._reported[_key(one)] = report.at if known else now
            if known:
                log = log_about(_log, report.stream, report.kind, job=report.job)
                log.info("reported before: %s", report.message)
            else:
                self.reporter.report(report)

    def _period(self, stuck: StuckJob, now: datetime) -> datetime:
        """Return the start of the current period; the first one starts when the job got stuck."""
        return now - (now - stuck.since) % self.reporter.repeat


def _error_report(stuck: StuckJob, at: datetime) -> ErrorReport:
    return ErrorReport(
        stream=stuck.stream,
        kind=stuck.stream.kind_of(stuck.job),
        subject=stuck.job.uri,
        cause=f"stuck:{stuck.cause.name}",
        at=at,
        message=str(stuck),
        job=stuck.job,
    )


def _key(stuck: StuckJob) -> tuple[str, Cause]:
    return stuck.job.uri, stuck.cause
