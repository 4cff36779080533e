"""What ticks made beside or before other jobs, judged by what a process could know when it did.

A process decides on a state that it read at most a second before it sends the update; then the
proxy saw the update come. So a job that was certainly active through all of that time stood in
the way, and nobody's clock or luck explains it away. The consumer's own writes need no other
tolerance: a job is certainly active only between two looks that both showed it so.

A process also knows what it sent itself, though the store may not show it yet.

What remains are two jobs of which neither process could know the other's: two processes that
write in the same second, or an update of another process that the store applied late. They are
counted beside the flags: only a lock would prevent them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from chaos.streams import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.evidence import Evidence, Job


def _by_stream(evidence: Evidence) -> list[list[Job]]:
    found = defaultdict(list)
    for job in evidence.jobs:
        found[job.stream].append(job)
    return list(found.values())


def _self_made(job: Job) -> bool:
    """Tell whether a tick or a start made it: those wait for active jobs, calls do not."""
    return job.schedule is not None or job.started


def too_early(evidence: Evidence) -> Iterator[str]:
    """Healings that a tick made when no initial sync of the stream can have succeeded yet.

    A healing that succeeded stands in for a sync that was cleaned away.
    """
    for jobs in _by_stream(evidence):
        syncs = [job.record for job in jobs if job.kind in (Kind.SYNC, Kind.HEALING)]
        for job in jobs:
            waits = job.schedule is not None and job.schedule.waits_for_sync
            if waits and not any(
                span.may_touch(*job.decided) for sync in syncs for span in sync.succeeded
            ):
                yield f"{job}, with no initial sync that succeeded before {job.decided[1]:.3f}"


def repeated_syncs(evidence: Evidence) -> Iterator[str]:
    """Find initial syncs that a start made although one had succeeded."""
    for jobs in _by_stream(evidence):
        syncs = [job for job in jobs if job.kind is Kind.SYNC]
        for job in syncs:
            if job.started and any(
                span.covers(*job.decided)
                for other in syncs
                if other is not job
                for span in other.record.succeeded
            ):
                yield f"{job}, though an initial sync had succeeded"


def two_active(evidence: Evidence) -> Iterator[str]:
    """Jobs that a tick or a start made beside an active job that it could know of."""
    for job, other in _pairs(evidence):
        if _stood_in_the_way(job, other) or _knew_its_own(evidence, job, other):
            yield f"{job}, beside {other}"


def two_active_unknowingly(evidence: Evidence) -> Iterator[str]:
    """Two jobs of one stream that ticks made and that were active together, all the same."""
    for job, other in _pairs(evidence):
        known = _stood_in_the_way(job, other) or _knew_its_own(evidence, job, other)
        if not known and _self_made(other) and _overlap(job, other):
            yield f"{job}, beside {other}"


def _pairs(evidence: Evidence) -> Iterator[tuple[Job, Job]]:
    """Return each job that had to wait for others, with each other job that came before it.

    Jobs are compared with their neighbours in time alone: the rest is long done.
    """
    for jobs in _by_stream(evidence):
        ordered = sorted(jobs, key=lambda job: job.record.appeared)
        for index, job in enumerate(ordered):
            if _self_made(job):
                reach = slice(max(0, index - 40), index + 40)
                for other in ordered[reach]:
                    if other is not job and _decided_later(job, other):
                        yield job, other


def _decided_later(job: Job, other: Job) -> bool:
    return job.decided[1] >= other.decided[1]


def _stood_in_the_way(job: Job, other: Job) -> bool:
    return any(span.covers(*job.decided) for span in other.record.active)


def _knew_its_own(evidence: Evidence, job: Job, other: Job) -> bool:
    """Tell whether the same life had sent the other job, and that was active later than this.

    The other may have been on its way when this one was sent, as long as updates can be.
    """
    if not _self_made(other) or job.life is None or other.life is not job.life:
        return False
    if job.attempt is None or other.attempt is None or job.attempt.sent <= other.attempt.sent:
        return False
    sent, arrived = job.attempt.sent, other.attempt.applied or 0
    on_its_way = sent < arrived and sent - other.attempt.sent <= evidence.history.times.settle
    still_there = arrived <= sent and any(span.last > sent for span in other.record.active)
    return (on_its_way or still_there) and _overlap(job, other)


def _overlap(job: Job, other: Job) -> bool:
    """Tell whether both were certainly active at one time."""
    return any(
        max(a.first, b.first) < min(a.last, b.last)
        for a in job.record.active
        for b in other.record.active
    )
