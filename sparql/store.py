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

    from jobs.model import ErrorResource, Job, NewJob, Status, Stream, StreamState
    from jobs.store import Deadline, HalfJob
    from sparql.answers import Binding
    from sparql.client import SparqlClient

T = TypeVar("T")
BATCH = 1000  # values of one list; Virtuoso takes 4,094


@dataclass(frozen=True)
class SparqlJobStore:
    """Jobs, tasks and errors in a triplestore."""

    client: SparqlClient

    def ping(self, deadline: Deadline) -> None:
        """Return if the store answers queries."""
        _parse(self.client.probe(queries.PING, deadline), len)

    def state(self, stream: Stream, since: datetime | None, deadline: Deadline) -> StreamState:
        """Read the stream's active jobs, those that tell it is synced, and jobs since then."""
        text = queries.stream_state(stream, since)
        return self._select(text, lambda rows: answers.parse_state(rows, stream, since), deadline)

    def active(self, operations: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        """Read all active jobs of these operations."""
        text = queries.active_jobs(operations)
        most = queries.MOST_ROWS
        return self._select(text, lambda rows: answers.parse_many(rows, most), deadline)

    def recent(
        self, operations: Sequence[str], since: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Return the jobs of these operations since an instant, the newest first."""
        text, most = queries.recent_jobs(operations, since), queries.MOST_RECENT
        return self._select(text, lambda rows: answers.parse_many(rows, most), deadline)

    def newest(
        self, operations: Sequence[str], until: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Return the newest job of each operation and status."""
        text = queries.newest_jobs(operations, until)
        return self._select(text, answers.parse_newest, deadline) if operations else ()

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

    def end(self, job: Job, status: Status, at: datetime, deadline: Deadline) -> None:
        """End the job and its unfinished tasks."""
        with _writable():
            self.client.update(queries.end_job(job, status, at), deadline)

    def recorded(self, errors: Sequence[str], deadline: Deadline) -> dict[str, datetime | None]:
        """Return which errors are there, and their dates."""
        found: dict[str, datetime | None] = {}
        for start in range(0, len(errors), BATCH):
            text = queries.recorded(errors[start : start + BATCH])
            found |= self._select(text, answers.parse_recorded, deadline)
        return found

    def record(self, error: ErrorResource, deadline: Deadline) -> None:
        """Write the error."""
        self.client.update(queries.record_error(error), deadline)

    def batch_of(self, operation: str, deadline: Deadline) -> tuple[Job, ...]:
        """Return jobs of an operation, as many as one `delete` takes."""
        text = queries.jobs_of_operation(operation)
        return self._select(text, lambda rows: answers.parse_batch(rows, operation), deadline)

    def delete(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Remove jobs, their tasks and the errors that reference them."""
        with _writable():
            self.client.update(queries.delete_jobs(jobs), deadline)

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
