"""From what is known at one instant to the status: values in, a report out."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from jobs.cron import Schedule
    from jobs.diagnosis import Trouble
    from jobs.journal import Event
    from jobs.model import Job, Plan, Stream

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the store said at one look, or the `problem` why it said nothing.

    `newest` holds the newest job of each operation and status.
    """

    active: tuple[Job, ...] = ()
    recent: tuple[Job, ...] = ()
    newest: tuple[Job, ...] = ()
    problem: str | None = None


class FireTimes:
    """The fire times of schedules around now, each found once: a look has no time for thousands."""

    def __init__(self) -> None:
        self._known: dict[Schedule, tuple[datetime, list[datetime], list[datetime]]] = {}

    def around(self, now: datetime, schedule: Schedule) -> tuple[list[datetime], list[datetime]]:
        """Return those of the last 24 hours, and the next one and all of the next 24 hours.

        Of each a hundred or so at most: those nearest to now.
        """
        since, passed, coming = self._known.get(schedule, (now, [], []))
        arrived = bisect_right(coming, now)
        if since > now or arrived == len(coming):  # the first look, or one after a jump in time
            passed, coming = _passed(schedule, now), []
        else:
            passed, coming = [*passed, *coming[:arrived]], coming[arrived:]
        passed = [tick for tick in passed if tick >= now - DAY][-MOST_LISTED:]
        while len(coming) < MOST_LISTED and (not coming or coming[-1] <= now + DAY):
            coming.append(schedule.next_after(coming[-1] if coming else now))
        self._known[schedule] = now, passed, coming
        return passed, coming


def _passed(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the fire times of the last 24 hours, the newest hundred, the oldest first."""
    found: list[datetime] = []
    instant = schedule.latest(now)
    while instant >= now - DAY and len(found) < MOST_LISTED:
        found.append(instant)
        instant = schedule.latest(instant - timedelta.resolution)
    return found[::-1]


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Everything that is known at one instant."""

    now: datetime
    reading: Reading
    last: Callable[[Stream, JobKind], Event | None]
    troubles: Mapping[str, Trouble]
    fire_times: FireTimes
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
    passed, due = sight.fire_times.around(sight.now, plan.schedule) if plan.schedule else ([], [])
    return KindReport(
        kind=cast("Literal['initial-sync', 'healing', 'dump']", plan.kind.slug),
        enabled=plan.enabled,
        job_operation=plan.job_operation,
        task_operation=plan.task_operation,
        pattern=plan.schedule.pattern if plan.schedule else None,
        pattern_in_words=plan.schedule.in_words if plan.schedule else None,
        next_fire_time=due[0] if due else None,
        coming=tuple(tick for tick in due if tick <= sight.now + DAY)[:MOST_LISTED],
        passed=tuple(passed),
        last_job=_job_report(newest[-1]) if newest else None,
        last_success=max(succeeded, default=None),
        last_outcome=_outcome_report(event) if event else None,
        active=tuple(
            _active_report(job, sight) for job in sight.jobs("active", plan.job_operation)
        ),
        recent=tuple(_job_report(job) for job in reversed(recent)),
    )


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
