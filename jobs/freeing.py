"""Setting stuck jobs free, where the stream's remedies allow it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.diagnosis import Cause, last_sign_of_life, timed_out
from jobs.journal import about
from jobs.model import Status
from jobs.reporter import Report
from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from jobs.diagnosis import Trouble
    from jobs.initiator import Initiator, Surroundings
    from jobs.model import Job, Stream
    from jobs.reporter import Reporter
    from jobs.store import Deadline, JobStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A job that is to be given its last status.

    `at` becomes its date of modification. It derives from what is in the store, so that two
    replicas write the same.
    """

    stream: Stream
    job: Job
    status: Status
    at: datetime
    why: str


class Freer:
    """Ends jobs, and believes that they are ended when a read shows it."""

    def __init__(
        self, store: JobStore, initiator: Initiator, reporter: Reporter, world: Surroundings
    ) -> None:
        self._store = store
        self._initiator = initiator
        self._reporter = reporter
        self._world = world

    def fail_silent(
        self, jobs: Iterable[tuple[Stream, Job]], seen: Mapping[str, datetime], now: datetime
    ) -> set[str]:
        """Fail the jobs that were silent for too long; return the URIs of those that are failed.

        The error comes first: once a job is failed, nobody would know what to report.
        """
        endings = [
            ending
            for stream, job in jobs
            if (ending := _timed_out(stream, job, seen[job.uri], now)) is not None
        ]
        reports = [_report(ending) for ending in endings]
        for report, known in zip(reports, self._reporter.known(reports), strict=True):
            if not known and not self._reporter.holds(report):
                self._reporter.report(report)
        self._reporter.flush()
        stored = self._reporter.known(reports)
        return self._end([e for e, known in zip(endings, stored, strict=True) if known])

    def close_finished(self, troubles: Iterable[Trouble]) -> set[str]:
        """Close the jobs whose tasks have ended; return the URIs of those that are closed."""
        return self._end(
            [
                Ending(
                    stream=trouble.stream,
                    job=trouble.job,
                    status=Status.SUCCESS if trouble.cause is Cause.NOT_CLOSED else Status.FAILED,
                    at=trouble.since,
                    why=f"{trouble.problem} ({trouble.stream.remedies.closed_by})",
                )
                for trouble in troubles
                if trouble.cause.finished and trouble.stream.remedies.close_finished
            ]
        )

    def _end(self, endings: Sequence[Ending]) -> set[str]:
        """End jobs, as many as there is time for; the others have their turn at the next look."""
        deadline = self._world.deadline()
        tried = self._try(endings, deadline)
        if not tried:
            return set()
        jobs = [ending.job for ending in tried]
        self._store.mend(jobs, deadline)
        found = {job.uri: job for job in self._store.find([job.uri for job in jobs], deadline)}
        freed = [e for e in tried if e.job.uri not in found or not found[e.job.uri].active]
        for ending in freed:
            kind, job = ending.stream.kind_of(ending.job), ending.job
            text = "%s of %s: job %s was set to %s: %s"
            values = (kind.value, ending.stream, job, ending.status.value, ending.why)
            _log.info(text, *values, extra=about(ending.stream, kind, job=job))
        return {ending.job.uri for ending in freed}

    def _try(self, endings: Sequence[Ending], deadline: Deadline) -> list[Ending]:
        """Send what ends the jobs; a store that is away is not asked again and again."""
        tried = []
        for ending in endings:
            try:
                with self._initiator.turn(ending.stream, deadline):
                    self._store.end(ending.job, ending.status, ending.at, deadline)
            except StoreError as error:
                text, facts = "job %s could not be ended: %s", about(ending.stream, job=ending.job)
                _log.info(text, ending.job, error, extra=facts)
                if isinstance(error, StoreUnavailable):
                    break
            tried.append(ending)
        return tried


def _timed_out(stream: Stream, job: Job, seen: datetime, now: datetime) -> Ending | None:
    timeout = stream.remedies.job_timeout
    if timeout is None or not timed_out(job, timeout, now, seen):
        return None
    minutes, setting = f"{timeout.total_seconds() / 60:g}", stream.remedies.timed_by
    return Ending(
        stream=stream,
        job=job,
        status=Status.FAILED,
        at=(last_sign_of_life(job, now) or seen) + timeout,
        why=f"no sign of life for {minutes} minutes ({setting})",
    )


def _report(ending: Ending) -> Report:
    stream, job, kind = ending.stream, ending.job, ending.stream.kind_of(ending.job)
    return Report(
        stream=stream,
        kind=kind,
        thing=job.uri,
        what="timed-out",
        at=ending.at,
        message=f"{kind.value} of {stream}: job {job} is failed, and its unfinished tasks with it: "
        f"{ending.why}",
        job=job,
    )
