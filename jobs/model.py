"""The values everything else talks about: streams, jobs, tasks, decisions.

All of them are frozen and know neither store nor clock. An instant is always an aware datetime.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.cron import Schedule

JOB_BASE = "http://redpencil.data.gift/id/job/"
TASK_BASE = "http://redpencil.data.gift/id/task/"
ERROR_BASE = "http://redpencil.data.gift/id/jobs/error/"


class JobKind(Enum):
    """The three kinds of job, in the order in which ticks due at one instant are taken up.

    Healing goes before the dump so that the dump publishes what the healing mended.
    """

    INITIAL_SYNC = "initial sync"
    HEALING = "healing"
    DUMP = "dump"

    @property
    def slug(self) -> str:
        """The kind as one word: in addresses, commands, metrics and the status."""
        return self.value.replace(" ", "-")


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

    def __str__(self) -> str:
        """Name the stream as logs and messages do."""
        return "the environment's stream" if self.name is None else f"stream {self.name}"

    def plan(self, kind: JobKind) -> Plan:
        """Return the plan for `kind`; every stream has one of each."""
        return next(plan for plan in self.plans if plan.kind is kind)

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
    def last_sign_of_life(self) -> datetime | None:
        """The newest `dct:modified` of the job and its tasks, if any carries one."""
        return max(filter(None, [self.modified, *(t.modified for t in self.tasks)]), default=None)


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

    `recent` are the jobs created since the instant that was asked for, whatever their status.
    """

    active: tuple[Job, ...] = ()
    synced: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()


@dataclass(frozen=True)
class Create:
    """The job is to be created now."""


@dataclass(frozen=True)
class AlreadyDone:
    """There is nothing left to do; `job` is the one that did it, or does."""

    reason: str
    job: Job


@dataclass(frozen=True)
class Wait:
    """The job may not be created yet, for `reason`; `blocking` are the jobs in its way."""

    reason: str
    blocking: tuple[Job, ...] = field(default=())


@dataclass(frozen=True)
class Refuse:
    """The job is not to be created; `reason` names the setting or state that would change it."""

    reason: str


Decision: TypeAlias = Create | AlreadyDone | Wait | Refuse
