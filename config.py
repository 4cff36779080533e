"""The configuration: environment and files become immutable settings, or one list of problems.

`load` is the only way in, and nothing else reads environment variables. The environment's stream
and a file's streams go the same way: the fields are the same, only what they are called differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from settings import advice
from settings.fields import KIND_FIELDS, EnvironmentStream, FileStream, Service
from settings.files import override, read_streams
from settings.problems import ConfigError, Problems
from settings.sources import ENVIRONMENT, check
from settings.streams import build, check_names, check_operations, operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from jobs.model import Stream
    from settings.files import Entry
    from settings.sources import Source
    from settings.streams import StreamSource

__all__ = ["ConfigError", "Settings", "load"]

_JOB_OPERATIONS = tuple(kind.job_operation.upper() for kind in KIND_FIELDS)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The checked configuration; `warnings` are lines for the operator to read at the start."""

    service: Service
    streams: tuple[Stream, ...]
    zone: tzinfo
    warnings: tuple[str, ...]


def load(
    environ: Mapping[str, str], read_text: Callable[[str], str], local_zone: Callable[[], tzinfo]
) -> Settings:
    """Return the settings, or raise `ConfigError` with every problem there is.

    `read_text` returns a file's text or raises OSError or UnicodeError; `local_zone` returns the
    zone that TZ or the machine names, or raises where TZ names none.
    """
    env = {name: value for name, value in environ.items() if value.strip()}
    problems = Problems()
    advice.mistyped_variables(env, problems)
    service = check(Service, env, ENVIRONMENT, problems).fields
    zone = _zone(env, local_zone, problems)
    sources = _sources(env, service, read_text, problems)
    streams = tuple(build(source, service, zone, problems) for source in sources)
    for source, stream in zip(sources, streams, strict=True):
        advice.misplaced_operations(source, problems)
        advice.endless_wait(source, stream, problems)
    advice.remedies_without_watchdog(service, streams, problems)
    if not streams and not problems.errors:
        fix = f"add one, or set one up by {', '.join(_JOB_OPERATIONS)}"
        problems.error(service.config_file, "holds no stream", fix)
    problems.raise_errors()
    return Settings(service=service, streams=streams, zone=zone, warnings=tuple(problems.warnings))


def _zone(env: Mapping[str, str], local_zone: Callable[[], tzinfo], problems: Problems) -> tzinfo:
    try:
        return local_zone()
    except (LookupError, ValueError, OSError):
        name = env.get("TZ")
        unknown = "not a time zone that this machine knows"
        problem = unknown if name else "not set, and the machine's own can't be told"
        close = get_close_matches(name or "", available_timezones(), n=1)
        fix = f"use a name such as {close[0] if close else 'Europe/Brussels'}"
        problems.error(f"{ENVIRONMENT} TZ", problem, fix, name)
        return UTC


def _sources(
    env: Mapping[str, str],
    service: Service,
    read_text: Callable[[str], str],
    problems: Problems,
) -> list[StreamSource]:
    """Return what sets up a stream: the entries of the file, then the environment."""
    entries = _entries(env, service, read_text, problems)
    named = [_file_source(entry, env, problems) for entry in entries or []]
    unnamed: list[Source[EnvironmentStream]] = []
    if entries is None or _sets_operation(env):
        unnamed = _environment_source(env, named, service.config_file, problems)
    else:
        advice.idle_variables(env, service.config_file, problems)
    check_names(named, problems)
    check_operations([*named, *unnamed], problems)
    return [*named, *unnamed]


def _sets_operation(env: Mapping[str, str]) -> bool:
    return any(name in env for name in _JOB_OPERATIONS)


def _entries(
    env: Mapping[str, str],
    service: Service,
    read_text: Callable[[str], str],
    problems: Problems,
) -> list[Entry] | None:
    """Read the files; None where there is no config file and none is asked for."""
    entries = read_streams(service.config_file, read_text, problems)
    if entries is None and "CONFIG_FILE" in env:
        problems.error(service.config_file, "no such file", "mount it there, or unset CONFIG_FILE")
        entries = []
    elif entries is None and not _sets_operation(env):
        fix = f"mount it there, or set up one stream by {', '.join(_JOB_OPERATIONS)}"
        problems.error(service.config_file, "no such file", fix)
    required = "CONFIG_OVERRIDE_FILE" in env
    override(entries, service.config_override_file, read_text, problems, required=required)
    return entries


def _file_source(entry: Entry, env: Mapping[str, str], problems: Problems) -> Source[FileStream]:
    """Check one stream of the file; the environment may hold a task operation it leaves out."""
    given = {key: value for key, value in entry.given.items() if not _is_blank(value)}
    origins = dict(entry.origins)
    for kind in KIND_FIELDS:
        variable = kind.task_operation.upper()
        key = str(FileStream.model_fields[kind.task_operation].alias)
        if key not in given and variable in env:
            given[key] = env[variable]
            origins[key] = f"{ENVIRONMENT} {variable}"
    source = check(FileStream, given, entry.where, problems, origins)
    advice.unknown_keys(source, problems)
    advice.quoted_false(source, problems)
    return source


def _is_blank(value: object) -> bool:
    """Say whether a value stands for an unset one, as empty variables do."""
    return value is None or (isinstance(value, str) and not value.strip())


def _environment_source(
    env: Mapping[str, str],
    others: list[Source[FileStream]],
    config_file: str,
    problems: Problems,
) -> list[Source[EnvironmentStream]]:
    """Return the environment's stream, unless one of the file does its work already."""
    taken = {operation for source in others for operation in operations(source).values()}
    shared = [name for name in _JOB_OPERATIONS if env.get(name) in taken]
    if shared:
        problem = f"a stream of {config_file} has this job operation too: that one is used"
        fix = "remove the variables of the environment's stream"
        problems.warning(f"{ENVIRONMENT} {shared[0]}", problem, fix, env[shared[0]])
        return []
    source = check(EnvironmentStream, env, ENVIRONMENT, problems)
    advice.changed_defaults(source, problems)
    return [source]
