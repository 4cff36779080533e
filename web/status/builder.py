"""The status report, built from everything that is known at one instant."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

from jobs.cron import Schedule
from jobs.events import Event
from jobs.maintenance.diagnosis import StuckJob
from jobs.model import Job, JobKind, Plan, Status, Stream
from web.status.report import (
    MAX_LISTED,
    ActiveJobReport,
    JobReport,
    JobStatus,
    KindReport,
    OutcomeReport,
    StreamReport,
    StuckJobReport,
)

DAY = timedelta(days=1)
JobsByOperation: TypeAlias = Mapping[str | None, Sequence[Job]]


@dataclass(frozen=True, kw_only=True)
class StoreSnapshot:
    """What one read of the store returned, or the `problem` because of which it failed.

    Jobs are grouped by job operation. `newest` holds the newest job of each operation and status.
    """

    active: JobsByOperation
    recent: JobsByOperation
    newest: JobsByOperation
    problem: str | None

    @classmethod
    def of(
        cls,
        *,
        active: Iterable[Job] = (),
        recent: Iterable[Job] = (),
        newest: Iterable[Job] = (),
        problem: str | None = None,
    ) -> StoreSnapshot:
        """Return the snapshot of these jobs; they are grouped once, as there may be thousands."""
        return cls(
            active=_grouped(active),
            recent=_grouped(recent),
            newest=_grouped(newest),
            problem=problem,
        )


def _grouped(jobs: Iterable[Job]) -> JobsByOperation:
    groups: dict[str | None, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.operation].append(job)
    return MappingProxyType(groups)


class FireTimes:
    """The fire times of schedules around now.

    Fire times are remembered, because computing thousands of them anew for each report is too slow.
    """

    def __init__(self) -> None:
        self._known: dict[Schedule, tuple[datetime, list[datetime], list[datetime]]] = {}

    def around(self, now: datetime, schedule: Schedule) -> tuple[list[datetime], list[datetime]]:
        """Return the fire times of the last 24 hours, and those after now.

        The second list holds the next fire time, and all others of the next 24 hours. Each list
        holds at most the `MAX_LISTED` fire times that are nearest to now.
        """
        known_at, passed, coming = self._known.get(schedule, (now, [], []))
        arrived = bisect_right(coming, now)
        if known_at > now or arrived == len(coming):  # the first report, or the clock has jumped
            passed, coming = _passed(schedule, now), []
        else:
            passed, coming = [*passed, *coming[:arrived]], coming[arrived:]
        passed = [tick for tick in passed if tick >= now - DAY][-MAX_LISTED:]
        while len(coming) < MAX_LISTED and (not coming or coming[-1] <= now + DAY):
            coming.append(schedule.next_after(coming[-1] if coming else now))
        self._known[schedule] = now, passed, coming
        return passed, coming


def _passed(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the newest `MAX_LISTED` fire times of the last 24 hours, the oldest first."""
    found: list[datetime] = []
    instant = schedule.latest(now)
    while instant >= now - DAY and len(found) < MAX_LISTED:
        found.append(instant)
        instant = schedule.latest(instant - timedelta.resolution)
    return found[::-1]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that is known at one instant; `stuck` holds stuck jobs by their URI."""

    now: datetime
    store: StoreSnapshot
    last_event: Callable[[Stream, JobKind], Event | None]
    stuck: Mapping[str, StuckJob]
    fire_times: FireTimes


def stream_report(stream: Stream, snapshot: Snapshot) -> StreamReport:
    """Return the report of a stream."""
    return StreamReport(
        name=stream.name,
        jobs_graph=stream.jobs_graph,
        error_creator=stream.error_creator,
        synced=None if snapshot.store.problem else _synced(stream, snapshot),
        kinds=tuple(_kind_report(stream, plan, snapshot) for plan in stream.plans),
    )


def _synced(stream: Stream, snapshot: Snapshot) -> bool:
    operations = [stream.plan(k).job_operation for k in (JobKind.INITIAL_SYNC, JobKind.HEALING)]
    newest = [job for operation in operations for job in snapshot.store.newest.get(operation, ())]
    return any(job.status is Status.SUCCESS for job in newest)


def _kind_report(stream: Stream, plan: Plan, snapshot: Snapshot) -> KindReport:
    active = snapshot.store.active.get(plan.job_operation, ())
    recent = snapshot.store.recent.get(plan.job_operation, ())[:MAX_LISTED]
    newest = snapshot.store.newest.get(plan.job_operation, ())
    succeeded = [job.created for job in newest if job.status is Status.SUCCESS and job.created]
    event = snapshot.last_event(stream, plan.kind)
    passed, coming = (
        snapshot.fire_times.around(snapshot.now, plan.schedule) if plan.schedule else ([], [])
    )
    return KindReport(
        kind=cast("Literal['initial-sync', 'healing', 'dump']", plan.kind.slug),
        enabled=plan.enabled,
        job_operation=plan.job_operation,
        task_operation=plan.task_operation,
        pattern=plan.schedule.pattern if plan.schedule else None,
        pattern_in_words=plan.schedule.in_words if plan.schedule else None,
        next_fire_time=coming[0] if coming else None,
        coming=tuple(tick for tick in coming if tick <= snapshot.now + DAY),
        passed=tuple(passed),
        last_job=_job_report(newest[-1]) if newest else None,
        last_success=max(succeeded, default=None),
        last_outcome=_outcome_report(event) if event else None,
        active=tuple(_active_report(job, snapshot.stuck.get(job.uri)) for job in active),
        recent=tuple(_job_report(job) for job in reversed(recent)),
    )


def _status(job: Job) -> JobStatus:
    return job.status.value if job.status else "unknown"


def _job_report(job: Job) -> JobReport:
    modified = max(job.dates, default=None)
    return JobReport(uri=job.uri, status=_status(job), created=job.created, modified=modified)


def _active_report(job: Job, stuck: StuckJob | None) -> ActiveJobReport:
    trouble = None if stuck is None else _stuck_report(stuck)
    return ActiveJobReport(**vars(_job_report(job)), trouble=trouble)


def _stuck_report(stuck: StuckJob) -> StuckJobReport:
    return StuckJobReport(
        cause=stuck.cause.value, since=stuck.since, message=stuck.problem, remedy=stuck.remedy
    )


def _outcome_report(event: Event) -> OutcomeReport:
    return OutcomeReport(
        result=event.result.value,
        at=event.at,
        tick=event.tick,
        reason=event.reason,
        job=event.job,
    )
