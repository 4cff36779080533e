"""What is wrong with an active job, and what to do about it.

A job that stays active stops its stream: the publication-graph-maintainer skips deltas while an
initial sync or a healing is active, and ticks wait. What is said of a job derives from its dates
and the configuration alone, so that two processes say the same, word for word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from jobs.model import MAINTAINERS_HEALING, TASK_OPERATIONS, Status
from jobs.rules import CLOCK_TOLERANCE

if TYPE_CHECKING:
    from jobs.model import Job, Stream, Task

UNDATED = datetime.fromtimestamp(0, UTC)  # a job without any date has been there for ever
PLAIN_HEALING = TASK_OPERATIONS + "patchPublicationGraph"  # the default: not the maintainer's


class Cause(Enum):
    """Why an active job does not come to its end, in a few words that stay the same."""

    NO_TASK = "no task"
    NOT_PICKED_UP = "task never picked up"
    RUNNING_LONG = "task running long"
    NOT_CLOSED = "tasks all done, job still active"
    FAILED_NOT_CLOSED = "task failed, job still active"

    @property
    def finished(self) -> bool:
        """Whether the work has ended and only the job's own status is behind."""
        return self in (Cause.NOT_CLOSED, Cause.FAILED_NOT_CLOSED)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a task may be scheduled (`pickup`), and how long busy without a sign of life."""

    pickup: timedelta = timedelta(minutes=30)
    stuck: timedelta = timedelta(minutes=1440)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """An active job that does not come to its end.

    `since` is when that became so, by the dates in the store; `problem` says what is wrong with
    this very job, `remedy` what an operator can do.
    """

    stream: Stream
    job: Job
    cause: Cause
    since: datetime
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return it as one message."""
        kind = self.stream.kind_of(self.job).value
        named = f"{kind} of {self.stream}: job {self.job}"
        return f"{named}: {self.cause.value}: {self.problem}; {self.remedy}"


def diagnose(
    job: Job, stream: Stream, patience: Patience, now: datetime, seen: datetime = UNDATED
) -> Trouble | None:
    """Return what is wrong with an active job of a stream, or None.

    Time counts from `seen` at the earliest, when this process first saw a job that came up while
    it was looking: the job of a tick is dated at its fire time, however late it is created.
    """
    cause, task = _cause(job)
    last = _last_change(job, cause, task, now)
    limit = timedelta(0)
    if not cause.finished:
        limit = patience.stuck if cause is Cause.RUNNING_LONG else patience.pickup
    if now < max(last, seen) + limit:
        return None
    return Trouble(
        stream=stream,
        job=job,
        cause=cause,
        since=last + limit,
        problem=_problem(cause, task, last),
        remedy=_remedy(job, cause, task, stream),
    )


def timed_out(job: Job, timeout: timedelta, now: datetime, seen: datetime) -> bool:
    """Return whether an active job was without a sign of life for longer than `timeout`.

    Not from before `seen`, the moment this process first saw it: a job that is dated into the past
    must get its time too.
    """
    return now - max(last_sign_of_life(job, now) or seen, seen) > timeout


def last_sign_of_life(job: Job, now: datetime) -> datetime | None:
    """Return the newest date of a job and its tasks that can be believed.

    One from before computers or from the future is another machine's wrong clock.
    """
    believed = [date for date in job.dates if UNDATED < date <= now + CLOCK_TOLERANCE]
    return max(believed, default=None)


def _cause(job: Job) -> tuple[Cause, Task | None]:
    """Return how far a job has come, if it is not young any more, and the task that tells."""
    by_status = {task.status: task for task in job.tasks}
    for status, cause in (
        (Status.BUSY, Cause.RUNNING_LONG),
        (None, Cause.RUNNING_LONG),  # a status of another service's own
        (Status.SCHEDULED, Cause.NOT_PICKED_UP),
        (Status.FAILED, Cause.FAILED_NOT_CLOSED),
        (Status.CANCELED, Cause.FAILED_NOT_CLOSED),
        (Status.SUCCESS, Cause.NOT_CLOSED),
    ):
        if status in by_status:
            return cause, by_status[status]
    return Cause.NO_TASK, None


def _last_change(job: Job, cause: Cause, task: Task | None, now: datetime) -> datetime:
    """Return the date that the cause counts from."""
    told = job
    if task and cause is Cause.NOT_PICKED_UP:  # what else the job did before does not count
        told = replace(job, modified=None, tasks=(replace(task, modified=None),))
    return last_sign_of_life(told, now) or UNDATED


def _problem(cause: Cause, task: Task | None, last: datetime) -> str:
    since = f"since {last.isoformat()}" if last > UNDATED else "without a date"
    if task is None:
        return f"it was created without one, or lost it, {since}"
    if cause.finished:
        status = task.status.value if task.status else "done"
        return f"task {task.uri} is {status}, the last change is {last.isoformat()}"
    if cause is Cause.NOT_PICKED_UP:
        return f"task {task.uri} is scheduled {since}"
    return f"task {task.uri} is busy without a sign of life {since}"


def _remedy(job: Job, cause: Cause, task: Task | None, stream: Stream) -> str:
    address = stream.address(stream.kind_of(job))
    again = f"to begin anew, DELETE {address} (it removes running jobs, too) and POST {address}"
    if task is None:
        return f"this service adds one where it made the job and the rules allow it; {again}"
    if cause is Cause.NOT_PICKED_UP:
        return f"{_listener(task, stream)}; {again}"
    if cause is Cause.RUNNING_LONG:
        timed = f"{stream.remedies.timed_by} fails such jobs"
        return (
            f"see the log of the service that runs it, and restart it if it hangs; {again}; {timed}"
        )
    closing = f"or set {stream.remedies.closed_by} to have this service close such jobs"
    missing = f"no job-controller runs, or its configuration lacks job operation {job.operation}"
    return f"{missing}: add it there, {closing}"


def _listener(task: Task, stream: Stream) -> str:
    """Tell who should have taken a task up."""
    operation = task.operation or "unknown"
    text = (
        f"start the service that listens for task operation {operation}: "
        "it was down when the task came, or there is none"
    )
    if operation == PLAIN_HEALING:
        setting = "HEALING_TASK_OPERATION" if stream.name is None else "healingTaskOperation"
        text += (
            f" (the publication-graph-maintainer listens for {MAINTAINERS_HEALING}: "
            f"set {setting} to that)"
        )
    return text
