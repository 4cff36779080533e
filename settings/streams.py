"""From checked settings to streams, and the checks across fields and streams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo
from typing import TypeAlias

from jobs import cron
from jobs.model import SERVICE, Plan, Remedies, Stream
from settings.fields import Service
from settings.problems import Problems, Weight
from settings.slips import remedy
from settings.sources import Source
from settings.stream_fields import KIND_FIELDS, EnvironmentStream, FileStream, KindFields

StreamSource: TypeAlias = Source[EnvironmentStream] | Source[FileStream]


def check_unique_names(sources: Sequence[Source[FileStream]], problems: Problems) -> None:
    """Report streams that share a name, because their calls would have the same URLs."""
    owners: dict[str, str] = {}
    for source in sources:
        name, where = source.fields.name, source.where
        if "name" not in source.invalid and owners.setdefault(name.casefold(), where) != where:
            problem = f"{owners[name.casefold()]} has the same name, ignoring case"
            problems.error(source.place("name"), problem, "rename one of them", name)


def check_unique_operations(sources: Sequence[StreamSource], problems: Problems) -> None:
    """Report kinds that share a job operation, within one stream or across streams."""
    owners: dict[str, str] = {}
    for source in sources:
        for field, operation in job_operations(source).items():
            place = source.place(field)
            if owners.setdefault(operation, place) != place:
                problem = f"{owners[operation]} has the same job operation"
                fix = "use different ones, because the job operation identifies the jobs of a kind"
                problems.error(place, problem, fix, operation)


def job_operations(source: StreamSource) -> dict[str, str]:
    """Return the job operations that the source sets, by field name."""
    values = {
        kind.job_operation: getattr(source.fields, kind.job_operation) for kind in KIND_FIELDS
    }
    return {field: value for field, value in values.items() if value is not None}


def build_stream(
    source: StreamSource, service: Service, zone: tzinfo, problems: Problems
) -> Stream:
    """Return the stream of a source, with substitutes for invalid values."""
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
        origin=source.origin,
    )


def _remedies(source: StreamSource, service: Service) -> Remedies:
    """Return the remedies for stuck jobs; a setting of the stream overrides the service's."""
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
    if enabled and operation is None and not source.invalid & {switch, names.job_operation}:
        problem = f"not set, but {names.kind.value} is enabled"
        fix = f"set it, or set {source.setting(switch, not allows)}"
        problems.error(source.place(names.job_operation), problem, fix)
    return Plan(
        kind=names.kind,
        enabled=enabled,
        enabled_by=source.setting(switch, allows),
        job_operation=operation,
        task_operation=getattr(fields, names.task_operation),
        task_operation_set=source.key(names.task_operation) in source.raw,
        schedule=_schedule(source, names.pattern, zone, problems, enabled=enabled),
    )


def _schedule(
    source: StreamSource,
    field: str | None,
    zone: tzinfo,
    problems: Problems,
    *,
    enabled: bool,
) -> cron.Schedule | None:
    """Return the schedule of an enabled kind; a disabled kind is only checked, with a warning."""
    if field is None:
        return None
    pattern: str = getattr(source.fields, field)
    try:
        schedule = cron.parse(pattern, zone)
    except cron.CronError as error:
        fix = remedy(pattern, _is_pattern) or error.fix
        if enabled:
            problems.error(source.place(field), error.problem, fix, pattern)
        else:
            place = source.place(field)
            problems.warning(place, error.problem, fix, pattern, Weight.IGNORED)
        return None
    return schedule if enabled else None


def _is_pattern(text: str) -> bool:
    try:
        cron.parse(text, UTC)
    except cron.CronError:
        return False
    return True
