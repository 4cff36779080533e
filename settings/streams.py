"""From checked fields to streams, and what streams and their kinds need of each other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from jobs import cron
from jobs.model import Plan, Remedies, Stream
from settings.fields import KIND_FIELDS, EnvironmentStream, FileStream
from settings.sources import Source
from sparql.vocabulary import SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from settings.fields import KindFields, Service
    from settings.problems import Problems

StreamSource: TypeAlias = Source[EnvironmentStream] | Source[FileStream]


def check_names(sources: Sequence[Source[FileStream]], problems: Problems) -> None:
    """No two streams may have one name: their calls would have one address."""
    places: dict[str, str] = {}
    for source in sources:
        name, where = source.fields.name, source.where
        if "name" not in source.flawed and places.setdefault(name.casefold(), where) != where:
            problem = f"{places[name.casefold()]} has this name too, without regard to case"
            problems.error(source.at("name"), problem, "rename one of them", name)


def check_operations(sources: Sequence[StreamSource], problems: Problems) -> None:
    """No two kinds may have one job operation, of one stream or of several."""
    places: dict[str, str] = {}
    for source in sources:
        for field, operation in operations(source).items():
            where = source.at(field)
            if places.setdefault(operation, where) != where:
                problem = f"{places[operation]} has this job operation too"
                fix = "give each its own: jobs are told apart by it"
                problems.error(where, problem, fix, operation)


def operations(source: StreamSource) -> dict[str, str]:
    """Return the job operations that the source sets, by field."""
    values = {
        kind.job_operation: getattr(source.fields, kind.job_operation) for kind in KIND_FIELDS
    }
    return {field: value for field, value in values.items() if value is not None}


def build(source: StreamSource, service: Service, zone: tzinfo, problems: Problems) -> Stream:
    """Return the stream that a source sets up, as far as it is sound."""
    fields = source.fields
    freed_by, frees = fields.FREED_BY
    name, creator = None, service.error_creator_uri
    if isinstance(fields, FileStream):
        name, creator = fields.name, fields.error_creator_uri or f"{SERVICE}/{fields.name}"
    return Stream(
        name=name,
        jobs_graph=fields.jobs_graph,
        error_creator=creator,
        plans=tuple(_plan(source, kind, zone, problems) for kind in KIND_FIELDS),
        healing_waits=getattr(fields, freed_by) is not frees,
        freed_by=source.setting(freed_by, frees),
        remedies=_remedies(source, service),
    )


def _remedies(source: StreamSource, service: Service) -> Remedies:
    """Return what may be done to the stream's stuck jobs: as it says itself, or the service."""
    minutes, closes = service.job_timeout_minutes, service.close_finished_jobs
    timed_by, closed_by = "JOB_TIMEOUT_MINUTES", "CLOSE_FINISHED_JOBS=true"
    fields = source.fields
    if isinstance(fields, FileStream) and fields.job_timeout_minutes is not None:
        timed_by, minutes = f'"{source.key("job_timeout_minutes")}"', fields.job_timeout_minutes
    if isinstance(fields, FileStream) and fields.close_finished_jobs is not None:
        closed_by = source.setting("close_finished_jobs", value=True)
        closes = fields.close_finished_jobs
    return Remedies(
        job_timeout=timedelta(minutes=minutes) if minutes else None,
        close_finished=closes,
        timed_by=timed_by,
        closed_by=closed_by,
    )


def _plan(source: StreamSource, names: KindFields, zone: tzinfo, problems: Problems) -> Plan:
    fields = source.fields
    switch, allows = fields.ENABLED_BY[names.kind]
    enabled = getattr(fields, switch) is allows
    operation: str | None = getattr(fields, names.job_operation)
    if enabled and operation is None and not source.flawed & {switch, names.job_operation}:
        problem = f"not set, but {names.kind.value} is enabled"
        fix = f"set it, or {source.setting(switch, not allows)}"
        problems.error(source.at(names.job_operation), problem, fix)
    return Plan(
        kind=names.kind,
        enabled=enabled,
        enabled_by=source.setting(switch, allows),
        job_operation=operation,
        task_operation=getattr(fields, names.task_operation),
        schedule=_schedule(source, names.pattern, zone, problems, enabled=enabled),
    )


def _schedule(
    source: StreamSource,
    name: str | None,
    zone: tzinfo,
    problems: Problems,
    *,
    enabled: bool,
) -> cron.Schedule | None:
    """Return the schedule of an enabled kind; a bad pattern of a disabled one is a warning."""
    if name is None:
        return None
    pattern: str = getattr(source.fields, name)
    try:
        schedule = cron.parse(pattern.strip(), zone)
    except cron.CronError as error:
        note = problems.error if enabled else problems.warning
        note(source.at(name), error.problem, error.fix, pattern)
        return None
    return schedule if enabled else None
