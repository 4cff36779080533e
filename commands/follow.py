"""Follow a job in the store until it is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jobs.model import Job, Status
from jobs.store import Deadline

POLL_SECONDS: Final = 1.0
_UNSUCCESSFUL: Final = frozenset({Status.FAILED, Status.CANCELED})


@dataclass(frozen=True)
class Progress:
    """The state of a job, as text and as its outcome.

    `succeeded` is None until the outcome is known. `closed` is true when the job is no longer
    active, so that it no longer blocks its stream.
    """

    text: str
    succeeded: bool | None = None
    closed: bool = False

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.closed and self.succeeded is not None


NOT_STORED: Final = Progress("not in the store yet")
REMOVED: Final = Progress(
    "removed from the store, by a DELETE call or by another program", succeeded=False, closed=True
)


def progress(job: Job) -> Progress:
    """Return the progress of a job that the store returned.

    One failed or canceled task makes it fail. It succeeds when all its tasks did.
    """
    statuses = [task.status for task in job.tasks]
    succeeded = None
    if _UNSUCCESSFUL & {job.status, *statuses}:
        succeeded = False
    elif statuses and set(statuses) == {Status.SUCCESS}:
        succeeded = True
    closed = job.status is not None and not job.active
    return Progress(f"job {_text(job.status)}, {_tasks_text(statuses)}", succeeded, closed)


def _tasks_text(statuses: list[Status | None]) -> str:
    if not statuses:
        return "no task"
    noun = "task" if len(statuses) == 1 else "tasks"
    return f"{noun} {', '.join(map(_text, statuses))}"


def _text(status: Status | None) -> str:
    return "of unknown status" if status is None else status.value


def follow(
    read_job: Callable[[], Job | None],
    show: Callable[[Progress], None],
    deadline: Deadline,
    pause: Callable[[float], None],
) -> Progress:
    """Read a job every `POLL_SECONDS` until it has ended or the deadline passes.

    Return the last progress. The end of the tasks is not the end of the job: the job blocks its
    stream until it is closed.
    """
    last = NOT_STORED
    while True:
        job = read_job()
        if job is not None:
            last = progress(job)
        elif last is not NOT_STORED:
            last = REMOVED
        show(last)
        if last.ended or not deadline.remaining:
            return last
        pause(min(POLL_SECONDS, deadline.remaining))
