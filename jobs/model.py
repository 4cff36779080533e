"""The values everything else talks about: streams, jobs, tasks, decisions.

All of them are frozen and know neither store nor clock. An instant is always an aware datetime.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from jobs.cron import Schedule

JOB_BASE = "http://redpencil.data.gift/id/job/"
TASK_BASE = "http://redpencil.data.gift/id/task/"
ERROR_BASE = "http://redpencil.data.gift/id/jobs/error/"
TASK_OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
MAINTAINERS_HEALING = TASK_OPERATIONS + "healing/patchPublicationGraph"  # what it listens for


class NoOperationError(Exception):
    """A kind of job that the stream has no job operation for."""


class JobKind(Enum):
    """The three kinds of job, in the order in which ticks due at one instant are taken up.

    Healing goes before the dump so that the dump publishes what the healing mended.
    """

    INITIAL_SYNC = "initial sync"
    HEALING = "healing"
    DUMP = "dump"

    @property
    def slug(self) -> str:
        """The kind as one word: in commands, metrics and the status."""
        return self.value.replace(" ", "-")

    @property
    def path(self) -> str:
        """The last segment of its calls' address."""
        return "dump-publication-graph-jobs" if self is JobKind.DUMP else f"{self.slug}-jobs"


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
    """What one stream does for one job kind.

    `enabled_by` names the setting that would enable the kind, for whoever meets a refusal.
    """

    kind: JobKind
    enabled: bool
    enabled_by: str
    job_operation: str | None
    task_operation: str
    schedule: Schedule | None = None


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """What may be done to a stream's stuck jobs without asking; by default nothing.

    `job_timeout` is how long an active job may be silent before it is failed; None: for ever.
    `close_finished`: a job whose tasks ended is closed, in a stack without a job-controller.
    `timed_by` and `closed_by` name the settings that switch these on.
    """

    job_timeout: timedelta | None = None
    close_finished: bool = False
    timed_by: str = ""
    closed_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One set of initial sync, healing and dump; only the environment's stream has no name.

    `freed_by` names the setting that lets a healing run without an initial sync.
    """

    name: str | None
    jobs_graph: str
    error_creator: str
    plans: tuple[Plan, ...]
    healing_waits: bool = True
    freed_by: str = ""
    remedies: Remedies = Remedies()

    def __str__(self) -> str:
        """Name the stream as logs and messages do."""
        return "the environment's stream" if self.name is None else f"stream {self.name}"

    def plan(self, kind: JobKind) -> Plan:
        """Return the plan for `kind`; every stream has one of each."""
        return next(plan for plan in self.plans if plan.kind is kind)

    def operation(self, kind: JobKind) -> str:
        """Return the job operation for `kind`; raise `NoOperationError` where there is none."""
        operation = self.plan(kind).job_operation
        if operation is None:
            raise NoOperationError(f"{self} has no {kind.value} job operation, so no such jobs")
        return operation

    def address(self, kind: JobKind) -> str:
        """Return the path of the calls for `kind`."""
        return f"/{kind.path}" if self.name is None else f"/{self.name}/{kind.path}"

    def kind_of(self, job: Job) -> JobKind:
        """Return the kind of one of the stream's jobs."""
        return next(plan.kind for plan in self.plans if plan.job_operation == job.operation)

    @property
    def operations(self) -> tuple[str, ...]:
        """Every job operation of the stream, enabled or not: a job of any of them can block it."""
        return tuple(plan.job_operation for plan in self.plans if plan.job_operation is not None)


@dataclass(frozen=True)
class Tick:
    """One run that a schedule asks for: `fire_time` is when it was due, not when it is handled."""

    stream: Stream
    kind: JobKind
    fire_time: datetime

    def __str__(self) -> str:
        """Name the tick by its instant, in UTC as its job's date is."""
        return self.fire_time.isoformat()


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as the store has it; `status` is None when its IRI is none that this service knows."""

    uri: str
    status: Status | None
    operation: str | None = None
    created: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the store has it; `status` is None when its IRI is none that is known here."""

    uri: str
    operation: str
    status: Status | None
    created: datetime | None = None
    modified: datetime | None = None
    tasks: tuple[Task, ...] = ()

    def __str__(self) -> str:
        """Name the job as messages do: by its URI."""
        return self.uri

    @property
    def active(self) -> bool:
        """Whether the job still runs, or waits to."""
        return self.status in ACTIVE

    @property
    def unfinished(self) -> tuple[Task, ...]:
        """The tasks that still run, or wait to."""
        return tuple(task for task in self.tasks if task.status in ACTIVE)

    @property
    def dates(self) -> tuple[datetime, ...]:
        """Every date of the job and its tasks: each was a sign of life.

        Not every service touches `dct:modified`: the dump publisher never does.
        """
        of_tasks = [date for task in self.tasks for date in (task.created, task.modified)]
        return tuple(filter(None, [self.created, self.modified, *of_tasks]))


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job and its one task, about to be written; both are dated `created`."""

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


@dataclass(frozen=True, kw_only=True)
class ErrorResource:
    """The error that operators' alerting mails; it references one job at most."""

    error_id: str
    graph: str
    creator: str
    message: str
    created: datetime
    job: str | None = None

    @property
    def uri(self) -> str:
        """The error's URI."""
        return ERROR_BASE + self.error_id


@dataclass(frozen=True)
class StreamState:
    """What the store knows of a stream: active jobs, successful initial syncs, and recent jobs.

    `healed` holds a successful healing, if there is one. `recent` are the jobs created since the
    instant that was asked for, whatever their status.
    """

    active: tuple[Job, ...] = ()
    synced: tuple[Job, ...] = ()
    healed: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()


@dataclass(frozen=True)
class Create:
    """The job is to be created now."""


@dataclass(frozen=True)
class AlreadyDone:
    """There is nothing left to do; `job` is the one that did it, or does."""

    reason: str
    job: Job


class Obstacle(Enum):
    """What kind of thing keeps a tick from becoming a job; each is reported for itself."""

    ACTIVE_JOB = "active job"
    NO_INITIAL_SYNC = "no initial sync"
    STORE = "store"
    SERVICE = "service"


@dataclass(frozen=True)
class Wait:
    """The job may not be created yet, for `reason`; `blocking` are the jobs in its way."""

    reason: str
    blocking: tuple[Job, ...] = field(default=())
    obstacle: Obstacle = Obstacle.ACTIVE_JOB


@dataclass(frozen=True)
class Refuse:
    """The job is not to be created; `reason` names the setting or state that would change it."""

    reason: str


Decision: TypeAlias = Create | AlreadyDone | Wait | Refuse
