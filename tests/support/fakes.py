"""A job store in memory; it passes the same contract tests as the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self, TypeVar

from jobs.iri import iri_problem
from jobs.model import ACTIVE, JOB_BASE, Job, JobKind, NewJob, Status, Stream, StreamState, Task
from jobs.store import (
    CurrentJobs,
    Deadline,
    ErrorResource,
    Inspection,
    JobWithoutTask,
    StoreError,
    StoreUnavailable,
    TaskWithoutJob,
)
from sparql.queries import MAX_DELETED

BATCH = MAX_DELETED
FEW = 10
GRAPH = "http://mu.semte.ch/graphs/system/jobs"
REFUSED = StoreUnavailable("refused", sent=False)  # certainly nothing was written
LOST = StoreUnavailable("no answer", sent=True)  # it is unknown whether anything was written
T = TypeVar("T", Job, Task)


@dataclass
class FakeJobStore:
    """Keeps jobs as values; `failures` of a method are raised first, one for each call.

    The `late_failures` of `create` and `delete` are raised after the work is done. The store
    reports success for the jobs in `swallows`, but does nothing.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    created: list[NewJob] = field(default_factory=list)
    guarded: list[NewJob] = field(default_factory=list)
    errors: list[ErrorResource] = field(default_factory=list)
    orphans: list[TaskWithoutJob] = field(default_factory=list)
    failures: dict[str, list[StoreError]] = field(default_factory=dict)
    late_failures: dict[str, list[StoreError]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    swallows: set[str] = field(default_factory=set)
    deadline: Deadline | None = None

    def within(self, deadline: Deadline) -> Self:
        self.deadline = deadline
        return self

    def ping(self) -> None:
        self._called("ping")

    def state(self, stream: Stream, known: Sequence[str] = ()) -> StreamState:
        self._called("state")
        jobs = [job for job in self._by_age() if job.operation in stream.operations]
        initial_sync = stream.plan(JobKind.INITIAL_SYNC).job_operation
        done = [job for job in jobs if job.status is Status.SUCCESS]
        active = tuple(job for job in jobs if job.active)
        synced = tuple(job for job in done if job.operation == initial_sync)
        named = tuple(job for job in jobs if job.uri in known and job not in active + synced)
        return StreamState(active=active, synced=synced, recent=active + synced + named)

    def one_successful(self, operation: str) -> tuple[Job, ...]:
        self._called("one_successful")
        jobs = [job for job in self._by_age() if job.operation == operation]
        return tuple(job for job in jobs if job.status is Status.SUCCESS)[:1]

    def active(self, operations: Sequence[str]) -> tuple[Job, ...]:
        self._called("active")
        found = [job for job in self._by_age() if job.operation in operations and job.active]
        return tuple(replace(job, graph=job.graph or GRAPH) for job in found)

    def recent(self, operations: Sequence[str], since: datetime) -> tuple[Job, ...]:
        self._called("recent")
        named = [job for job in reversed(self._by_age()) if job.operation in operations]
        return tuple(job for job in named if job.created and job.created >= since)

    def current(self, operations: Sequence[str], since: datetime) -> CurrentJobs:
        self._called("current")
        named = [job for job in self._by_age() if job.operation in operations]
        found = [job for job in named if job.active or (job.created and job.created >= since)]
        return CurrentJobs(tuple(replace(job, tasks=()) for job in found), complete=True)

    def newest(self, operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
        self._called("newest")
        dated = [job for job in self._by_age() if job.created and job.created <= until]
        named = [job for job in dated if job.operation in operations]
        newest = {(job.operation, job.status is Status.SUCCESS): job for job in named}
        found = {job.uri for job in newest.values()}
        bare = (replace(job, tasks=(), modified=None) for job in named if job.uri in found)
        return tuple(bare)

    def find(self, jobs: Sequence[str]) -> tuple[Job, ...]:
        self._called("find")
        return tuple(job for job in self._by_age() if job.uri in jobs)

    def create(self, job: NewJob, send_by: Deadline, *, guarded: bool = False) -> None:
        self._called("create")
        assert send_by.remaining > 0
        self.created.append(job)
        if guarded:
            self.guarded.append(job)
        if job.uri not in self.swallows:
            if guarded and job.uri in self.jobs:
                self._complete(job)
            else:
                self.put(job)
        self._fail("create", self.late_failures)

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

    def _complete(self, job: NewJob) -> None:
        """Store the task of a job that exists, unless it has one."""
        there = self.jobs[job.uri]
        if not there.tasks:
            self.jobs[job.uri] = replace(there, tasks=(_task(job),))

    def add_task(self, job: NewJob) -> None:
        self._called("add_task")
        if job.uri in self.jobs and self.jobs[job.uri].active:
            self._complete(job)

    def of_operations(self, operations: Sequence[str]) -> tuple[Job, ...]:
        self._called("of_operations")
        return tuple(job for job in self._by_age() if job.operation in operations)

    def some_of(self, operations: Sequence[str]) -> tuple[Job, ...]:
        self._called("some_of")
        by_operation = [[j for j in self._by_age() if j.operation == one] for one in operations]
        return tuple(job for jobs in by_operation for job in jobs[:FEW])

    def in_use(self, operations: Sequence[str]) -> frozenset[str]:
        self._called("in_use")
        return frozenset(operations) & {job.operation for job in self.jobs.values()}

    def inspect(
        self, operations: Sequence[str], task_operations: Sequence[str], known: Sequence[str]
    ) -> Inspection:
        self._called("inspect")
        without_task = [
            JobWithoutTask(job, GRAPH, job.uri.removeprefix(JOB_BASE))
            for job in self._by_age()
            if job.operation in operations and job.active and not job.tasks
        ]
        return Inspection(
            jobs_without_task=tuple(without_task), tasks_without_job=tuple(self.orphans)
        )

    def delete_tasks_without_job(self, tasks: Sequence[str]) -> None:
        self._called("delete_tasks_without_job")
        self.orphans = [one for one in self.orphans if one.task not in tasks]

    def repair(self, subjects: Sequence[str]) -> None:
        self._called("repair")

    def set_status(self, job: Job, status: Status, at: datetime) -> None:
        self._called("set_status")
        now = self.jobs[job.uri]
        seen = {task.uri for task in job.unfinished}
        tasks = tuple(
            _ended(task, status, at) if task.uri in seen and task in now.unfinished else task
            for task in now.tasks
        )
        self.jobs[job.uri] = replace(_ended(now, status, at) if now.active else now, tasks=tasks)

    def find_errors(self, errors: Sequence[str]) -> dict[str, datetime | None]:
        self._called("find_errors")
        return {error.uri: error.created for error in self.errors if error.uri in errors}

    def write_error(self, error: ErrorResource) -> None:
        self._called("write_error")
        if error.uri not in {known.uri for known in self.errors}:
            self.errors.append(error)

    def deletable_jobs(self, operation: str) -> tuple[Job, ...]:
        self._called("deletable_jobs")
        found = sorted(uri for uri, job in self.jobs.items() if job.operation == operation)
        nameable = [uri for uri in found if not iri_problem(uri)]
        jobs = [self.jobs[uri] for uri in nameable[:BATCH]]
        return tuple(Job(uri=job.uri, operation=operation, status=job.status) for job in jobs)

    def delete(self, jobs: Sequence[Job]) -> None:
        self._called("delete")
        gone = {job.uri for job in jobs}
        if gone & self.swallows:
            return
        self.jobs = {uri: job for uri, job in self.jobs.items() if uri not in gone}
        self.errors = [error for error in self.errors if error.job not in gone]
        self._fail("delete", self.late_failures)

    def delete_error(self, error: str) -> None:
        self._called("delete_error")
        self.errors = [one for one in self.errors if one.uri != error]

    def undeletable_jobs(self, operation: str) -> tuple[Job, ...]:
        self._called("undeletable_jobs")
        named = [job for job in self._by_age() if job.operation == operation]
        return tuple(replace(job, graph=GRAPH) for job in named if iri_problem(job.uri))

    def add(self, *jobs: Job) -> None:
        """Put jobs there that another process wrote."""
        self.jobs.update({job.uri: job for job in jobs})

    def _called(self, name: str) -> None:
        assert self.deadline is None or self.deadline.remaining > 0
        self.calls.append(name)
        self._fail(name, self.failures)

    @staticmethod
    def _fail(name: str, failures: dict[str, list[StoreError]]) -> None:
        if failures.get(name):
            raise failures[name].pop(0)

    def _by_age(self) -> list[Job]:
        return sorted(self.jobs.values(), key=lambda job: (str(job.created), job.uri))


def _task(job: NewJob) -> Task:
    return Task(
        uri=job.task_uri,
        status=Status.SCHEDULED,
        operation=job.task_operation,
        index="0",
        created=job.created,
        modified=job.created,
    )


def _ended(thing: T, status: Status, at: datetime) -> T:
    assert thing.status in ACTIVE
    return replace(thing, status=status, modified=at)
