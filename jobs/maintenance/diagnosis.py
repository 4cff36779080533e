"""What is wrong with an active job, and what to do about it.

A job that stays active stops its stream: the publication-graph-maintainer skips deltas while an
initial sync or a healing is active, and ticks wait. A diagnosis depends only on the dates of the
job and on the configuration, so that two processes write the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from jobs.clock import EARLIEST
from jobs.iri import BY_HAND, iri_problem
from jobs.model import (
    MAINTAINERS_HEALING,
    Job,
    JobKind,
    Status,
    Stream,
    Task,
)
from jobs.rules import CLOCK_TOLERANCE
from jobs.task_operations import PLAIN_HEALING, setting


class Cause(Enum):
    """Why an active job does not end, in a few stable words."""

    NOT_NAMEABLE = "no update can name the job"
    NO_TASK = "no task"
    NOT_PICKED_UP = "task never picked up"
    RUNNING_LONG = "task running long"
    NOT_CLOSED = "tasks all done, job still active"
    FAILED_NOT_CLOSED = "task failed, job still active"

    @property
    def finished(self) -> bool:
        """Whether the tasks have ended and only the job's own status is out of date."""
        return self in (Cause.NOT_CLOSED, Cause.FAILED_NOT_CLOSED)


@dataclass(frozen=True, kw_only=True)
class StuckThresholds:
    """How long a task may be scheduled (`pickup`), and busy without a sign of life (`stuck`)."""

    pickup: timedelta = timedelta(minutes=30)
    stuck: timedelta = timedelta(minutes=1440)


@dataclass(frozen=True, kw_only=True)
class StuckJob:
    """An active job that does not end.

    `since` is when it became stuck, by the dates in the store; it is not `dated` if there are none.
    `problem` describes what is wrong with this job, `remedy` what an operator can do.
    """

    stream: Stream
    job: Job
    cause: Cause
    since: datetime
    problem: str
    remedy: str
    dated: bool = True

    def __str__(self) -> str:
        """Return all of it as one message."""
        return f"job {self.job}: {self.cause.value}: {self.problem}; {self.remedy}"


def diagnose(
    job: Job,
    stream: Stream,
    thresholds: StuckThresholds,
    now: datetime,
    seen: datetime = EARLIEST,
) -> StuckJob | None:
    """Return what is wrong with an active job of a stream, or None.

    Time counts from `seen` at the earliest, when this process first saw the job. A tick's job has
    its fire time as its date, however late it is created, and must still get its full time.
    """
    cause, task = _cause(job)
    last = _last_change(job, cause, task, now)
    limit = timedelta(0)
    if not (cause.finished or cause is Cause.NOT_NAMEABLE):
        limit = thresholds.stuck if cause is Cause.RUNNING_LONG else thresholds.pickup
    if now < max(last, seen) + limit:
        return None
    return StuckJob(
        stream=stream,
        job=job,
        cause=cause,
        since=last + limit,
        problem=_problem(job, cause, task, last),
        remedy=_remedy(job, cause, task, stream),
        dated=last > EARLIEST,
    )


def is_nameable(job: Job) -> bool:
    """Return whether an update can name a job: a blank node or a relative IRI it cannot."""
    return iri_problem(job.uri) is None


def timed_out(job: Job, timeout: timedelta, now: datetime, seen: datetime) -> bool:
    """Return whether an active job showed no sign of life for longer than `timeout`.

    Time counts from `seen`, when this process first saw the job: a job with a date in the past
    must get its full time too.
    """
    return now - max(last_sign_of_life(job, now) or seen, seen) > timeout


def last_sign_of_life(job: Job, now: datetime) -> datetime | None:
    """Return the newest plausible date of a job and its tasks.

    A date before 1970 or in the future comes from a wrong clock and is ignored.
    """
    plausible = [date for date in job.dates if EARLIEST < date <= now + CLOCK_TOLERANCE]
    return max(plausible, default=None)


