"""What the domain needs of a triplestore, and how a store reports a failure.

The domain uses the store through `JobStore` alone. The in-memory store of the tests and the real
one (`sparql.store`) pass the same contract tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jobs.model import ERROR_BASE, Job, NewJob, Status, Stream, StreamState


class StoreError(Exception):
    """The store did not do what was asked, or did not confirm it.

    `in_doubt` means that an update that ended so may have been applied, or may be applied later.
    """

    in_doubt: bool = False


class StoreUnavailable(StoreError):
    """The store could not be reached or did not answer in time: a later try makes sense.

    `sent` means that the request may have reached the store.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.in_doubt = sent


class StoreRefused(StoreError):
    """The store answered an update with a failure, but may still apply it."""

    in_doubt = True


@dataclass(frozen=True)
class Deadline:
    """The moment by which a piece of work must end, in seconds of a monotonic clock.

    All requests of one piece of work share one deadline. A caller is therefore answered in bounded
    time, however many requests there are and however slow the store is.
    """

    at: float
    clock: Callable[[], float]

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float]) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - self.clock())


@dataclass(frozen=True, kw_only=True)
class ErrorResource:
    """The error that operators' alerting mails; it references at most one job."""

    error_id: str
    graph: str
    creator: str
    message: str
    created: datetime
    job: str | None = None

    @property
    def uri(self) -> str:
        """The error's URI."""
        return ERROR_BASE + self.error_id


@dataclass(frozen=True)
class JobWithoutTask:
    """An active job of this service that has no task; `job_id` is its `mu:uuid`."""

    job: Job
    graph: str
    job_id: str


@dataclass(frozen=True)
class TaskWithoutJob:
    """A scheduled task whose job does not exist; both are URIs."""

    task: str
    job: str


@dataclass(frozen=True)
class CurrentJobs:
    """Jobs without tasks, the oldest first; `complete` if no active job was left out."""

    jobs: tuple[Job, ...]
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a sweep found incomplete, as far as updates can name it.

    `duplicates` are jobs and tasks with two statuses or dates.
    """

    jobs_without_task: tuple[JobWithoutTask, ...] = ()
    tasks_without_job: tuple[TaskWithoutJob, ...] = ()
    duplicates: tuple[str, ...] = ()


class BoundStore(Protocol):
    """The triplestore within one deadline. Every method may raise `StoreError`."""

    def ping(self) -> None:
        """Return if the store answers queries."""

    def state(self, stream: Stream, known: Sequence[str] = ()) -> StreamState:
        """Return the stream's active jobs, its successful initial syncs, and some known jobs.

        The jobs have no tasks.
        """

    def one_successful(self, operation: str) -> tuple[Job, ...]:
        """Return one successful job of an operation, whichever the store finds first, if any."""

    def active(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return the active jobs of these operations with tasks and graph, some thousands."""

    def recent(self, operations: Sequence[str], since: datetime) -> tuple[Job, ...]:
        """Return the jobs created `since` without tasks, the newest first, some thousands."""

    def current(self, operations: Sequence[str], since: datetime) -> CurrentJobs:
        """Return the active jobs and those created `since` with one request, some thousands.

        If there are more, the oldest are left out, and active ones last.
        """

    def newest(self, operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
        """Return the newest successful and the newest other job of each operation, oldest first.

        They have no tasks. Dates after `until` are ignored: another machine's clock was wrong.
        """

    def of_operations(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return all jobs of operations that have few, without tasks, the oldest first."""

    def some_of(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return a few jobs of each operation with their tasks, whichever the store finds first."""

    def in_use(self, operations: Sequence[str]) -> frozenset[str]:
        """Return those of these operations that have a job."""

    def find(self, jobs: Sequence[str]) -> tuple[Job, ...]:
        """Return those of these jobs that exist, with their tasks."""

    def create(self, job: NewJob, send_by: Deadline, *, guarded: bool = False) -> None:
        """Write the job and its task in one request, sent once and not after `send_by`.

        A `guarded` request writes each of them only if it does not exist yet.
        """

    def add_task(self, job: NewJob) -> None:
        """Write the task of a job that is active and still has none."""

    def set_status(self, job: Job, status: Status, at: datetime) -> None:
        """Give the job and its unfinished tasks a status, where they are still active."""

    def inspect(
        self, operations: Sequence[str], task_operations: Sequence[str], known: Sequence[str]
    ) -> Inspection:
        """Return what is incomplete of this service's jobs and tasks with these operations.

        That is among what is active. The known jobs, given by their URIs, are inspected too: a job
        that has finished can have got a second value.
        """

    def repair(self, subjects: Sequence[str]) -> None:
        """Leave one status and date on jobs and tasks: the most advanced and latest.

        What no update can name is left out.
        """

    def delete_tasks_without_job(self, tasks: Sequence[str]) -> None:
        """Remove those of these tasks that are still scheduled and without a job."""

    def find_errors(self, errors: Sequence[str]) -> Mapping[str, datetime | None]:
        """Return those of these errors that exist, with their dates."""

    def write_error(self, error: ErrorResource) -> None:
        """Write the error, unless one with its URI exists."""

    def deletable_jobs(self, operation: str) -> tuple[Job, ...]:
        """Return jobs of an operation that updates can name: as many as one `delete` takes.

        They have no dates and no tasks. The jobs that are left come again in the same order.
        """

    def delete(self, jobs: Sequence[Job]) -> None:
        """Remove these jobs, their tasks and the errors that reference them, from any graph."""

    def delete_error(self, error: str) -> None:
        """Remove an error."""

    def undeletable_jobs(self, operation: str) -> tuple[Job, ...]:
        """Return the jobs of an operation that no update can name, with their graphs."""


class JobStore(Protocol):
    """The triplestore as the domain sees it."""

    def within(self, deadline: Deadline) -> BoundStore:
        """Return the store for one piece of work: all its requests end by the deadline."""
