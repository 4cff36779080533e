"""Parsing the store's answers into values; an answer that does not fit the query is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, TypeAlias

from dateutil.parser import isoparse
from dateutil.tz import UTC

from jobs.clock import EARLIEST
from jobs.model import ACTIVE, Job, JobKind, Status, Stream, StreamState, Task
from jobs.store import JobWithoutTask, TaskWithoutJob
from sparql.vocabulary import STATUS_BASE

Binding: TypeAlias = dict[str, str]


class AnswerError(ValueError):
    """The answer does not fit the query; the message names the variable or member."""


def parse_bindings(answer: Any) -> list[Binding]:
    """Return the rows of a SELECT's JSON answer; raise `AnswerError` for anything else."""
    try:
        bindings = answer["results"]["bindings"]
        parsed = [{name: term["value"] for name, term in one.items()} for one in bindings]
    except (AttributeError, KeyError, TypeError) as error:
        raise AnswerError(f"not the JSON of a SELECT: {error!r}") from error
    texts = all(isinstance(value, str) for binding in parsed for value in binding.values())
    if not (texts and isinstance(bindings, list)):
        raise AnswerError("not the JSON of a SELECT: its bindings are no list of texts")
    return parsed


def parse_jobs(bindings: Sequence[Binding]) -> tuple[Job, ...]:
    """Return jobs; the rows of one job, one for each task, become one.

    A job with two statuses counts as active if one of them is active: it may still run. A job with
    two operations counts under each of them, as a job of its own.
    """
    by_job: dict[tuple[str, str], list[Binding]] = {}
    for binding in bindings:
        key = _required(binding, "job"), _required(binding, "operation")
        by_job.setdefault(key, []).append(binding)
    return tuple(_parse_job(uri, group) for (uri, _), group in by_job.items())


def parse_state(bindings: Sequence[Binding], stream: Stream, since: datetime) -> StreamState:
    """Return the stream's state from the rows of `stream_state`."""
    jobs = parse_jobs(bindings)
    initial_sync, healing = (
        stream.plan(kind).job_operation for kind in (JobKind.INITIAL_SYNC, JobKind.HEALING)
    )
    succeeded = [job for job in jobs if job.status is Status.SUCCESS]
    return StreamState(
        active=tuple(job for job in jobs if job.active),
        synced=tuple(job for job in succeeded if job.operation == initial_sync),
        healed=tuple(job for job in succeeded if job.operation == healing),
        recent=tuple(job for job in jobs if job.created and job.created >= since),
    )


def parse_jobs_without_task(bindings: Sequence[Binding]) -> tuple[JobWithoutTask, ...]:
    """Return the jobs of `jobs_without_task`."""
    return tuple(
        JobWithoutTask(
            job=_parse_job(_required(binding, "job"), [binding]),
            graph=_required(binding, "graph"),
            job_id=_required(binding, "id"),
        )
        for binding in bindings
    )


def parse_tasks_without_job(bindings: Sequence[Binding]) -> tuple[TaskWithoutJob, ...]:
    """Return the tasks of `tasks_without_job`."""
    return tuple(
        TaskWithoutJob(task=_required(binding, "task"), job=_required(binding, "job"))
        for binding in bindings
    )


@dataclass(frozen=True)
class Parts:
    """The URIs of a job's tasks, and of the errors that reference it."""

    tasks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def parse_parts(bindings: Sequence[Binding]) -> dict[str, Parts]:
    """Return the parts of each job of `parts_of_jobs`; none of a job that has no row."""
    parts: dict[str, Parts] = defaultdict(Parts)
    for binding in bindings:
        part = parts[_required(binding, "job")]
        if "task" in binding:
            part.tasks.append(binding["task"])
        if "error" in binding:
            part.errors.append(binding["error"])
    return parts


def parse_errors(bindings: Sequence[Binding]) -> dict[str, datetime | None]:
    """Return the date of each error that `find_errors` found."""
    return {_required(binding, "error"): _parse_date(binding, "created") for binding in bindings}


