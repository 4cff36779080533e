"""The values that everything else works with: streams, job kinds, jobs, tasks, ticks.

All of them are immutable and know neither store nor clock. Every instant is an aware datetime.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from jobs.cron import Schedule

SERVICE = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
JOB_BASE = "http://redpencil.data.gift/id/job/"
TASK_BASE = "http://redpencil.data.gift/id/task/"
ERROR_BASE = "http://redpencil.data.gift/id/jobs/error/"
TASK_OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
MAINTAINERS_HEALING = TASK_OPERATIONS + "healing/patchPublicationGraph"  # it listens for that


class NoOperationError(Exception):
    """The stream has no job operation for this job kind."""


class JobKind(Enum):
    """The three kinds of job, in the order in which ticks of one instant are handled.

    Healing goes before the dump, so that the dump publishes what the healing repaired.
    """

    INITIAL_SYNC = "initial sync"
    HEALING = "healing"
    DUMP = "dump"

    @property
    def slug(self) -> str:
        """The kind as one word, for commands, metrics and the status."""
        return self.value.replace(" ", "-")

    @property
    def path(self) -> str:
        """The last path segment of the kind's calls."""
        return "dump-publication-graph-jobs" if self is JobKind.DUMP else f"{self.slug}-jobs"

    def address(self, stream: str | None) -> str:
        """Return the path of the kind's calls for the stream of a name."""
        return f"/{self.path}" if stream is None else f"/{stream}/{self.path}"


class Trigger(Enum):
    """Why a job is considered."""

    TICK = "tick"
    STARTUP = "startup"
    REQUEST = "request"


class Status(Enum):
    """The state of a job or task; the value is the last segment of its IRI in the store."""

    BUSY = "busy"
    SCHEDULED = "scheduled"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"


ACTIVE = (Status.BUSY, Status.SCHEDULED)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one stream does for one job kind; `enabled_by` is the setting that enables the kind."""

    kind: JobKind
    enabled: bool
    enabled_by: str
    job_operation: str | None
    task_operation: str
    task_operation_set: bool = True  # otherwise it is the default
    schedule: Schedule | None = None


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """What the service may do to a stream's stuck jobs by itself; by default nothing.

    `job_timeout` is how long an active job may show no sign of life before it is failed; None
    means for ever. `close_finished` closes a job whose tasks ended, for a stack without a
    job-controller. `timed_by` and `closed_by` name the settings of these two.
    """

    job_timeout: timedelta | None = None
    close_finished: bool = False
    timed_by: str = ""
    closed_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One set of initial sync, healing and dump; only the environment's stream has no name.

    `freed_by` names the setting that lets a healing run without an initial sync. `origin` is what
    an operator should know about where the settings come from.
    """

    name: str | None
    jobs_graph: str
    error_creator: str
    plans: tuple[Plan, ...]
    healing_waits: bool = True
    freed_by: str = ""
    remedies: Remedies = Remedies()
    origin: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Return the stream's name as logs and messages write it."""
        return "the environment's stream" if self.name is None else f"stream {self.name}"

    def plan(self, kind: JobKind) -> Plan:
        """Return the plan for a kind; every stream has one for each."""
        return next(plan for plan in self.plans if plan.kind is kind)

    def operation(self, kind: JobKind) -> str:
        """Return the job operation of a kind; raise `NoOperationError` if none is configured."""
        operation = self.plan(kind).job_operation
        if operation is None:
            raise NoOperationError(f"{self} has no {kind.value} job operation, so no such jobs")
        return operation

    def address(self, kind: JobKind) -> str:
        """Return the path of a kind's calls."""
        return kind.address(self.name)

    def kind_of(self, job: Job) -> JobKind:
        """Return the kind of one of the stream's jobs."""
        return next(plan.kind for plan in self.plans if plan.job_operation == job.operation)

    @property
    def operations(self) -> tuple[str, ...]:
        """All job operations of the stream, of disabled kinds too: any such job can block it."""
        return tuple(plan.job_operation for plan in self.plans if plan.job_operation is not None)


@dataclass(frozen=True)
class Tick:
    """One run that a schedule asks for; `fire_time` is when it was due, not when it is handled."""

    stream: Stream
    kind: JobKind
    fire_time: datetime

    def __str__(self) -> str:
        """Return the fire time in UTC, which is also the date of the tick's job."""
        return self.fire_time.isoformat()


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as the store has it; `status` is None if this service does not know its IRI."""

    uri: str
    status: Status | None
    operation: str | None = None
    index: str | None = None
    created: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the store has it; `status` is None if this service does not know its IRI.

    `graph` is where it was found; None if the query did not ask for it.
    """

    uri: str
    operation: str
    status: Status | None
    created: datetime | None = None
    modified: datetime | None = None
    tasks: tuple[Task, ...] = ()
    graph: str | None = None

    def __str__(self) -> str:
        """Return the URI, which is how messages name a job."""
        return self.uri

    @property
    def active(self) -> bool:
        """Whether the job is busy or scheduled."""
        return self.status in ACTIVE

    @property
    def unfinished(self) -> tuple[Task, ...]:
        """The tasks that are busy or scheduled."""
        return tuple(task for task in self.tasks if task.status in ACTIVE)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The URIs of the job and its tasks."""
        return (self.uri, *(task.uri for task in self.tasks))

    @property
    def dates(self) -> tuple[datetime, ...]:
        """All dates of the job and its tasks: each is a sign of life.

        The dates of the tasks count because not every service updates `dct:modified` of the job.
        The dump publisher never does.
        """
        of_tasks = [date for task in self.tasks for date in (task.created, task.modified)]
        return tuple(filter(None, [self.created, self.modified, *of_tasks]))


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job with its one task, to be written; both get the date `created`."""

    job_id: str
    task_id: str
    graph: str
    job_operation: str
    task_operation: str
    created: datetime

    @property
    def uri(self) -> str:
        """The job's URI."""
        return JOB_BASE + self.job_id

    @property
    def task_uri(self) -> str:
        """The task's URI."""
        return TASK_BASE + self.task_id


@dataclass(frozen=True)
class StreamState:
    """What the store knows of a stream when a decision is made.

    `active` are its active jobs, `synced` its successful initial syncs. `healed` holds one
    successful healing if one was looked for. `recent` are jobs of any status that may have been
    created since an instant.
    """

    active: tuple[Job, ...] = ()
    synced: tuple[Job, ...] = ()
    healed: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()
