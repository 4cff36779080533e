"""Jobs that ticks created beside or before other jobs, although the process could know of them.

A process decides on a state that it read at most a second before it sends the update, and the proxy
records when it was sent. A job that was certainly active during all of that time must have
prevented the update. A job is certainly active only between two polls that both found it active,
so the consumer's writes need no other tolerance.

A process also knows which updates it sent itself, even if the store does not show them yet.

Some pairs of jobs remain that no process could know of: two processes wrote in the same second, or
the store applied an update of one of them late. These races are only counted, because only a lock
would prevent them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.evidence import MAX_READ_AGE, Evidence, Job
from tests.chaos.history import ProcessRun
from tests.chaos.streams import Kind

LOG_DELAY = 0.5  # seconds between the start of the schedules and the line about it
STANDBY_READS = 4  # in the delay of a standby replica
NEIGHBOURS = 40  # jobs before and after, which are compared with a job


def _must_wait(job: Job) -> bool:
    """Return whether a job had to wait for active jobs: a call does not wait."""
    return job.schedule is not None or job.by_startup


def too_early(evidence: Evidence) -> Iterator[str]:
    """Find healings of ticks before an initial sync of the stream can have succeeded.

    A healing that succeeded replaces an initial sync that was deleted.
    """
    for jobs in evidence.jobs_by_stream:
        syncs = [job.record for job in jobs if job.kind in (Kind.SYNC, Kind.HEALING)]
        for job in jobs:
            waits = job.schedule is not None and job.schedule.waits_for_sync
            if waits and not any(
                span.may_touch(*job.decision_time) for sync in syncs for span in sync.succeeded
            ):
                yield f"{job}, no initial sync succeeded before {job.decision_time[1]:.3f}"


def repeated_syncs(evidence: Evidence) -> Iterator[str]:
    """Find initial syncs that a start created although one had succeeded."""
    for jobs in evidence.jobs_by_stream:
        syncs = [job for job in jobs if job.kind is Kind.SYNC]
        for job in syncs:
            if job.by_startup and any(
                span.covers(*job.decision_time)
                for other in syncs
                if other is not job
                for span in other.record.succeeded
            ):
                yield f"{job}, although an initial sync had succeeded"


def two_active(evidence: Evidence) -> Iterator[str]:
    """Find jobs that a tick or a start created beside an active job that it could know of."""
    for job, other in _pairs(evidence):
        if _was_known(evidence, job, other):
            yield f"{job}, beside {other}"


def two_active_by_race(evidence: Evidence) -> Iterator[str]:
    """Find jobs of one stream that were active together and could not know of each other."""
    for job, other in _pairs(evidence):
        known = _was_known(evidence, job, other)
        if not known and _must_wait(other) and _overlap(job, other):
            yield f"{job}, beside {other}"


def standby_too_early(evidence: Evidence) -> Iterator[str]:
    """Find jobs that a standby replica created before it had seen them missing for its delay.

    It must have run for its delay. A job of the stream that was certainly active for some of its
    reads begins the delay anew.
    """
    for jobs in evidence.jobs_by_stream:
        for job in filter(_must_wait, jobs):
            for attempt in evidence.attempts_by_uri.get(job.record.uri, []):
                run = evidence.sender(attempt)
                if run and run.slot and not _stood_by(evidence, run, attempt.sent, jobs):
                    yield f"{job}, by the replica in slot {run.slot}"


def _stood_by(evidence: Evidence, run: ProcessRun, sent: float, jobs: list[Job]) -> bool:
    times = evidence.history.times
    start = sent - run.slot * times.standby
    between_reads = run.slot * times.standby / STANDBY_READS * 2 + times.timeout + MAX_READ_AGE
    seen_active = any(
        min(span.last, sent) - max(span.first, start) > between_reads
        for job in jobs
        for span in job.record.active
    )
    ran = run.ready is not None and run.ready - LOG_DELAY <= start
    return ran and not seen_active


def _pairs(evidence: Evidence) -> Iterator[tuple[Job, Job]]:
    """Return each job that had to wait, with each other job that may have been created before it.

    Only jobs that are near in time are compared, because all others are finished.
    """
    for jobs in evidence.jobs_by_stream:
        ordered = sorted(jobs, key=lambda job: job.record.not_yet)
        for index, job in enumerate(ordered):
            if _must_wait(job):
                near = slice(max(0, index - NEIGHBOURS), index + NEIGHBOURS)
                for other in ordered[near]:
                    if other is not job and job.decision_time[1] >= other.decision_time[1]:
                        yield job, other


def _was_known(evidence: Evidence, job: Job, other: Job) -> bool:
    return _was_active(job, other) or _was_sent_before(evidence, job, other)


def _was_active(job: Job, other: Job) -> bool:
    """Return whether the other job was active during the whole decision about this one."""
    return any(span.covers(*job.decision_time) for span in other.record.active)


def _was_sent_before(evidence: Evidence, job: Job, other: Job) -> bool:
    """Return whether the same process had sent the other job, which was active after this one.

    The update of the other job may still have been on its way, for at most the settle time.
    """
    if not _must_wait(other) or job.sender is None or other.sender is not job.sender:
        return False
    if job.attempt is None or other.attempt is None or job.attempt.sent <= other.attempt.sent:
        return False
    sent, arrived = job.attempt.sent, other.attempt.applied or 0
    on_its_way = sent < arrived and sent - other.attempt.sent <= evidence.history.times.settle
    # A start may have created it again later, with the same URI, after a DELETE call.
    still_active = arrived <= sent and any(
        span.after <= sent < span.last for span in other.record.active
    )
    return (on_its_way or still_active) and _overlap(job, other)


def _overlap(job: Job, other: Job) -> bool:
    """Return whether both were certainly active at the same time."""
    return any(
        max(a.first, b.first) < min(a.last, b.last)
        for a in job.record.active
        for b in other.record.active
    )