def parse_many(bindings: Sequence[Binding], limit: int) -> tuple[Job, ...]:
    """Return the jobs of an answer; one with `limit` rows may have cut the last job's tasks."""
    jobs = parse_jobs(bindings)
    return jobs if len(bindings) < limit else jobs[:-1] or jobs


def parse_newest(bindings: Sequence[Binding]) -> tuple[Job, ...]:
    """Return the jobs of `newest_jobs`, the oldest first.

    Virtuoso returns an empty row where there are none.
    """
    jobs = [_parse_dated(binding) for binding in bindings if "newest" in binding]
    return tuple(sorted(jobs, key=lambda job: (job.created or EARLIEST, job.uri)))


def _parse_dated(binding: Binding) -> Job:
    created, _, uri = binding["newest"].partition(" ")
    return Job(
        uri=uri,
        operation=_required(binding, "operation"),
        status=_known_status(_required(binding, "status")),
        created=_parse_date({"created": created}, "created"),
    )


def parse_deletable(bindings: Sequence[Binding], operation: str) -> tuple[Job, ...]:
    """Return the jobs of `deletable_jobs` or `remaining_jobs`; one without a status is one too."""
    by_job: dict[str, Job] = {}
    for binding in bindings:
        uri, status = _required(binding, "job"), _known_status(binding.get("status", ""))
        if uri not in by_job or status in ACTIVE:
            graph = binding.get("graph")
            by_job[uri] = Job(uri=uri, operation=operation, status=status, graph=graph)
    return tuple(by_job.values())


def parse_subjects(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the subjects of a query for duplicate values."""
    return tuple(_required(binding, "subject") for binding in bindings)


def _parse_job(uri: str, group: list[Binding]) -> Job:
    status = _prevailing([_required(binding, "status") for binding in group])
    return Job(
        uri=uri,
        operation=_required(group[0], "operation"),
        status=status,
        created=_parse_date(group[0], "created"),
        modified=_newest(group, "modified"),
        tasks=_parse_tasks(group),
        graph=group[0].get("graph"),
    )


def _parse_tasks(group: list[Binding]) -> tuple[Task, ...]:
    by_task: dict[str, list[Binding]] = {}
    for binding in group:
        if "task" in binding:
            by_task.setdefault(binding["task"], []).append(binding)
    return tuple(
        Task(
            uri=uri,
            status=_prevailing([_required(row, "taskStatus") for row in rows_of_task]),
            operation=rows_of_task[0].get("taskOperation"),
            created=_parse_date(rows_of_task[0], "taskCreated"),
            modified=_newest(rows_of_task, "taskModified"),
        )
        for uri, rows_of_task in by_task.items()
    )


def _newest(group: list[Binding], variable: str) -> datetime | None:
    dates = [_parse_date(binding, variable) for binding in group]
    return max(filter(None, dates), default=None)


def _parse_date(binding: Binding, variable: str) -> datetime | None:
    """Return a timestamp as other services write it; one without a zone is in UTC, as theirs are.

    Unreadable timestamps are treated as missing, so that another service's mistake cannot block a
    stream. So are the first and the last year of the calendar, which not every zone has.
    """
    text = binding.get(variable)
    if text is None:
        return None
    try:
        instant = isoparse(text)
    except (ValueError, OverflowError):
        return None
    if instant.year in (MINYEAR, MAXYEAR):
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _required(binding: Binding, variable: str) -> str:
    if variable not in binding:
        raise AnswerError(f"?{variable} is missing")
    return binding[variable]


def _prevailing(texts: Sequence[str]) -> Status | None:
    """Return one status of a job or task that may have two: an active one, if there is any."""
    statuses = [_known_status(text) for text in texts]
    return next((status for status in statuses if status in ACTIVE), statuses[0])


def _known_status(text: str) -> Status | None:
    return next((status for status in Status if STATUS_BASE + status.value == text), None)
