"""Warnings: what is likely not meant as it stands, and what the Node service took otherwise.

Nothing here changes a setting. Each function looks at one thing an operator should know of.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from jobs.model import MAINTAINERS_HEALING, JobKind
from settings.fields import KIND_FIELDS, EnvironmentStream, FileStream, Service
from settings.sources import ENVIRONMENT, place, suggestion
from settings.streams import operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jobs.model import Stream
    from settings.problems import Problems
    from settings.sources import Source
    from settings.streams import StreamSource

_OPPOSITES = {  # what a variable says in the affirmative, and the file in the negative
    "heal_must_wait_for_initial_sync": "healShouldNotWaitForInitialSync",
    "enable_dump_file_creation": "disableDumpFileCreation",
    "enable_healing_job_operation": "disableHealingJobOperation",
}


def mistyped_variables(env: Mapping[str, str], problems: Problems) -> None:
    """Tell of variables that look like ours; all others belong to somebody else."""
    known = [name.upper() for name in (*EnvironmentStream.model_fields, *Service.model_fields)]
    for variable in env:
        close = get_close_matches(variable.upper(), known, n=1, cutoff=0.85)
        if close and variable not in known:
            problem = "not a variable of this service, ignored"
            problems.warning(f"{ENVIRONMENT} {variable}", problem, f"did you mean {close[0]}?")


def idle_variables(env: Mapping[str, str], config_file: str, problems: Problems) -> None:
    """Tell of variables that set up a stream that isn't there: as left from a 0.x deployment."""
    shared = {kind.task_operation for kind in KIND_FIELDS}  # count for the file's streams as well
    for name in (*EnvironmentStream.model_fields, "error_creator_uri"):
        variable, opposite = name.upper(), _OPPOSITES.get(name)
        if variable in env and name not in shared:
            key = f'"{opposite}", its opposite,' if opposite else f'"{to_camel(name)}"'
            problem = f"no effect on the streams of {config_file}"
            fix = f"set {key} in its streams, and remove the variable"
            problems.warning(f"{ENVIRONMENT} {variable}", problem, fix, env[variable])


def unknown_keys(source: Source[FileStream], problems: Problems) -> None:
    """Tell of keys of the file that mean nothing."""
    known = [str(info.alias) for info in FileStream.model_fields.values()]
    for key in source.given:
        if key not in known:
            where = place(source.where, key, source.origins)
            problems.warning(where, "unknown key, ignored", suggestion(key, known))


def quoted_false(source: Source[FileStream], problems: Problems) -> None:
    """Tell of a switch whose meaning changes: in JavaScript the text "false" is true."""
    for name in FileStream.model_fields:
        value, checked = source.given.get(source.key(name)), getattr(source.fields, name)
        known = name != "close_finished_jobs"  # to the Node service
        if known and isinstance(value, str) and checked is False and name not in source.flawed:
            problem = "false here, while the Node service took any text as true"
            problems.warning(source.at(name), problem, "write false without quotes", value)


def changed_defaults(source: Source[EnvironmentStream], problems: Problems) -> None:
    """Tell what an operator of the Node service has to add, as lines to paste."""
    if "START_INITIAL_SYNC" not in source.given:
        problem = "not set, so no initial sync is allowed; the Node service took that as true"
        fix = "add START_INITIAL_SYNC=true to keep it so, or START_INITIAL_SYNC=false"
        problems.warning(source.at("start_initial_sync"), problem, fix)
    healing = source.fields.enable_healing_job_operation
    if healing and "HEALING_TASK_OPERATION" not in source.given:
        problem = (
            f"not set, so healing tasks get {source.fields.healing_task_operation}; the "
            "publication-graph-maintainer listens for another one, which the Node service wrote"
        )
        fix = f"add HEALING_TASK_OPERATION={MAINTAINERS_HEALING}"
        problems.warning(source.at("healing_task_operation"), problem, fix)


def remedies_without_watchdog(
    service: Service, streams: Iterable[Stream], problems: Problems
) -> None:
    """Tell of remedies that nobody applies."""
    remedies = [stream.remedies for stream in streams]
    settings = {r.timed_by for r in remedies if r.job_timeout}
    settings |= {r.closed_by for r in remedies if r.close_finished}
    if settings and not service.watchdog_minutes:
        verb = "has" if len(settings) == 1 else "have"
        problem = f"0, so that {' and '.join(sorted(settings))} {verb} no effect"
        fix = "unset it, or set the minutes between two looks"
        problems.warning(f"{ENVIRONMENT} WATCHDOG_MINUTES", problem, fix)


def misplaced_operations(source: StreamSource, problems: Problems) -> None:
    """Tell of job operations in the place of a task's: no consumer listens for them there."""
    for kind in KIND_FIELDS:
        operation: str = getattr(source.fields, kind.task_operation)
        if "/JobOperation/" in operation or operation in operations(source).values():
            usual = FileStream.model_fields[kind.task_operation].default
            fix = f"check what its consumer listens for, by default {usual}"
            where = source.at(kind.task_operation)
            problems.warning(where, "a job operation, not a task's", fix, operation)


def endless_wait(source: StreamSource, stream: Stream, problems: Problems) -> None:
    """Tell of a healing that waits for an initial sync that no setting can bring about."""
    sync, healing = stream.plan(JobKind.INITIAL_SYNC), stream.plan(JobKind.HEALING)
    operation = "initial_publication_graph_sync_job_operation"
    if source.flawed & {operation, source.fields.FREED_BY.field} or sync.enabled:
        return
    if healing.enabled and stream.healing_waits and sync.job_operation is None:
        problem = "not set, so the healing waits for an initial sync that can't be found"
        problems.warning(source.at(operation), problem, f"set it, or {stream.freed_by}")
