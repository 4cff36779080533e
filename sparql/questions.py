"""What threads ask the store at the same time, so that one read answers several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from jobs.model import Job, JobKind, Status, Stream, StreamState
from sparql import queries
from sparql.batches import BATCH, batches
from sparql.facts import Subjects, jobs_of, rows_of
from sparql.shared_reads import SharedReads
from sparql.terms import is_iri


class StateQuestion(NamedTuple):
    """What a decision asks: the state of a stream, and whether some jobs exist."""

    stream: Stream
    known: Sequence[str]

    def answer(self, subjects: Subjects) -> StreamState:
        """Return the state of the stream without its successful healings."""
        jobs = jobs_of(subjects, self.stream.operations)
        return StreamState(
            active=tuple(job for job in jobs if job.active),
            synced=successful(jobs, self.stream.plan(JobKind.INITIAL_SYNC).job_operation),
            recent=jobs,
        )


class RecentQuestion(NamedTuple):
    """What a late tick asks: the jobs of some operations since an instant."""

    operations: Sequence[str]
    since: datetime

    def answer(self, subjects: Subjects) -> tuple[Job, ...]:
        """Return the jobs, the newest first; the subjects may be older ones too."""
        recent = {
            uri: one
            for uri, one in subjects.items()
            if any(created >= self.since for created in one.dates("created"))
        }
        return jobs_of(recent, self.operations)[::-1]


def read_states(
    read: Callable[[str], Subjects], questions: Sequence[StateQuestion]
) -> list[StreamState]:
    """Return the states of several streams, from one query."""
    streams = list({one.stream.name: one.stream for one in questions}.values())
    known = sorted({uri for one in questions for uri in one.known})
    subjects = read(queries.stream_states(streams, known))
    return [one.answer(subjects) for one in questions]


def read_recent(
    read: Callable[[str], Subjects], questions: Sequence[RecentQuestion]
) -> list[tuple[Job, ...] | None]:
    """Return recent jobs for several questions, from one query.

    An answer is None if there are too many jobs for all questions together.
    """
    operations = {uri: None for one in questions for uri in one.operations}
    subjects = read(queries.recent_jobs([*operations], min(one.since for one in questions)))
    if len(questions) > 1 and rows_of(subjects) >= queries.MAX_RECENT:
        return [None for _ in questions]
    return [one.answer(subjects) for one in questions]


def read_each(read: Callable[[str], Subjects], jobs: Sequence[str]) -> list[tuple[Job, ...]]:
    """Return each of these jobs, or nothing if it does not exist."""
    found = read_jobs(read, jobs)
    return [tuple(job for job in found if job.uri == uri) for uri in jobs]


def read_jobs(read: Callable[[str], Subjects], jobs: Sequence[str]) -> tuple[Job, ...]:
    """Return those of these jobs that exist; a URI that cannot be written is left out."""
    found: list[Job] = []
    for batch in batches([uri for uri in jobs if is_iri(uri)], BATCH):
        found += jobs_of(read(queries.find_jobs(batch)))
    return tuple(found)


@dataclass(frozen=True)
class Shared:
    """The reads of one store that threads share; a question about one job is its URI."""

    states: SharedReads[StateQuestion, StreamState] = field(default_factory=SharedReads)
    recent: SharedReads[RecentQuestion, tuple[Job, ...] | None] = field(default_factory=SharedReads)
    found: SharedReads[str, tuple[Job, ...]] = field(default_factory=SharedReads)


def successful(jobs: Sequence[Job], operation: str | None) -> tuple[Job, ...]:
    """Return the successful jobs of an operation."""
    return tuple(job for job in jobs if job.operation == operation and job.status is Status.SUCCESS)
