"""From what is known at one instant to the status: values in, a report out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Literal, cast

from jobs.model import JobKind, Status
from web.report import (
    MOST_LISTED,
    ActiveJobReport,
    JobReport,
    JobStatus,
    KindReport,
    OutcomeReport,
    StreamReport,
    TroubleReport,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from jobs.cron import Schedule
    from jobs.diagnosis import Trouble
    from jobs.journal import Event
    from jobs.model import Job, Plan, Stream

DAY = timedelta(days=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the store said at one look, or the `problem` why it said nothing.

    `newest` holds the newest job of each operation and status.
    """

    active: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()
    newest: tuple[Job, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Everything that is known at one instant."""

    now: datetime
    reading: Reading
    last: Callable[[Stream, JobKind], Event | None]
    troubles: Mapping[str, Trouble]
    by_operation: Mapping[str, Mapping[str, Sequence[Job]]] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the jobs by operation once: there may be thousands."""
        groups = {name: _grouped(getattr(self.reading, name)) for name in _READ}
        object.__setattr__(self, "by_operation", groups)

    def jobs(self, name: str, operation: str | None) -> Sequence[Job]:
        """Return the jobs of an operation that are active, recent or newest."""
        return self.by_operation[name].get(operation or "", ())


_READ = ("active", "recent", "newest")


def _grouped(jobs: Iterable[Job]) -> Mapping[str, Sequence[Job]]:
    groups: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        groups[job.operation].append(job)
    return groups


def stream_report(stream: Stream, sight: Sight) -> StreamReport:
    """Return what is to be said of a stream."""
    return StreamReport(
        name=stream.name,
        jobs_graph=stream.jobs_graph,
        error_creator=stream.error_creator,
        synced=None if sight.reading.problem else _synced(stream, sight),
        kinds=tuple(_kind_report(stream, plan, sight) for plan in stream.plans),
    )


def _synced(stream: Stream, sight: Sight) -> bool:
    operations = [stream.plan(k).job_operation for k in (JobKind.INITIAL_SYNC, JobKind.HEALING)]
    newest = [job for operation in operations for job in sight.jobs("newest", operation)]
    return any(job.status is Status.SUCCESS for job in newest)


def _kind_report(stream: Stream, plan: Plan, sight: Sight) -> KindReport:
    newest = sight.jobs("newest", plan.job_operation)
    recent = sight.jobs("recent", plan.job_operation)[:MOST_LISTED]
    succeeded = [job.created for job in newest if job.status is Status.SUCCESS and job.created]
    event = sight.last(stream, plan.kind)
    coming = tuple(fire_times(plan.schedule, sight.now)) if plan.schedule else ()
    return KindReport(
        kind=cast("Literal['initial-sync', 'healing', 'dump']", plan.kind.slug),
        enabled=plan.enabled,
        job_operation=plan.job_operation,
        task_operation=plan.task_operation,
        pattern=plan.schedule.pattern if plan.schedule else None,
        pattern_in_words=plan.schedule.in_words if plan.schedule else None,
        next_fire_time=plan.schedule.next_after(sight.now) if plan.schedule else None,
        coming=coming,
        passed=tuple(passed_times(plan.schedule, sight.now)) if plan.schedule else (),
        last_job=_job_report(newest[-1]) if newest else None,
        last_success=max(succeeded, default=None),
        last_outcome=_outcome_report(event) if event else None,
        active=tuple(
            _active_report(job, sight) for job in sight.jobs("active", plan.job_operation)
        ),
        recent=tuple(_job_report(job) for job in reversed(recent)),
    )


def fire_times(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Yield the fire times of the next 24 hours, the first hundred."""

    def coming() -> Iterator[datetime]:
        instant = schedule.next_after(now)
        while instant <= now + DAY:
            yield instant
            instant = schedule.next_after(instant)

    return islice(coming(), MOST_LISTED)


def passed_times(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the fire times of the last 24 hours, the newest hundred."""

    def passed() -> Iterator[datetime]:
        instant = schedule.latest(now)
        while instant >= now - DAY:
            yield instant
            instant = schedule.latest(instant - timedelta.resolution)

    return list(islice(passed(), MOST_LISTED))[::-1]


def _status(job: Job) -> JobStatus:
    return job.status.value if job.status else "unknown"


def _job_report(job: Job) -> JobReport:
    life = max(job.dates, default=None)
    return JobReport(uri=job.uri, status=_status(job), created=job.created, modified=life)


def _active_report(job: Job, sight: Sight) -> ActiveJobReport:
    trouble = sight.troubles.get(job.uri)
    return ActiveJobReport(
        **vars(_job_report(job)),
        trouble=TroubleReport(
            cause=trouble.cause.value,
            since=trouble.since,
            message=trouble.problem,
            remedy=trouble.remedy,
        )
        if trouble
        else None,
    )


def _outcome_report(event: Event) -> OutcomeReport:
    return OutcomeReport(
        result=event.result.value,
        at=event.at,
        tick=event.tick,
        reason=event.reason,
        job=event.job,
    )
