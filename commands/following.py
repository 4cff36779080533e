"""Following a job in the store until it and its tasks have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jobs.model import Status
from jobs.store import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.model import Job

SECONDS_BETWEEN_LOOKS: Final = 1.0
_BAD: Final = frozenset({Status.FAILED, Status.CANCELED})


@dataclass(frozen=True)
class Progress:
    """How far a job is; `succeeded` is None until its tasks have ended."""

    words: str
    succeeded: bool | None = None
    closed: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be expected."""
        return self.closed and self.succeeded is not None


NOT_THERE: Final = Progress("not in the store yet")
GONE: Final = Progress("gone from the store: somebody cleaned it up", succeeded=False, closed=True)


def progress(job: Job) -> Progress:
    """Say how far a job is."""
    statuses = [task.status for task in job.tasks]
    tasks = ", ".join(map(_word, statuses)) or "not there"
    words = f"job {_word(job.status)}, {'tasks' if len(statuses) > 1 else 'task'} {tasks}"
    succeeded = None
    if _BAD & {job.status, *statuses}:
        succeeded = False
    elif statuses and set(statuses) == {Status.SUCCESS}:
        succeeded = True
    return Progress(words, succeeded, closed=job.status is not None and not job.active)


def _word(status: Status | None) -> str:
    return "in an unknown state" if status is None else status.value


def follow(
    look: Callable[[], Job | None],
    tell: Callable[[Progress], None],
    until: Deadline,
    pause: Callable[[float], None],
) -> Progress:
    """Look at a job again and again until it has ended or time is up; return the last of it.

    A task that has ended is not the end: the job still blocks its stream until it is closed.
    """
    last = NOT_THERE
    while True:
        job = look()
        if job is not None:
            last = progress(job)
        elif last is not NOT_THERE:
            last = GONE
        tell(last)
        if last.ended or not until.remaining:
            return last
        pause(min(SECONDS_BETWEEN_LOOKS, until.remaining))
