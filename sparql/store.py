"""The triplestore as `jobs.store.JobStore`: statements from `queries`, sent by `client`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sparql import answers, queries
from sparql.client import BadAnswer, SparqlError
from sparql.terms import TermError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Stream, StreamState
    from jobs.store import Deadline, HalfJob
    from sparql.answers import Binding
    from sparql.client import SparqlClient

T = TypeVar("T")


@dataclass(frozen=True)
class SparqlJobStore:
    """Jobs, tasks and errors in a triplestore."""

    client: SparqlClient

    def ping(self, deadline: Deadline) -> None:
        """Return if the store answers queries."""
        _parse(self.client.probe(queries.PING, deadline), len)

    def state(self, stream: Stream, since: datetime | None, deadline: Deadline) -> StreamState:
        """Read the stream's active jobs, successful initial syncs, and jobs since an instant."""
        text = queries.stream_state(stream, since)
        return self._select(text, lambda rows: answers.parse_state(rows, stream, since), deadline)

    def last_created(
        self, operations: Sequence[str], until: datetime, deadline: Deadline
    ) -> dict[str, datetime]:
        """Return when the newest job of each operation was created."""
        text = queries.last_created(operations, until)
        return self._select(text, answers.parse_last_created, deadline) if operations else {}

    def find(self, jobs: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        """Return those of these jobs that are there."""
        return self._select(queries.find_jobs(jobs), answers.parse_jobs, deadline)

    def create(self, job: NewJob, send_by: Deadline, deadline: Deadline) -> None:
        """Write the job and its task."""
        session = f"http://mu.semte.ch/sessions/{job.job_id}"
        self.client.update(queries.create_job(job), deadline, send_by=send_by, session=session)

    def add_task(self, job: NewJob, deadline: Deadline) -> None:
        """Write the task of a job that has none."""
        session = f"http://mu.semte.ch/sessions/{job.job_id}"
        with _writable():
            self.client.update(queries.add_task(job), deadline, session=session)

    def half_jobs(self, operations: Sequence[str], deadline: Deadline) -> tuple[HalfJob, ...]:
        """Return active jobs without a task."""
        return self._select(queries.half_jobs(operations), answers.parse_half_jobs, deadline)

    def mend_second_values(self, operations: Sequence[str], deadline: Deadline) -> tuple[str, ...]:
        """Leave one status and date on active jobs and tasks."""
        subjects = tuple(
            subject
            for template in (queries.DOUBLED_JOBS, queries.DOUBLED_TASKS)
            for subject in self._select(
                queries.doubled(template, operations), answers.parse_subjects, deadline
            )
        )
        if subjects:
            with _writable():
                self.client.update(queries.mend_doubled(subjects), deadline)
        return subjects

    def fail(self, job: Job, at: datetime, deadline: Deadline) -> None:
        """Fail the job and its unfinished tasks."""
        with _writable():
            self.client.update(queries.fail_job(job, at), deadline)

    def recorded(self, error: str, deadline: Deadline) -> bool:
        """Return whether an error is there."""
        return self._select(queries.recorded(error), len, deadline) > 0

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        """Write the error."""
        self.client.update(queries.record_error(error), deadline)

    def jobs_of(self, operation: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the URIs of an operation's jobs, the first thousand."""
        return self._select(queries.jobs_of_operation(operation), answers.parse_job_uris, deadline)

    def delete(self, operation: str, deadline: Deadline) -> None:
        """Remove all jobs of an operation and their tasks."""
        self.client.update(queries.delete_jobs(operation), deadline)

    def _select(self, text: str, parse: Callable[[list[Binding]], T], deadline: Deadline) -> T:
        return _parse(self.client.query(text, deadline), parse)


@contextmanager
def _writable() -> Iterator[None]:
    """Say as a store's failure that a URI which came from it can't be written: a blank node."""
    try:
        yield
    except TermError as error:
        raise SparqlError(f"this job can't be changed: {error}") from error


def _parse(answer: Any, parse: Callable[[list[Binding]], T]) -> T:
    try:
        return parse(answers.parse_bindings(answer))
    except answers.AnswerError as error:
        raise BadAnswer(str(error)) from error
