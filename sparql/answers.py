"""Every answer read from the store, as values; whatever is not what was asked for is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from dateutil.parser import isoparse
from dateutil.tz import UTC

from jobs.model import ACTIVE, Job, JobKind, Status, StreamState, Task
from jobs.store import HalfJob
from sparql.vocabulary import STATUS_BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.model import Stream

Binding: TypeAlias = dict[str, str]


class AnswerError(ValueError):
    """The store's answer is not what was asked for; the message names the variable or member."""


def parse_bindings(answer: Any) -> list[Binding]:
    """Return the rows of a SELECT's JSON answer; raise `AnswerError` where it is something else."""
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
    """Return jobs; several rows of one job (one a task) become one.

    A job that carries two statuses counts as active if one of them is: it may still run.
    """
    by_job: dict[str, list[Binding]] = {}
    for binding in bindings:
        by_job.setdefault(_required(binding, "job"), []).append(binding)
    return tuple(_parse_job(uri, group) for uri, group in by_job.items())


def parse_state(bindings: Sequence[Binding], stream: Stream, since: datetime | None) -> StreamState:
    """Return the stream's state from the rows of `stream_state`."""
    jobs = parse_jobs(bindings)
    initial_sync = stream.plan(JobKind.INITIAL_SYNC).job_operation
    return StreamState(
        active=tuple(job for job in jobs if job.active),
        synced=tuple(
            job for job in jobs if job.status is Status.SUCCESS and job.operation == initial_sync
        ),
        recent=tuple(job for job in jobs if since and job.created and job.created >= since),
    )


def parse_half_jobs(bindings: Sequence[Binding]) -> tuple[HalfJob, ...]:
    """Return the jobs that `half_jobs` asked for."""
    return tuple(
        HalfJob(
            job=_parse_job(_required(binding, "job"), [binding]),
            graph=_required(binding, "graph"),
            job_id=_required(binding, "id"),
        )
        for binding in bindings
    )


def parse_last_created(bindings: Sequence[Binding]) -> dict[str, datetime]:
    """Return the newest date by operation; Virtuoso gives a row without values for none."""
    dates = {b["operation"]: _parse_date(b, "latest") for b in bindings if "operation" in b}
    return {operation: date for operation, date in dates.items() if date}


def parse_job_uris(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the job URIs that `jobs_of_operation` asked for."""
    return tuple(_required(binding, "job") for binding in bindings)


def parse_subjects(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the subjects that `doubled` asked for."""
    return tuple(_required(binding, "subject") for binding in bindings)


def _parse_job(uri: str, group: list[Binding]) -> Job:
    statuses = [_known_status(_required(binding, "status")) for binding in group]
    active = next((status for status in statuses if status in ACTIVE), None)
    status = active or statuses[0]
    return Job(
        uri=uri,
        operation=_required(group[0], "operation"),
        status=status,
        created=_parse_date(group[0], "created"),
        modified=_newest(group, "modified"),
        tasks=_parse_tasks(group),
    )


def _parse_tasks(group: list[Binding]) -> tuple[Task, ...]:
    by_task: dict[str, list[Binding]] = {}
    for binding in group:
        if "task" in binding:
            by_task.setdefault(binding["task"], []).append(binding)
    return tuple(
        Task(
            uri=uri,
            status=_known_status(_required(rows_of_task[0], "taskStatus")),
            modified=_newest(rows_of_task, "taskModified"),
        )
        for uri, rows_of_task in by_task.items()
    )


def _newest(group: list[Binding], variable: str) -> datetime | None:
    dates = [_parse_date(binding, variable) for binding in group]
    return max(filter(None, dates), default=None)


def _parse_date(binding: Binding, variable: str) -> datetime | None:
    """Read a timestamp as other services write it; one without a zone is in UTC, as theirs are.

    One that can't be read counts as none: a slip of another service must not block a stream.
    """
    text = binding.get(variable)
    if text is None:
        return None
    try:
        instant = isoparse(text)
    except (ValueError, OverflowError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _required(binding: Binding, variable: str) -> str:
    if variable not in binding:
        raise AnswerError(f"?{variable} is missing")
    return binding[variable]


def _known_status(text: str) -> Status | None:
    return next((status for status in Status if STATUS_BASE + status.value == text), None)
