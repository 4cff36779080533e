"""The operation of the tasks that the service creates.

Where it is not configured, a stream's healing goes on with that of an earlier healing. So a service
that takes the place of another one writes tasks that the same consumer does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from jobs.iri import iri_problem
from jobs.model import TASK_OPERATIONS, Job, JobKind, Stream
from jobs.streams import Streams

PLAIN_HEALING = TASK_OPERATIONS + "patchPublicationGraph"  # the environment's documented default
FIRST = "0"  # the index of a job's first task


class Origin(Enum):
    """Where a task operation comes from."""

    CONFIGURATION = "configuration"
    EARLIER_JOB = "earlier job"
    DEFAULT = "default"


@dataclass
class TaskOperations:
    """Knows the task operation of each kind of each stream."""

    streams: Streams
    _earlier: dict[str, str] = field(default_factory=dict, init=False)  # by job operation

    def continue_with(self, job_operation: str, task_operation: str) -> None:
        """Use the task operation of an earlier job for the jobs of an operation."""
        self._earlier[job_operation] = task_operation

    def of(self, stream: Stream, kind: JobKind) -> str:
        """Return the operation of the tasks of a kind."""
        plan = stream.plan(kind)
        return self._earlier.get(plan.job_operation or "", plan.task_operation)

    def origin(self, stream: Stream, kind: JobKind) -> Origin:
        """Return where the task operation of a kind comes from."""
        plan = stream.plan(kind)
        if plan.job_operation in self._earlier:
            return Origin.EARLIER_JOB
        return Origin.CONFIGURATION if plan.task_operation_set else Origin.DEFAULT

    @property
    def all(self) -> tuple[str, ...]:
        """The task operations of all streams, each once; defaults that are not used, too."""
        return tuple(dict.fromkeys([*self.streams.task_operations, *self._earlier.values()]))


def takes_earlier(stream: Stream) -> bool:
    """Return whether a start reads the task operation of an earlier healing of the stream."""
    plan = stream.plan(JobKind.HEALING)
    return plan.enabled and not plan.task_operation_set


def setting(stream: Stream) -> str:
    """Return the name of the setting for the task operation of the stream's healing."""
    return "HEALING_TASK_OPERATION" if stream.name is None else "healingTaskOperation"


def first_operation(job: Job) -> str | None:
    """Return the operation of a job's first task, if an update can name it.

    A job's only task is the first one, whatever its index is. Of several, it is the one with the
    index 0.
    """
    several = len(job.tasks) > 1
    for task in job.tasks:
        first = not several or task.index == FIRST
        if first and task.operation and not iri_problem(task.operation):
            return task.operation
    return None
