"""The configuration: from the environment and files to immutable settings, or to all problems.

All settings come from `load`; other modules read no environment variables. The environment's
stream and the streams of the file are checked in the same way, because they have the same fields
under different names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from warnings import catch_warnings, simplefilter

from jobs.streams import Streams
from settings import warnings
from settings.beside_file import adds_stream, beside
from settings.fields import Service, Settings
from settings.files import Entry, ReadText, apply_overrides, read_streams
from settings.loaded_files import LoadedFiles, ModifiedAt
from settings.local_zone import remedy, similar, without_leap_seconds
from settings.problems import ConfigError, Problems
from settings.replicas import check_replicas
from settings.sources import ENVIRONMENT, Source, validate
from settings.stream_fields import KEYS, KIND_FIELDS, EnvironmentStream, FileStream
from settings.streams import (
    StreamSource,
    build_stream,
    check_unique_names,
    check_unique_operations,
)

__all__ = ["ConfigError", "Settings", "load", "load_service"]

_JOB_OPERATIONS = tuple(kind.job_operation.upper() for kind in KIND_FIELDS)


def load(
    environ: Mapping[str, str],
    read_text: ReadText,
    local_zone: Callable[[], tzinfo],
    modified_at: ModifiedAt = lambda _path: None,
) -> Settings:
    """Return the settings, or raise `ConfigError` with every problem found.

    `read_text` returns the text of a file, or raises OSError or UnicodeError. `local_zone` returns
    the time zone of TZ or of the machine, or raises LookupError, ValueError or OSError. A Python
    warning of it becomes a warning of the configuration. `modified_at` returns when a file was
    modified, if that is known.
    """
    env, problems = _without_empty(environ), Problems()
    warnings.former_variables(env, problems)
    warnings.mistyped_variables(env, problems)
    service, zone = _service(env, local_zone, problems)
    files = LoadedFiles(read_text, modified_at)
    sources = _sources(env, service, files.read, problems)
    streams = _streams(sources, service, zone, problems)
    if not streams and not problems.errors:
        fix = f"add one, or configure one with {', '.join(_JOB_OPERATIONS)}"
        problems.error(service.config_file, "contains no stream", fix)
    problems.raise_errors()
    return Settings(
        service=service,
        streams=streams,
        zone=zone,
        warnings=problems.warnings,
        changed_files=files.changed,
        configured=files.modified,
    )


def load_service(
    environ: Mapping[str, str], local_zone: Callable[[], tzinfo]
) -> tuple[Service, tzinfo]:
    """Return the settings of the service and the time zone, which no file has.

    Raise `ConfigError` with every problem found.
    """
    problems = Problems()
    found = _service(_without_empty(environ), local_zone, problems)
    problems.raise_errors()
    return found


def _without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if value.strip()}


def _service(
    env: Mapping[str, str], local_zone: Callable[[], tzinfo], problems: Problems
) -> tuple[Service, tzinfo]:
    service = validate(Service, env, ENVIRONMENT, problems).fields
    check_replicas(service, problems)
    return service, _zone(env, local_zone, problems)


def _zone(env: Mapping[str, str], local_zone: Callable[[], tzinfo], problems: Problems) -> tzinfo:
    if usual := without_leap_seconds(env.get("TZ", "")):
        problem = "a time zone with leap seconds, which clocks do not count"
        problems.error(f"{ENVIRONMENT} TZ", problem, f"use {usual}", env["TZ"])
        return UTC
    try:
        with catch_warnings(record=True) as doubts:
            simplefilter("always")
            zone = local_zone()
    except (LookupError, ValueError, OSError):
        name = env.get("TZ")
        unknown = "not a time zone that this machine knows"
        problem = unknown if name else "not set, and the time zone of the machine is unknown"
        problems.error(f"{ENVIRONMENT} TZ", problem, remedy(name or ""), name)
        return UTC
    for doubt in doubts[:1]:
        problem = f"not set, and {doubt.message}; schedules follow {zone}"
        problems.warning(f"{ENVIRONMENT} TZ", problem, f"set TZ, e.g. TZ={similar(str(zone))}")
    return zone


def _streams(
    sources: Sequence[StreamSource], service: Service, zone: tzinfo, problems: Problems
) -> Streams:
    streams = Streams(build_stream(source, service, zone, problems) for source in sources)
    for source, stream in zip(sources, streams, strict=True):
        warnings.misplaced_operations(source, problems)
        warnings.same_task(source, problems)
        warnings.frequent_ticks(source, stream, problems)
        warnings.endless_wait(source, stream, problems)
    warnings.remedies_without_watchdog(service, streams, problems)
    return streams


def _sources(
    env: Mapping[str, str], service: Service, read_text: ReadText, problems: Problems
) -> list[StreamSource]:
    """Return the sources of all streams: the entries of the file, then the environment."""
    entries = _entries(env, service, read_text, problems)
    override = service.config_override_file
    named = [_file_source(entry, env, override, problems) for entry in entries or []]
    sets_up = entries is None and _sets_any(env)
    if _sets_operation(env):
        sets_up = adds_stream(env, named, service.config_file, problems)
    elif entries is not None:
        warnings.unused_variables(env, service.config_file, problems)
    unnamed = [_environment_source(env, problems)] if sets_up else []
    if named and unnamed:
        unnamed[0].origin = beside(env, service.config_file)
    check_unique_names(named, problems)
    check_unique_operations([*named, *unnamed], problems)
    return [*named, *unnamed]


def _sets_operation(env: Mapping[str, str]) -> bool:
    return any(name in env for name in _JOB_OPERATIONS)


def _sets_any(env: Mapping[str, str]) -> bool:
    return any(name.upper() in env for name in EnvironmentStream.model_fields)


def _entries(
    env: Mapping[str, str], service: Service, read_text: ReadText, problems: Problems
) -> list[Entry] | None:
    """Return the streams of the files, or None if there is no config file and none is required."""
    entries = read_streams(service.config_file, read_text, problems)
    if entries is None and "CONFIG_FILE" in env:
        problems.error(service.config_file, "no such file", "mount it there, or unset CONFIG_FILE")
        entries = []
    elif entries is None and not _sets_operation(env):
        fix = f"mount it there, or configure a stream with {', '.join(_JOB_OPERATIONS)}"
        problems.error(service.config_file, "no such file", fix)
    required = "CONFIG_OVERRIDE_FILE" in env
    apply_overrides(entries, service.config_override_file, read_text, problems, required=required)
    return entries


def _file_source(
    entry: Entry, env: Mapping[str, str], override: str, problems: Problems
) -> Source[FileStream]:
    """Check one stream of the file; its missing task operations come from the environment."""
    raw = {key: value for key, value in entry.raw.items() if not _is_blank(value)}
    origins = dict(entry.origins)
    for kind in KIND_FIELDS:
        variable = kind.task_operation.upper()
        key = str(FileStream.model_fields[kind.task_operation].alias)
        if key not in raw and variable in env:
            raw[key] = env[variable]
            origins[key] = f"{ENVIRONMENT} {variable}"
    source = validate(FileStream, raw, entry.where, problems, origins)
    replaced = [key for key in entry.origins if key in KEYS]
    source.origin = f"{override} replaces {', '.join(replaced)}" if replaced else None
    warnings.unknown_keys(source, problems)
    warnings.quoted_false(source, problems)
    return source


def _is_blank(value: object) -> bool:
    """Return whether a value counts as unset, as empty variables do."""
    return value is None or (isinstance(value, str) and not value.strip())


def _environment_source(env: Mapping[str, str], problems: Problems) -> Source[EnvironmentStream]:
    source = validate(EnvironmentStream, env, ENVIRONMENT, problems)
    warnings.changed_defaults(source, problems)
    return source
