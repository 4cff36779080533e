"""Warnings about settings that are probably wrong or that the Node service understood differently.

Nothing here changes a setting. Each function warns about one kind of mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic.alias_generators import to_camel

from jobs.model import JobKind, Stream
from settings.beside_file import OWN_FIELDS
from settings.fields import Service
from settings.problems import Problems, Weight
from settings.sources import ENVIRONMENT, Source, place_of, suggestion
from settings.stream_fields import KEYS, KIND_FIELDS, OPPOSITES, EnvironmentStream, FileStream
from settings.streams import StreamSource, job_operations

_FORMER_PREFIX = "INITIAL_CACHE_SYNC_"  # of versions 0.1 and 0.2
_PREFIX = "INITIAL_PUBLICATION_GRAPH_SYNC_"


def former_variables(env: Mapping[str, str], problems: Problems) -> None:
    """Warn about variables that have another name since version 0.3 of the Node service."""
    for variable in env:
        today = variable.replace(_FORMER_PREFIX, _PREFIX)
        if today != variable and today.lower() in EnvironmentStream.model_fields:
            problem, fix = "the name of versions 0.1 and 0.2, ignored", f"rename it to {today}"
            problems.warning(f"{ENVIRONMENT} {variable}", problem, fix)


def mistyped_variables(env: Mapping[str, str], problems: Problems) -> None:
    """Warn about unknown variables with a name similar to one of ours."""
    known = [name.upper() for name in (*EnvironmentStream.model_fields, *Service.model_fields)]
    for variable in env:
        close = get_close_matches(variable.upper(), known, n=1, cutoff=0.85)
        if close and variable not in known:
            problem = "not a variable of this service, ignored"
            fix = f"did you mean {close[0]}?"
            problems.warning(f"{ENVIRONMENT} {variable}", problem, fix, weight=Weight.IGNORED)


def unused_variables(env: Mapping[str, str], config_file: str, problems: Problems) -> None:
    """Warn about variables of the environment's stream if there is no such stream.

    They often remain after a migration from version 0.x of the Node service.
    """
    for name in OWN_FIELDS:
        variable, opposite = name.upper(), to_camel(OPPOSITES.get(name, ""))
        if variable in env:
            key = f'"{opposite}", its opposite,' if opposite else f'"{to_camel(name)}"'
            problem = f"no effect on the streams of {config_file}"
            fix = f"set {key} in its streams, and remove the variable"
            place = f"{ENVIRONMENT} {variable}"
            problems.warning(place, problem, fix, env[variable], Weight.IGNORED)


def unknown_keys(source: Source[FileStream], problems: Problems) -> None:
    """Warn about unknown keys in the file."""
    for key in source.raw:
        if key not in KEYS:
            where = place_of(key, source.where, source.origins)
            fix = suggestion(key, KEYS)
            problems.warning(where, "unknown key, ignored", fix, weight=Weight.IGNORED)


def quoted_false(source: Source[FileStream], problems: Problems) -> None:
    """Warn about the string "false", which the Node service read as true."""
    for name in FileStream.model_fields:
        value, checked = source.raw.get(source.key(name)), getattr(source.fields, name)
        known_to_node = name != "close_finished_jobs"
        valid = name not in source.invalid
        if known_to_node and isinstance(value, str) and checked is False and valid:
            problem = "read as false, but the Node service read any string as true"
            fix = "write false without quotes"
            problems.warning(source.place(name), problem, fix, value, Weight.CHANGE)


def changed_defaults(source: Source[EnvironmentStream], problems: Problems) -> None:
    """Warn about unset variables whose default differs from the behaviour of the Node service.

    Each warning contains the line to add.
    """
    if "START_INITIAL_SYNC" not in source.raw:
        problem = (
            "not set, so no initial sync is allowed (versions 0.x of the Node service allowed it; "
            "1.0.x did not read this variable)"
        )
        fix = "add START_INITIAL_SYNC=true to allow it, or START_INITIAL_SYNC=false"
        place = source.place("start_initial_sync")
        problems.warning(place, problem, fix, weight=Weight.CHANGE)


def remedies_without_watchdog(
    service: Service, streams: Iterable[Stream], problems: Problems
) -> None:
    """Warn about remedies that have no effect because the watchdog is off."""
    remedies = [stream.remedies for stream in streams]
    settings = {r.timed_by for r in remedies if r.job_timeout}
    settings |= {r.closed_by for r in remedies if r.close_finished}
    if settings and not service.watchdog_minutes:
        verb = "has" if len(settings) == 1 else "have"
        problem = f"0, so {' and '.join(sorted(settings))} {verb} no effect"
        fix = "unset it, or set the minutes between two scans"
        problems.warning(f"{ENVIRONMENT} WATCHDOG_MINUTES", problem, fix)


def misplaced_operations(source: StreamSource, problems: Problems) -> None:
    """Warn about a job operation in place of a task operation, because no consumer handles it."""
    for kind in KIND_FIELDS:
        operation: str = getattr(source.fields, kind.task_operation)
        if "/JobOperation/" in operation or operation in job_operations(source).values():
            usual = FileStream.model_fields[kind.task_operation].default
            problem = "a job operation, not a task operation"
            fix = f"check what its consumer listens for, by default {usual}"
            problems.warning(source.place(kind.task_operation), problem, fix, operation)


def frequent_ticks(source: StreamSource, stream: Stream, problems: Problems) -> None:
    """Warn about a pattern with several ticks in one minute.

    With `*` in the seconds beside a fixed minute or hour, second 0 was meant. Other patterns may
    be meant as they are, so they get a remark.
    """
    for kind in filter(lambda kind: kind.pattern, KIND_FIELDS):
        schedule = stream.plan(kind.kind).schedule
        if schedule is None or schedule.ticks_in_a_minute == 1:
            continue
        second, *others = schedule.pattern.split()
        problem = f"{schedule.ticks_in_a_minute} ticks in each of its minutes"
        meant, weight = ["0", *others], Weight.REMARK
        if second == "*" and others[:2] != ["*", "*"]:
            problem = "60 ticks in a row, one in every second of a minute"
            weight = Weight.JOBS
            if others[0] == "*":
                problem = "3600 ticks in a row, one in every second of an hour"
                meant = ["0", "0", *others[1:]]
        elif "/" in second and others[0] == "*":
            meant = ["0", second.replace("0/", "*/"), *others[1:]]
        fix = f'write "{" ".join(meant)}"'
        if weight is Weight.REMARK:
            fix += " if fewer are meant"
        name = str(kind.pattern)
        problems.warning(source.place(name), problem, fix, getattr(source.fields, name), weight)


def same_task(source: StreamSource, problems: Problems) -> None:
    """Warn about an initial sync and a healing with one task operation: one of them is wrong."""
    fields = source.fields
    operation = fields.healing_task_operation
    if operation == fields.initial_publication_graph_sync_task_operation:
        other = source.place("initial_publication_graph_sync_task_operation")
        problem = f"{other} has the same task operation, so a healing runs as an initial sync"
        fix = "set the one that the service for healings listens for"
        problems.warning(source.place("healing_task_operation"), problem, fix, operation)


def endless_wait(source: StreamSource, stream: Stream, problems: Problems) -> None:
    """Warn about a healing that waits for an initial sync that can never exist."""
    sync, healing = stream.plan(JobKind.INITIAL_SYNC), stream.plan(JobKind.HEALING)
    operation = "initial_publication_graph_sync_job_operation"
    if source.invalid & {operation, source.fields.FREED_BY.field} or sync.enabled:
        return
    if healing.enabled and stream.healing_waits and sync.job_operation is None:
        problem = "not set, so the healing waits forever for an initial sync"
        problems.warning(source.place(operation), problem, f"set it, or set {stream.freed_by}")
