"""The status report, built from everything that is known at one instant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

from jobs.cron import Schedule
from jobs.events import Event
from jobs.maintenance.diagnosis import StuckJob
from jobs.model import Job, JobKind, Plan, Stream
from jobs.task_operations import TaskOperations
from web.status.fire_times import DAY, FireTimes
from web.status.report import (
    MAX_LISTED,
    MAX_LISTED_SHORT,
    ActiveJobReport,
    JobReport,
    JobStatus,
    KindReport,
    OutcomeReport,
    StreamReport,
    StuckJobReport,
)

JobsByOperation: TypeAlias = Mapping[str | None, Sequence[Job]]


@dataclass(frozen=True, kw_only=True)
class StoreSnapshot:
    """What one read of the store returned, or the `problem` because of which it failed.

    `active` and `recent` jobs are grouped by job operation. `newest` and `succeeded` hold the
    newest job and the newest successful job of each operation. `complete` is false if there are
    more active jobs than these. With a `history_problem`, jobs that are not current may be missing.
    """

    active: JobsByOperation
    recent: JobsByOperation
    newest: Mapping[str | None, Job]
    succeeded: Mapping[str | None, Job]
    complete: bool
    problem: str | None
    history_problem: str | None = None

    @classmethod
    def of(
        cls,
        *,
        active: Iterable[Job] = (),
        recent: Iterable[Job] = (),
        newest: Iterable[Job] = (),
        succeeded: Iterable[Job] = (),
        complete: bool = True,
    ) -> StoreSnapshot:
        """Return the snapshot of these jobs; they are grouped once, as there may be thousands."""
        return cls(
            active=_grouped(active),
            recent=_grouped(recent),
            newest={job.operation: job for job in newest},
            succeeded={job.operation: job for job in succeeded},
            complete=complete,
            problem=None,
        )

    @classmethod
    def without(cls, problem: str) -> StoreSnapshot:
        """Return the snapshot of a store that did not answer."""
        return replace(cls.of(), problem=problem)


def _grouped(jobs: Iterable[Job]) -> JobsByOperation:
    groups: dict[str | None, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.operation].append(job)
    return MappingProxyType(groups)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything that is known at one instant; `stuck` holds stuck jobs by their URI.

    `detailed` reports list the fire times and jobs of a day, and more active jobs.
    """

    now: datetime
    store: StoreSnapshot
    last_event: Callable[[Stream, JobKind], Event | None]
    stuck: Mapping[str, StuckJob]
    fire_times: FireTimes
    detailed: bool
    task_operations: TaskOperations

    def around(self, schedule: Schedule | None) -> tuple[list[datetime], list[datetime]]:
        """Return the fire times of a schedule before and after now that are reported."""
        if schedule is None:
            return [], []
        if self.detailed:
            return self.fire_times.around(self.now, schedule)
        return [], [self.fire_times.after(self.now, schedule)]


def stream_report(stream: Stream, snapshot: Snapshot) -> StreamReport:
    """Return the report of a stream."""
    return StreamReport(
        name=stream.name,
        jobs_graph=stream.jobs_graph,
        error_creator=stream.error_creator,
        origin=stream.origin,
        synced=_synced(stream, snapshot),
        kinds=tuple(_kind_report(stream, plan, snapshot) for plan in stream.plans),
    )


def _synced(stream: Stream, snapshot: Snapshot) -> bool | None:
    operations = [stream.plan(k).job_operation for k in (JobKind.INITIAL_SYNC, JobKind.HEALING)]
    if any(operation in snapshot.store.succeeded for operation in operations):
        return True
    return None if snapshot.store.problem or snapshot.store.history_problem else False


def _kind_report(stream: Stream, plan: Plan, snapshot: Snapshot) -> KindReport:
    operation, detailed = plan.job_operation, snapshot.detailed
    active = snapshot.store.active.get(operation, ())
    recent = snapshot.store.recent.get(operation, ())[-MAX_LISTED:] if detailed else ()
    last, success = snapshot.store.newest.get(operation), snapshot.store.succeeded.get(operation)
    event = snapshot.last_event(stream, plan.kind)
    passed, coming = snapshot.around(plan.schedule)
    return KindReport(
        kind=cast("Literal['initial-sync', 'healing', 'dump']", plan.kind.slug),
        enabled=plan.enabled,
        job_operation=operation,
        task_operation=snapshot.task_operations.of(stream, plan.kind),
        task_operation_from=snapshot.task_operations.origin(stream, plan.kind).value,
        pattern=plan.schedule.pattern if plan.schedule else None,
        pattern_in_words=plan.schedule.in_words if plan.schedule else None,
        next_fire_time=coming[0] if coming else None,
        coming=tuple(tick for tick in coming if detailed and tick <= snapshot.now + DAY),
        passed=tuple(passed),
        last_job=_job_report(last) if last else None,
        last_success=success.created if success else None,
        last_outcome=_outcome_report(event) if event else None,
        active=tuple(_active_reports(active, snapshot)),
        active_count=len(active),
        stuck=Counter(
            snapshot.stuck[job.uri].cause.value for job in active if job.uri in snapshot.stuck
        ),
        recent=tuple(_job_report(job) for job in recent),
    )


def _active_reports(jobs: Sequence[Job], snapshot: Snapshot) -> Iterator[ActiveJobReport]:
    """Yield as many active jobs as are listed, stuck ones before others, in their order."""
    limit = MAX_LISTED if snapshot.detailed else MAX_LISTED_SHORT
    ranked = sorted(jobs, key=lambda job: job.uri not in snapshot.stuck)[:limit]
    listed = {job.uri for job in ranked}
    for job in jobs:
        if job.uri in listed:
            yield _active_report(job, snapshot.stuck.get(job.uri))


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
        cause=stuck.cause.value,
        since=stuck.since if stuck.dated else None,
        message=stuck.problem,
        remedy=stuck.remedy,
    )


def _outcome_report(event: Event) -> OutcomeReport:
    return OutcomeReport(
        result=event.result.value,
        at=event.at,
        tick=event.tick,
        reason=event.reason,
        job=event.job,
    )
