"""The triplestore as `jobs.store.JobStore`: statements from `queries`, sent by `client`."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sparql import answers, queries
from sparql.client import BadAnswer, SparqlError
from sparql.terms import TermError, is_iri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Status, Stream, StreamState
    from jobs.store import Deadline, HalfJob
    from sparql.answers import Binding
    from sparql.client import SparqlClient

T = TypeVar("T")
_log = logging.getLogger(__name__)
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
        return self._many(queries.active_jobs(operations), queries.MOST_ROWS, deadline)

    def recent(
        self, operations: Sequence[str], since: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Return the jobs of these operations since an instant, the newest first."""
        text = queries.recent_jobs(operations, since)
        return self._many(text, queries.MOST_RECENT, deadline)

    def newest(
        self, operations: Sequence[str], until: datetime, deadline: Deadline
    ) -> tuple[Job, ...]:
        """Return the newest job of each operation and status."""
        text = queries.newest_jobs(operations, until)
        return self._select(text, answers.parse_newest, deadline) if operations else ()

    def find(self, jobs: Sequence[str], deadline: Deadline) -> tuple[Job, ...]:
        """Return those of these jobs that are there; a URI that can't be asked for is not."""
        askable = [uri for uri in jobs if is_iri(uri)]
        text = queries.find_jobs(askable)
        return self._select(text, answers.parse_jobs, deadline) if askable else ()

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

    def mend(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Leave one status and date on jobs and their tasks."""
        subjects = [uri for job in jobs for uri in (job.uri, *(task.uri for task in job.tasks))]
        for start in range(0, len(subjects), BATCH):
            with _writable():
                text = queries.mend_doubled(subjects[start : start + BATCH])
                self.client.update(text, deadline)

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
        jobs = self._select(text, lambda rows: answers.parse_batch(rows, operation), deadline)
        return tuple(job for job in jobs if _is_writable(job))

    def delete(self, jobs: Sequence[Job], deadline: Deadline) -> None:
        """Remove jobs, their tasks and the errors that reference them."""
        with _writable():
            self.client.update(queries.delete_jobs(jobs), deadline)

    def _many(self, text: str, most: int, deadline: Deadline) -> tuple[Job, ...]:
        """Read jobs of many streams, as many as `most` rows tell of."""
        rows = self._select(text, list, deadline)
        if len(rows) >= most:
            _log.warning("there is more than %s rows tell: some jobs are not looked at", most)
        return _refusing(lambda: answers.parse_many(rows, most))

    def _select(self, text: str, parse: Callable[[list[Binding]], T], deadline: Deadline) -> T:
        return _parse(self.client.query(text, deadline), parse)


def _is_writable(job: Job) -> bool:
    """Tell whether a job can be named in an update, and say so where one can't."""
    if not is_iri(job.uri):
        _log.warning("job %a can't be named in an update: remove it by hand", job.uri)
    return is_iri(job.uri)


@contextmanager
def _writable() -> Iterator[None]:
    """Say as a store's failure that a URI which came from it can't be written: a blank node."""
    try:
        yield
    except TermError as error:
        raise SparqlError(f"this job can't be changed: {error}") from error


def _parse(answer: Any, parse: Callable[[list[Binding]], T]) -> T:
    return _refusing(lambda: parse(answers.parse_bindings(answer)))


def _refusing(read: Callable[[], T]) -> T:
    """Say as a store's failure that its answer is not what was asked for."""
    try:
        return read()
    except answers.AnswerError as error:
        raise BadAnswer(str(error)) from error
