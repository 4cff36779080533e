"""A job store in memory, which passes the contract suite like the real ones, so it can't lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from jobs.model import ACTIVE, JOB_BASE, Job, JobKind, NewJob, Status, Stream, StreamState, Task
from jobs.store import HalfJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.model import ErrorResource
    from jobs.store import Deadline, StoreError

BATCH = 1000
GRAPH = "http://mu.semte.ch/graphs/system/jobs"
T = TypeVar("T", Job, Task)


@dataclass
class FakeJobStore:
    """Keeps jobs as values; `failures` are raised first, one a call, by the method's name.

    It says yes to a job that it `swallows`, and stores nothing.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    created: list[NewJob] = field(default_factory=list)
    errors: list[ErrorResource] = field(default_factory=list)
    failures: dict[str, list[StoreError]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    swallows: set[str] = field(default_factory=set)

    def ping(self, deadline: Deadline) -> None:
        self._called("ping", deadline)

    def state(self, stream: Stream, since: datetime | None, deadline: Deadline) -> StreamState:
        self._called("state", deadline)
        jobs = [job for job in self._by_age() if job.operation in stream.operations]
        initial_sync = stream.plan(JobKind.INITIAL_SYNC).job_operation
        healing = stream.plan(JobKind.HEALING).job_operation
        done = [job for job in jobs if job.status is Status.SUCCESS]
        return StreamState(
            active=tuple(job for job in jobs if job.active),
            synced=tuple(job for job in done if job.operation == initial_sync),
            healed=tuple(job for job in done if job.operation == healing),
            recent=tuple(job for job in jobs if since and job.created and job.created >= since),
        )

    def active(self, operations: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        self._called("active", deadline)
        return tuple(job for job in self._by_age() if job.operation in operations and job.active)

    def recent(
        self, operations: Sequence[str], since: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        self._called("recent", deadline)
        named = [job for job in reversed(self._by_age()) if job.operation in operations]
        return tuple(job for job in named if job.created and job.created >= since)

    def newest(
        self, operations: Sequence[str], until: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        self._called("newest", deadline)
        dated = [job for job in self._by_age() if job.created and job.created <= until]
        found = {(job.operation, job.status): job for job in dated if job.operation in operations}
        return tuple(
            replace(job, tasks=(), modified=None) for job in dated if job in found.values()
        )

    def find(self, jobs: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        self._called("find", deadline)
        return tuple(job for job in self._by_age() if job.uri in jobs)

    def add_task(self, job: NewJob, deadline: Deadline) -> None:
        self._called("add_task", deadline)
        there = self.jobs.get(job.uri)
        if there and there.active and not there.tasks:
            task = _task(job)
            self.jobs[job.uri] = replace(there, tasks=(task,))

    def half_jobs(self, operations: Sequence[str], deadline: Deadline) -> tuple[HalfJob, ...]:
        self._called("half_jobs", deadline)
        return tuple(
            HalfJob(job, GRAPH, job.uri.removeprefix(JOB_BASE))
            for job in self._by_age()
            if job.operation in operations and job.active and not job.tasks
        )

    def mend_second_values(self, operations: Sequence[str], deadline: Deadline) -> tuple[str, ...]:
        self._called("mend_second_values", deadline)
        return ()

    def recorded(self, errors: Sequence[str], deadline: Deadline) -> dict[str, datetime | None]:
        self._called("recorded", deadline)
        return {error.uri: error.created for error in self.errors if error.uri in errors}

    def create(self, job: NewJob, send_by: Deadline, deadline: Deadline) -> None:
        self._called("create", deadline)
        assert send_by.remaining > 0
        self.created.append(job)
        if job.uri not in self.swallows:
            self.put(job)

    def put(self, job: NewJob) -> None:
        """Store what was sent, now or later."""
        task = _task(job)
        self.jobs[job.uri] = Job(
            uri=job.uri,
            operation=job.job_operation,
            status=Status.BUSY,
            created=job.created,
            modified=job.created,
            tasks=(task,),
        )

    def end(self, job: Job, status: Status, at: datetime, deadline: Deadline) -> None:
        self._called("end", deadline)
        now = self.jobs[job.uri]
        seen = {task.uri for task in job.unfinished}
        tasks = tuple(
            _ended(task, status, at) if task.uri in seen and task in now.unfinished else task
            for task in now.tasks
        )
        self.jobs[job.uri] = replace(_ended(now, status, at) if now.active else now, tasks=tasks)

    def mend(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        self._called("mend", deadline)

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        self._called("record", deadline)
        if error.uri not in {known.uri for known in self.errors}:
            self.errors.append(error)

    def batch_of(self, operation: str, deadline: Deadline) -> tuple[Job, ...]:
        self._called("batch_of", deadline)
        found = sorted(uri for uri, job in self.jobs.items() if job.operation == operation)
        return tuple(self.jobs[uri] for uri in found[:BATCH])

    def delete(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        self._called("delete", deadline)
        gone = {job.uri for job in jobs}
        if gone & self.swallows:
            return
        self.jobs = {uri: job for uri, job in self.jobs.items() if uri not in gone}
        self.errors = [error for error in self.errors if error.job not in gone]

    def add(self, *jobs: Job) -> None:
        """Put jobs there that another process wrote."""
        self.jobs.update({job.uri: job for job in jobs})

    def _called(self, name: str, deadline: Deadline) -> None:
        assert deadline.remaining > 0
        self.calls.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    def _by_age(self) -> list[Job]:
        return sorted(self.jobs.values(), key=lambda job: (str(job.created), job.uri))


def _task(job: NewJob) -> Task:
    return Task(
        uri=job.task_uri,
        status=Status.SCHEDULED,
        operation=job.task_operation,
        created=job.created,
        modified=job.created,
    )


def _ended(thing: T, status: Status, at: datetime) -> T:
    assert thing.status in ACTIVE
    return replace(thing, status=status, modified=at)
