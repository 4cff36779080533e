"""The triplestore as `jobs.store.JobStore`: statements from `queries`, sent by the client."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from jobs.model import Job, NewJob, Status, Stream, StreamState
from jobs.store import CurrentJobs, Deadline, ErrorResource, Inspection
from sparql import answers, facts, past_queries, queries, repair_queries
from sparql.answers import Binding
from sparql.batches import (
    BATCH,
    DELETED_TASKS,
    READ_JOBS,
    REPAIRED,
    SOUGHT,
    batches,
    in_parallel,
)
from sparql.client import SparqlClient
from sparql.errors import BadAnswer, writable
from sparql.facts import Subjects, all_jobs_of, current_jobs_of, jobs_of, rows_of
from sparql.inspection import inspection_of, scheduled_tasks
from sparql.questions import (
    RecentQuestion,
    Shared,
    StateQuestion,
    read_each,
    read_jobs,
    read_recent,
    read_states,
    successful,
)
from sparql.reading import read_answer
from sparql.removal import parse_parts, removals
from sparql.terms import is_iri

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SparqlJobStore:
    """Jobs, tasks and errors in a triplestore."""

    client: SparqlClient
    shared: Shared = field(default_factory=Shared)

    def within(self, deadline: Deadline) -> BoundSparqlStore:
        """Return the store for one piece of work."""
        return BoundSparqlStore(self.client, deadline, self.shared)


@dataclass(frozen=True)
class BoundSparqlStore:
    """The store within one deadline; see `jobs.store.BoundStore`."""

    client: SparqlClient
    deadline: Deadline
    shared: Shared

    def ping(self) -> None:
        """Return if the store answers queries."""
        read_answer(self.client.query_once(queries.ping(), self.deadline), len)

    def state(self, stream: Stream, known: Sequence[str] = ()) -> StreamState:
        """Return what a decision about the stream needs, and those of the known jobs that exist."""
        question = StateQuestion(stream, known)
        read = partial(read_states, self._subjects)
        return self.shared.states.ask(question, read, self.deadline)

    def one_successful(self, operation: str) -> tuple[Job, ...]:
        """Return one successful job; only if none of the first few is, all are searched."""
        some = self._select(past_queries.some_jobs([operation]), answers.parse_jobs)
        found = successful(self.find(some), operation)
        if some and not found:
            found = successful(
                jobs_of(self._subjects(queries.one_successful(operation))), operation
            )
        return found[:1]

    def active(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return the active jobs of these operations."""
        subjects = self._active_subjects(operations)
        found = jobs_of(self._and_tasks(subjects, operations), operations)
        return tuple(job for job in found if job.active)

    def _active_subjects(self, operations: Sequence[str]) -> Subjects:
        subjects = self._subjects(queries.active_subjects(operations))
        if rows_of(subjects) >= queries.MAX_ROWS:
            _log.warning("more than %s active jobs: some are left out", queries.MAX_ROWS)
        return subjects

    def recent(self, operations: Sequence[str], since: datetime) -> tuple[Job, ...]:
        """Return the jobs of these operations since an instant, the newest first."""
        question = RecentQuestion(operations, since)
        read = partial(read_recent, self._subjects)
        found = self.shared.recent.ask(question, read, self.deadline)
        if found is None:
            return question.answer(self._subjects(queries.recent_jobs(operations, since)))
        return found

    def current(self, operations: Sequence[str], since: datetime) -> CurrentJobs:
        """Return the active jobs and those since an instant, with one request."""
        subjects = self._subjects(queries.current_jobs(operations, since))
        return current_jobs_of(subjects, operations, queries.MAX_ROWS)

    def newest(self, operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
        """Return the newest successful job of each operation, and the newest other one."""
        if not operations:
            return ()
        found = self._select(past_queries.newest_jobs(operations, until), answers.parse_newest)
        return tuple(job for job in found if job.operation in {*operations})

    def of_operations(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return all jobs of operations that have few."""
        found: list[Job] = []
        for batch in batches(operations, BATCH):
            found += jobs_of(self._subjects(queries.jobs_of_operations(batch)), batch)
        return tuple(found)

    def some_of(self, operations: Sequence[str]) -> tuple[Job, ...]:
        """Return a few jobs of each operation with their tasks."""
        found: list[str] = []
        for batch in batches(operations, SOUGHT):
            found += self._select(past_queries.some_jobs(batch), answers.parse_jobs)
        return self.find(found)

    def in_use(self, operations: Sequence[str]) -> frozenset[str]:
        """Return those of these operations that have a job."""
        found: frozenset[str] = frozenset()
        for batch in batches(operations, SOUGHT):
            found |= self._select(past_queries.operations_in_use(batch), answers.parse_operations)
        return found

    def find(self, jobs: Sequence[str]) -> tuple[Job, ...]:
        """Return those of these jobs that exist; a URI that cannot be written is left out.

        One job is what a call asks for that confirms its own: several calls share a read.
        """
        if len(jobs) == 1:
            return self.shared.found.ask(jobs[0], partial(read_each, self._subjects), self.deadline)
        return read_jobs(self._subjects, jobs)

    def create(self, job: NewJob, send_by: Deadline, *, guarded: bool = False) -> None:
        """Write the job and its task; a guarded request only if they do not exist."""
        text = queries.create_job(job, guarded=guarded)
        self._update(text, send_by=send_by)

    def add_task(self, job: NewJob) -> None:
        """Write the task of a job that has none."""
        with writable():
            self._update(repair_queries.add_task(job))

    def inspect(
        self, operations: Sequence[str], task_operations: Sequence[str], known: Sequence[str]
    ) -> Inspection:
        """Return what is incomplete; what no update can name is left out."""
        active = self._active_subjects([*operations, *task_operations])
        subjects = dict(self._and_tasks(active, operations))
        tasks = scheduled_tasks(subjects, task_operations)
        wanted = {*known, *(one.job for one in tasks)} - subjects.keys()
        for batch in batches(sorted(filter(is_iri, wanted)), BATCH):
            subjects |= self._subjects(queries.find_jobs(batch))
        return inspection_of(subjects, operations, tasks)

    def delete_tasks_without_job(self, tasks: Sequence[str]) -> None:
        """Remove tasks whose job does not exist."""
        for batch in batches(tasks, DELETED_TASKS):
            self._update(repair_queries.delete_tasks_without_job(batch))

    def repair(self, subjects: Sequence[str]) -> None:
        """Leave one status and date on jobs and tasks; what no update can name is left out."""
        for batch in batches(list(filter(is_iri, subjects)), REPAIRED):
            self._update(repair_queries.repair_duplicate_values(batch))

    def set_status(self, job: Job, status: Status, at: datetime) -> None:
        """End the job and its unfinished tasks."""
        with writable():
            self._update(queries.set_status(job, status, at))

    def find_errors(self, errors: Sequence[str]) -> dict[str, datetime | None]:
        """Return which errors exist, and their dates."""
        found: dict[str, datetime | None] = {}
        for batch in batches(errors, BATCH):
            found |= self._select(queries.find_errors(batch), answers.parse_errors)
        return found

    def write_error(self, error: ErrorResource) -> None:
        """Write the error."""
        self._update(queries.write_error(error))

    def deletable_jobs(self, operation: str) -> tuple[Job, ...]:
        """Return jobs of an operation, as many as one `delete` takes."""
        found = self._select(queries.deletable_jobs(operation), facts.parse_values)
        jobs = tuple(
            Job(uri=one.uri, operation=operation, status=one.status)
            for one in found.values()
            if one.is_job and is_iri(one.uri)
        )
        if not jobs and len(found) >= queries.MAX_DELETED:
            raise BadAnswer(f"the first {len(found)} subjects with {operation} are no jobs")
        return jobs

    def delete(self, jobs: Sequence[Job]) -> None:
        """Remove jobs, their tasks and the errors that reference them, in small updates."""
        in_parallel(self._delete, batches([job.uri for job in jobs], READ_JOBS))

    def _delete(self, jobs: Sequence[str]) -> None:
        with writable():
            text = queries.parts_of_jobs(jobs)
        parts = self._select(text, partial(parse_parts, jobs=jobs))
        for one in removals(parts):
            self._update(queries.delete_subjects(*one))

    def delete_error(self, error: str) -> None:
        """Remove an error."""
        self._update(queries.delete_subjects([error]))

    def undeletable_jobs(self, operation: str) -> tuple[Job, ...]:
        """Return the jobs of an operation that no update can name."""
        jobs = all_jobs_of(self._subjects(queries.remaining_jobs(operation)), operation)
        return tuple(job for job in jobs if not is_iri(job.uri))

    def _update(self, text: str, *, send_by: Deadline | None = None) -> None:
        self.client.update(text, self.deadline, send_by=send_by)

    def _select(self, text: str, parse: Callable[[list[Binding]], T]) -> T:
        return read_answer(self.client.query(text, self.deadline), parse)

    def _subjects(self, text: str) -> Subjects:
        return self._select(text, facts.parse_subjects)

    def _and_tasks(self, subjects: Subjects, operations: Sequence[str]) -> Subjects:
        """Return the subjects; a further read lists the jobs among them with their tasks."""
        jobs = {job.uri for job in jobs_of(subjects, operations) if is_iri(job.uri)}
        found = dict(subjects)
        for batch in batches(sorted(jobs), READ_JOBS):
            found |= self._subjects(queries.find_jobs(batch))
        return found
