"""The triplestore as `jobs.store.JobStore`: statements from `queries`, sent by `client`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sparql import queries
from sparql.client import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Stream, StreamState
    from jobs.store import Deadline
    from sparql.client import SparqlClient
    from sparql.queries import Binding

T = TypeVar("T")

# Jobs removed by one update. Virtuoso compiles a statement before it runs it, and refuses one
# that is too long; a few hundred is where a larger batch stops being faster.
DELETE_BATCH = 200


@dataclass(frozen=True)
class SparqlJobStore:
    """Jobs, tasks and errors in a triplestore."""

    client: SparqlClient

    def ping(self, deadline: Deadline) -> None:
        """Return if the store answers queries."""
        _parse(self.client.probe(queries.PING, deadline), len)

    def state(self, stream: Stream, deadline: Deadline) -> StreamState:
        """Read the stream's active jobs and successful initial syncs."""
        return self._select(queries.stream_state(stream), queries.parse_state, deadline)

    def create(self, job: NewJob, deadline: Deadline) -> None:
        """Write the job and its task."""
        self.client.update(queries.create_job(job), deadline)

    def fail(self, job: Job, at: datetime, deadline: Deadline) -> None:
        """Fail the job and its unfinished tasks."""
        self.client.update(queries.fail_job(job, at), deadline)

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        """Write the error."""
        self.client.update(queries.record_error(error), deadline)

    def jobs_of(self, operation: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the URIs of all jobs of an operation."""
        return self._select(queries.jobs_of_operation(operation), queries.parse_uris, deadline)

    def delete(self, jobs: Sequence[str], deadline: Deadline) -> None:
        """Remove jobs and their tasks, batch by batch."""
        for start in range(0, len(jobs), DELETE_BATCH):
            batch = jobs[start : start + DELETE_BATCH]
            self.client.update(queries.delete_jobs(batch), deadline)

    def _select(self, text: str, parse: Callable[[list[Binding]], T], deadline: Deadline) -> T:
        return _parse(self.client.query(text, deadline), parse)


def _parse(answer: Any, parse: Callable[[list[Binding]], T]) -> T:
    try:
        return parse(queries.parse_bindings(answer))
    except queries.AnswerError as error:
        raise BadAnswer(str(error)) from error
