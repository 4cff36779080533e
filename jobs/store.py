"""What the domain needs of a triplestore, and how a store says that it failed.

The domain meets the store through `JobStore` alone: tests and the real one (`sparql.store`) pass
the same contract suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Status, Stream, StreamState


class StoreError(Exception):
    """The store did not do what was asked, or did not say that it did.

    `in_doubt`: an update that ended so may have been applied all the same, or may be yet.
    """

    in_doubt: bool = False


class StoreUnavailable(StoreError):
    """The store could not be reached or did not answer in time: trying later makes sense.

    `sent` tells whether the request may have reached it.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.in_doubt = sent


@dataclass(frozen=True)
class Deadline:
    """The moment by which a piece of work must have ended, on a monotonic clock, in seconds.

    One deadline goes through all requests of one piece of work: a caller is answered in bounded
    time however many of them there are, and however slowly the store answers each.
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


@dataclass(frozen=True)
class HalfJob:
    """An active job of this service that has no task; `job_id` is its `mu:uuid`."""

    job: Job
    graph: str
    job_id: str


class JobStore(Protocol):
    """The triplestore as the domain sees it. Every method may raise `StoreError`."""

    def ping(self, deadline: Deadline) -> None:
        """Return if the store answers queries."""

    def state(self, stream: Stream, since: datetime | None, deadline: Deadline) -> StreamState:
        """Read the stream's active jobs, its successful initial syncs, and all jobs `since`.

        One successful healing, too, if there is any.
        """

    def active(self, operations: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        """Read the active jobs of these operations with their tasks, the oldest thousands."""

    def recent(
        self, operations: Sequence[str], since: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Read the jobs created `since` with their tasks, the newest first: thousands at most."""

    def newest(
        self, operations: Sequence[str], until: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Return the newest job of each operation and status, without tasks, the oldest first.

        Dates after `until` say nothing: another machine's clock was wrong.
        """

    def find(self, jobs: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        """Return those of these jobs that are there, with their tasks."""

    def create(self, job: NewJob, send_by: Deadline, deadline: Deadline) -> None:
        """Write the job and its task in one request, once, and not begin after `send_by`."""

    def add_task(self, job: NewJob, deadline: Deadline) -> None:
        """Write the task of a job that is there and active, and still has none."""

    def end(self, job: Job, status: Status, at: datetime, deadline: Deadline) -> None:
        """Give the job and its unfinished tasks a status, where they are still active."""

    def mend(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Leave one status and date on these jobs and their tasks: the most advanced and latest."""

    def half_jobs(self, operations: Sequence[str], deadline: Deadline) -> tuple[HalfJob, ...]:
        """Return the active jobs of this service that have no task."""

    def mend_second_values(self, operations: Sequence[str], deadline: Deadline) -> tuple[str, ...]:
        """Leave one status and date on active jobs and tasks of this service; return the mended."""

    def recorded(self, errors: Sequence[str], deadline: Deadline) -> Mapping[str, datetime | None]:
        """Return those of these errors that are there, with their dates."""

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        """Write the error, unless there is one of its URI."""

    def batch_of(self, operation: str, deadline: Deadline) -> tuple[Job, ...]:
        """Return jobs of an operation, whatever their status: as many as one `delete` takes."""

    def delete(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Remove these jobs with their tasks and the errors that reference them, in any graph."""
