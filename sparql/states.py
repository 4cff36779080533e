"""The state of a stream, as decisions need it, among subjects that were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobs.model import Job, JobKind, Status, Stream, StreamState
from sparql.facts import Subjects, jobs_of


class StateQuestion(NamedTuple):
    """What a decision asks: the state of a stream, and whether some jobs exist."""

    stream: Stream
    known: Sequence[str]


def state_of(stream: Stream, subjects: Subjects) -> StreamState:
    """Return the state of a stream without its successful healings."""
    jobs = jobs_of(subjects, stream.operations)
    return StreamState(
        active=tuple(job for job in jobs if job.active),
        synced=successful(jobs, stream.plan(JobKind.INITIAL_SYNC).job_operation),
        recent=jobs,
    )


def successful(jobs: Sequence[Job], operation: str | None) -> tuple[Job, ...]:
    """Return the successful jobs of an operation."""
    return tuple(job for job in jobs if job.operation == operation and job.status is Status.SUCCESS)
