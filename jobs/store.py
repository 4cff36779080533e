"""What the domain needs of a triplestore, and how a store says that it failed.

The domain meets the store through `JobStore` alone: tests and the real one (`sparql.store`) pass
the same contract suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Stream, StreamState


class StoreError(Exception):
    """The store did not do what was asked, or did not say that it did."""


class StoreUnavailable(StoreError):
    """The store could not be reached or did not answer in time: trying later makes sense.

    `sent` tells whether the request may have reached it, so that an update may still be applied.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


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


class JobStore(Protocol):
    """The triplestore as the domain sees it. Every method may raise `StoreError`."""

    def ping(self, deadline: Deadline) -> None:
        """Return if the store answers queries."""

    def state(self, stream: Stream, deadline: Deadline) -> StreamState:
        """Read the stream's active jobs and successful initial syncs, from every graph."""

    def create(self, job: NewJob, deadline: Deadline) -> None:
        """Write the job and its task, in one request, once."""

    def fail(self, job: Job, at: datetime, deadline: Deadline) -> None:
        """Set the job and its unfinished tasks to failed, where they are still active."""

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        """Write the error."""

    def jobs_of(self, operation: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the URIs of all jobs of an operation, whatever their status, from every graph."""

    def delete(self, jobs: Sequence[str], deadline: Deadline) -> None:
        """Remove these jobs and their tasks, wherever they are stored."""
