"""Values that tests are about, made with few words: instants, streams, jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from dateutil.parser import isoparse

from jobs import cron, ids
from jobs.clock import Clock
from jobs.model import JOB_BASE, Job, JobKind, NewJob, Plan, Status, Stream, Task

INITIAL_SYNC, HEALING, DUMP = JobKind
OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
TASK_OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
NAMES = {INITIAL_SYNC: "initialPublicationGraphSyncing", HEALING: "healing", DUMP: "dump"}
NOW = datetime(2024, 1, 6, 6, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    """Return an instant; without a zone the text is in UTC."""
    instant = isoparse(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def operation(kind: JobKind, stream: str | None = "public") -> str:
    """Return the job operation of a kind of a stream."""
    return f"{OPERATIONS}{NAMES[kind]}/{stream or 'sample'}"


def stream_of(
    name: str | None = "public",
    *,
    disabled: Collection[JobKind] = (),
    unconfigured: Collection[JobKind] = (),
    patterns: Mapping[JobKind, str] | None = None,
    **more: Any,
) -> Stream:
    """Return a stream in which every kind is enabled, but for those named otherwise."""
    patterns = {HEALING: "0 0 4 * * *", DUMP: "0 0 6 * * 6"} if patterns is None else patterns
    plans = tuple(
        Plan(
            kind=kind,
            enabled=kind not in {*disabled, *unconfigured},
            enabled_by=f"ENABLE_{kind.name}=true",
            job_operation=None if kind in unconfigured else operation(kind, name),
            task_operation=TASK_OPERATIONS + NAMES[kind],
            schedule=cron.parse(patterns[kind], UTC)
            if kind in patterns and kind not in disabled
            else None,
        )
        for kind in JobKind
    )
    fixed = {
        "jobs_graph": "http://mu.semte.ch/graphs/system/jobs",
        "error_creator": f"http://lblod.data.gift/services/initiator/{name}",
        "freed_by": "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false",
    }
    return Stream(name=name, plans=plans, **(fixed | more))


def job_of(
    kind: JobKind, status: Status = Status.BUSY, stream: str | None = "public", **more: Any
) -> Job:
    """Return a job as the store would give it back."""
    fixed = {"uri": f"http://redpencil.data.gift/id/job/{kind.name}-{status.value}"}
    return Job(operation=operation(kind, stream), status=status, **(fixed | more))


def tick_job_of(
    kind: JobKind,
    fire_time: datetime,
    status: Status = Status.SUCCESS,
    stream: str | None = "public",
) -> Job:
    """Return the job of a tick as the store would give it back."""
    uri = JOB_BASE + ids.tick_job(operation(kind, stream), fire_time)
    return job_of(kind, status, stream, uri=uri, created=fire_time)


def task_of(name: str, status: Status | None = Status.SCHEDULED, **more: Any) -> Task:
    """Return a task as the store would give it back."""
    return Task(uri=f"http://redpencil.data.gift/id/task/{name}", status=status, **more)


def new_job(
    name: str, kind: JobKind = DUMP, stream: Stream | None = None, created: datetime = NOW
) -> NewJob:
    """Return a job to be written."""
    stream = stream or stream_of()
    return NewJob(
        job_id=name,
        task_id=ids.first_task(name),
        graph=stream.jobs_graph,
        job_operation=operation(kind, stream.name),
        task_operation=stream.plan(kind).task_operation,
        created=created,
    )


@dataclass
class TestClock:
    """A clock that the test moves: `now` is the wall clock, `elapsed` the monotonic one."""

    __test__ = False

    now: datetime = NOW
    elapsed: float = 0
    timeout: float = 60
    ids: count[int] = field(default_factory=lambda: count(1))

    def move_to(self, instant: datetime) -> None:
        """Let time pass until an instant; set `now` alone for a clock that is set."""
        self.elapsed += (instant - self.now).total_seconds()
        self.now = instant

    def clock(self) -> Clock:
        """Return the clock as the service gets it."""
        return Clock(
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
            new_id=lambda: f"id-{next(self.ids)}",
            random=lambda: 1,
            timeout=self.timeout,
        )