def _cause(job: Job) -> tuple[Cause, Task | None]:
    """Return why a job would be stuck if it is old enough, and the task that shows it."""
    if not is_nameable(job):
        return Cause.NOT_NAMEABLE, None
    by_status = {task.status: task for task in job.tasks}
    for status, cause in (
        (Status.BUSY, Cause.RUNNING_LONG),
        (None, Cause.RUNNING_LONG),  # a status that only another service knows
        (Status.SCHEDULED, Cause.NOT_PICKED_UP),
        (Status.FAILED, Cause.FAILED_NOT_CLOSED),
        (Status.CANCELED, Cause.FAILED_NOT_CLOSED),
        (Status.SUCCESS, Cause.NOT_CLOSED),
    ):
        if status in by_status:
            return cause, by_status[status]
    return Cause.NO_TASK, None


def _last_change(job: Job, cause: Cause, task: Task | None, now: datetime) -> datetime:
    """Return the date from which the time of a cause counts."""
    dated = job
    if task and cause is Cause.NOT_PICKED_UP:  # earlier work of the job does not count
        dated = replace(job, modified=None, tasks=(replace(task, modified=None),))
    return last_sign_of_life(dated, now) or EARLIEST


def _problem(job: Job, cause: Cause, task: Task | None, last: datetime) -> str:
    if cause is Cause.NOT_NAMEABLE:
        return f"it is in graph {job.graph}, and its URI is a blank node or a relative IRI"
    date = last.isoformat() if last > EARLIEST else None
    if task is None:
        since = f", since {date}" if date else "; it has no date"
        return f"it was created without a task, or lost it{since}"
    if date is None:
        status = task.status.value if task.status else "active"
        return f"task {task.uri} is {status}, and no date shows since when"
    if cause.finished:
        status = task.status.value if task.status else "done"
        return f"task {task.uri} is {status}, the last change is {date}"
    if cause is Cause.NOT_PICKED_UP:
        return f"task {task.uri} is scheduled since {date}"
    return f"task {task.uri} is busy without a sign of life since {date}"


def _remedy(job: Job, cause: Cause, task: Task | None, stream: Stream) -> str:
    if cause is Cause.NOT_NAMEABLE:
        calls = "neither this service nor a DELETE call can change it"
        return f"it blocks its stream, and {calls}: {BY_HAND}"
    again = _start_again(stream, stream.kind_of(job))
    if task is None:
        return f"this service adds a task to its own jobs where the rules allow it; {again}"
    if cause is Cause.NOT_PICKED_UP:
        return f"{_listener(task, stream)}; {again}"
    if cause is Cause.RUNNING_LONG:
        advice = "read the log of the service that runs it, and restart that service if it hangs"
        return f"{advice}; {again}"
    closing = f"or set {stream.remedies.closed_by} to have this service close such jobs"
    missing = f"no job-controller runs, or its configuration lacks job operation {job.operation}"
    return f"{missing}: add it there, {closing}"


def _start_again(stream: Stream, kind: JobKind) -> str:
    """Return how to get rid of the job and create a new one; the way that keeps others first."""
    address = stream.address(kind)
    removed = "it removes all jobs of the kind, active ones too"
    if kind is JobKind.INITIAL_SYNC:
        removed += (
            ", and earlier successful ones: until a new one succeeds, the "
            "publication-graph-maintainer skips deltas"
        )
    return (
        f"to start again and keep the other jobs, set {stream.remedies.timed_by}, which fails such "
        f"jobs, and POST {address}; or DELETE {address} ({removed}) and POST {address}"
    )


def _listener(task: Task, stream: Stream) -> str:
    """Return which service should have picked up a task."""
    operation = task.operation or "unknown"
    text = (
        f"check that a service runs that listens for task operation {operation}: it was down when "
        "the task came, or there is none; a restart alone does not help, because no service "
        "searches for older tasks"
    )
    if operation == PLAIN_HEALING:
        text += (
            f" (the publication-graph-maintainer listens for {MAINTAINERS_HEALING}: "
            f"set {setting(stream)} to that)"
        )
    return text
