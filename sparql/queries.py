"""The statements of `sparql/statements/`, filled with terms; `answers` parses the results.

A statement is a file with `$name` where a term goes. Reads search every graph, because a stack may
keep the jobs of one stream in several; writes name the jobs graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Template

from jobs.model import ACTIVE, SERVICE, Job, JobKind, NewJob, Status, Stream
from jobs.store import ErrorResource
from sparql.terms import (
    NOTHING,
    Term,
    TermError,
    date_time,
    fill,
    integer,
    iri,
    listed,
    none_of,
    rows,
    string,
)
from sparql.vocabulary import ERROR_SUBJECT, NOTHING_IRI, STATUS_BASE

MAX_ROWS = 5000  # of one answer about all streams; Virtuoso's own limit is often 10,000
ALL = integer(10_000_000)  # subjects; Virtuoso evaluates a subquery with a LIMIT first
MAX_RECENT = 3000  # jobs of one kind
MAX_LISTED = 1000  # operations of one list; Virtuoso takes at most 4,094
MAX_DELETED = 3000  # jobs of one read, which are then removed in parallel
MAX_UNDELETABLE = 1000  # jobs of one read, to find those that no update can name


@cache
def statement(name: str) -> Template:
    """Return a statement of `sparql/statements/` without its comment.

    Every line of the comment begins with `#`. Oxigraph accepts prefixes only at the head.
    """
    text = files("sparql").joinpath("statements", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return Template("\n".join(lines))


def ping() -> str:
    """Return a query that every store answers at once."""
    return fill(statement("ping.rq"))


def create_job(job: NewJob, *, guarded: bool = False) -> str:
    """Return the one update request that writes a job and its task."""
    return fill(
        statement("create_job_guarded.ru" if guarded else "create_job.ru"),
        graph=iri(job.graph),
        job=iri(job.uri),
        job_id=string(job.job_id),
        creator=iri(SERVICE),
        job_status=status_iri(Status.BUSY),
        job_operation=iri(job.job_operation),
        task=iri(job.task_uri),
        task_id=string(job.task_id),
        task_status=status_iri(Status.SCHEDULED),
        task_operation=iri(job.task_operation),
        created=date_time(job.created),
    )


def stream_states(streams: Sequence[Stream], jobs: Sequence[str]) -> str:
    """Return the query for what decisions about streams need, and for some jobs by their URI."""
    initial_syncs = [stream.plan(JobKind.INITIAL_SYNC).job_operation for stream in streams]
    return fill(
        statement("stream_states.rq"),
        busy=status_iri(Status.BUSY),
        scheduled=status_iri(Status.SCHEDULED),
        all=ALL,
        is_known=_is_known([one for stream in streams for one in stream.operations]),
        initial_syncs=rows_of(filter(None, initial_syncs) if any(initial_syncs) else [NOTHING_IRI]),
        success=_status_text(Status.SUCCESS),
        jobs=rows_of(jobs or [NOTHING_IRI]),
    )


def one_successful(operation: str) -> str:
    """Return the query for one successful job of an operation."""
    return fill(
        statement("one_successful.rq"),
        operation=iri(operation),
        success=_status_text(Status.SUCCESS),
    )


def active_subjects(operations: Sequence[str]) -> str:
    """Return the query for active jobs or tasks with these operations, at most `MAX_ROWS` rows."""
    return fill(
        statement("active_subjects.rq"),
        busy=status_iri(Status.BUSY),
        scheduled=status_iri(Status.SCHEDULED),
        all=ALL,
        is_known=_is_known(operations),
        limit=integer(MAX_ROWS),
    )


def jobs_of_operations(operations: Sequence[str]) -> str:
    """Return the query for all jobs of operations that have few."""
    return fill(statement("jobs_of_operations.rq"), operations=rows_of(operations))


def find_jobs(jobs: Sequence[str]) -> str:
    """Return the query for these jobs and their tasks."""
    return fill(statement("find_jobs.rq"), jobs=rows_of(jobs))


def parts_of_jobs(jobs: Sequence[str]) -> str:
    """Return the query for these jobs, their tasks, and the errors that reference them."""
    return fill(statement("parts_of_jobs.rq"), jobs=rows_of(jobs))


def recent_jobs(operations: Sequence[str], since: datetime) -> str:
    """Return the query for the jobs of these operations `since`, the newest `MAX_RECENT`."""
    return fill(
        statement("recent_jobs.rq"),
        is_known=_is_known(operations),
        since=date_time(since),
        limit=integer(MAX_RECENT),
    )


def current_jobs(operations: Sequence[str], since: datetime) -> str:
    """Return the query for active jobs and those `since`, at most `MAX_ROWS`, active ones first."""
    return fill(
        statement("current_jobs.rq"),
        busy=status_iri(Status.BUSY),
        scheduled=status_iri(Status.SCHEDULED),
        all=ALL,
        is_known=_is_known(operations),
        since=date_time(since),
        limit=integer(MAX_ROWS),
    )


def set_status(job: Job, status: Status, at: datetime) -> str:
    """Return the update that gives an active job and its unfinished tasks a final status."""
    subjects = [iri(job.uri), *(iri(task.uri) for task in job.unfinished)]
    return fill(
        statement("set_status.ru"),
        job=iri(job.uri),
        subjects=rows(subjects),
        unknown=none_of("?other", subjects),
        ended=status_iri(status),
        active=listed(status_iri(status) for status in ACTIVE),
        now=date_time(at),
    )


def find_errors(errors: Sequence[str]) -> str:
    """Return the query for which of these errors exist."""
    return fill(statement("find_errors.rq"), errors=rows_of(errors))


def write_error(error: ErrorResource) -> str:
    """Return the update that writes an error, unless it exists."""
    return fill(
        statement("write_error.ru"),
        graph=iri(error.graph),
        error=iri(error.uri),
        error_id=string(error.error_id),
        subject=string(ERROR_SUBJECT),
        message=string(error.message),
        created=date_time(error.created),
        creator=iri(error.creator),
        reference=_reference(error.job),
    )


def _reference(job: str | None) -> Term:
    """Return the reference to a job; nothing if its URI cannot be written, as of a blank node."""
    try:
        return NOTHING if job is None else Term(f" ;\n      dct:references {iri(job)}")
    except TermError:
        return NOTHING


def deletable_jobs(operation: str) -> str:
    """Return the query for subjects of an operation, as many as one `delete` removes."""
    return fill(
        statement("deletable_jobs.rq"), operation=iri(operation), limit=integer(MAX_DELETED)
    )


def remaining_jobs(operation: str) -> str:
    """Return the query for jobs of an operation, also those that no update can name."""
    return fill(
        statement("remaining_jobs.rq"), operation=iri(operation), limit=integer(MAX_UNDELETABLE)
    )


def delete_subjects(subjects: Sequence[str], graph: str | None = None) -> str:
    """Return the update that removes every triple of these subjects in a graph, or in every one."""
    return fill(
        statement("delete_subjects.ru"),
        graph=Term("?graph") if graph is None else iri(graph),
        subjects=rows_of(subjects),
    )


def rows_of(iris: Iterable[str]) -> Term:
    """Return IRIs as the rows of a VALUES block."""
    return rows(iri(value) for value in iris)


def _list_of(iris: Iterable[str]) -> Term:
    """Return IRIs as the list of an IN."""
    return listed(iri(value) for value in iris)


def _is_known(operations: Sequence[str]) -> Term:
    """Return the condition that `?operation` is one of these, if stores accept the list.

    IF keeps a store from beginning with the operations, which have the whole history. So does a
    list of more than one: for a Virtuoso, a list of one is the same as the one.
    """
    few = len(operations) <= MAX_LISTED
    known = f'IF(true, ?operation, "") IN ({_list_of([*operations, NOTHING_IRI])})'
    return Term(known if few else "BOUND(?operation)")


def _status_text(status: Status) -> Term:
    """Return the IRI of a status as a text."""
    return string(STATUS_BASE + status.value)


def status_iri(status: Status) -> Term:
    """Return the IRI of a status."""
    return iri(STATUS_BASE + status.value)
