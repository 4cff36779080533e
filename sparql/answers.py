"""Every answer read from the store, as values; whatever is not what was asked for is refused."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from dateutil.parser import isoparse
from dateutil.tz import UTC

from jobs.model import ACTIVE, Job, JobKind, Status, StreamState, Task
from jobs.store import HalfJob
from sparql.vocabulary import STATUS_BASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.model import Stream

Binding: TypeAlias = dict[str, str]
NO_DATE = datetime.min.replace(tzinfo=UTC)


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
    initial_sync, healing = (
        stream.plan(kind).job_operation for kind in (JobKind.INITIAL_SYNC, JobKind.HEALING)
    )
    succeeded = [job for job in jobs if job.status is Status.SUCCESS]
    return StreamState(
        active=tuple(job for job in jobs if job.active),
        synced=tuple(job for job in succeeded if job.operation == initial_sync),
        healed=tuple(job for job in succeeded if job.operation == healing),
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


def parse_recorded(bindings: Sequence[Binding]) -> dict[str, datetime | None]:
    """Return the date of each error that `recorded` found."""
    return {_required(binding, "error"): _parse_date(binding, "created") for binding in bindings}


def parse_many(bindings: Sequence[Binding], most: int) -> tuple[Job, ...]:
    """Return jobs of an answer of `most` rows; of a full one the last job may lack tasks."""
    jobs = parse_jobs(bindings)
    return jobs if len(bindings) < most else jobs[:-1] or jobs


def parse_newest(bindings: Sequence[Binding]) -> tuple[Job, ...]:
    """Return the jobs of `newest_jobs`, the oldest first; Virtuoso gives an empty row for none."""
    jobs = [_parse_dated(binding) for binding in bindings if "newest" in binding]
    return tuple(sorted(jobs, key=lambda job: (job.created or NO_DATE, job.uri)))


def _parse_dated(binding: Binding) -> Job:
    created, _, uri = binding["newest"].partition(" ")
    return Job(
        uri=uri,
        operation=_required(binding, "operation"),
        status=_known_status(_required(binding, "status")),
        created=_parse_date({"created": created}, "created"),
    )


def parse_batch(bindings: Sequence[Binding], operation: str) -> tuple[Job, ...]:
    """Return the jobs that `jobs_of_operation` asked for; one without a status is one, too."""
    by_job: dict[str, Status | None] = {}
    for binding in bindings:
        uri, status = _required(binding, "job"), _known_status(binding.get("status", ""))
        by_job[uri] = status if status in ACTIVE else by_job.get(uri, status)
    return tuple(Job(uri=uri, operation=operation, status=by_job[uri]) for uri in by_job)


def parse_subjects(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the subjects that `doubled` asked for."""
    return tuple(_required(binding, "subject") for binding in bindings)


def _parse_job(uri: str, group: list[Binding]) -> Job:
    status = _likeliest([_required(binding, "status") for binding in group])
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
            status=_likeliest([_required(row, "taskStatus") for row in rows_of_task]),
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
    """Read a timestamp as other services write it; one without a zone is in UTC, as theirs are.

    One that can't be read counts as none: a slip of another service must not block a stream. So
    does one at an end of the calendar, where neither every zone nor any sum has a date.
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


def _likeliest(texts: Sequence[str]) -> Status | None:
    """Return the status of what may carry two: an active one if there is one, it may still run."""
    statuses = [_known_status(text) for text in texts]
    return next((status for status in statuses if status in ACTIVE), statuses[0])


def _known_status(text: str) -> Status | None:
    return next((status for status in Status if STATUS_BASE + status.value == text), None)
