"""The variables of the environment's stream where a config file has streams as well.

Versions 0.x of the Node service read the variables, 1.0.x read the file alone. Variables that
remain from 0.x must not keep the streams of the file from starting, and must not start a second
stream unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

from jobs import cron
from jobs.model import JobKind
from settings.problems import Problems, Weight
from settings.sources import ENVIRONMENT, Source, validate
from settings.stream_fields import KIND_FIELDS, OPPOSITES, EnvironmentStream, FileStream
from settings.streams import StreamSource, job_operations

# The file's streams use the task operations of the environment too.
_SHARED = tuple(kind.task_operation for kind in KIND_FIELDS)
_PATTERNS = tuple(kind.pattern for kind in KIND_FIELDS)
# They have no default, or another one in the file.
_WITHOUT_COMMON_DEFAULT = (
    *_SHARED,
    *(kind.job_operation for kind in KIND_FIELDS),
    "error_creator_uri",
)
OWN_FIELDS = tuple(
    name for name in (*EnvironmentStream.model_fields, "error_creator_uri") if name not in _SHARED
)


def adds_stream(
    env: Mapping[str, str],
    named: Sequence[Source[FileStream]],
    config_file: str,
    problems: Problems,
) -> bool:
    """Return whether the variables set up a stream beside those of the file.

    Some of its job operations are set. If they do not set up a stream, warn with what to remove.
    """
    source = validate(EnvironmentStream, env, ENVIRONMENT, Problems())
    used = {operation: other for other in named for operation in job_operations(other).values()}
    set_here = {
        kind.job_operation: env[kind.job_operation.upper()]
        for kind in KIND_FIELDS
        if kind.job_operation.upper() in env
    }
    shared = [name for name, operation in set_here.items() if operation in used]
    missing = _missing_operations(source)
    if shared:
        name = shared[0]
        other = used[set_here[name]]
        problem = f"{other.where} has the same job operation and is used instead"
        _warn(source, name, problem, problems)
        _warn_of_differences(source, other, problems)
    elif named and missing:
        problem = f"no stream without {' and '.join(missing)}; those of {config_file} start"
        _warn(source, next(iter(set_here)), problem, problems)
    return not shared and not (named and missing)


def beside(env: Mapping[str, str], config_file: str) -> str:
    """Return where the settings of a stream come from that variables set up beside the file."""
    return f"set up by variables beside {config_file}; to have none, remove {_variables(env)}"


def _variables(env: Mapping[str, str]) -> str:
    """Return the names of the set variables that only the environment's stream has."""
    return ", ".join(name.upper() for name in OWN_FIELDS if name.upper() in env)


def _missing_operations(source: Source[EnvironmentStream]) -> list[str]:
    """Return the variables without which an enabled kind has no job operation."""
    return [
        source.key(kind.job_operation)
        for kind in KIND_FIELDS
        if source.key(kind.job_operation) not in source.raw and _enabled(source, kind.kind)
    ]


def _enabled(source: StreamSource, kind: JobKind) -> bool:
    switch, allows = source.fields.ENABLED_BY[kind]
    return getattr(source.fields, switch) is allows


def _warn(source: Source[EnvironmentStream], name: str, problem: str, problems: Problems) -> None:
    value = source.raw[source.key(name)]
    fix = f"remove {_variables(source.raw)}"
    problems.warning(source.place(name), problem, fix, value, Weight.IGNORED)


def _warn_of_differences(
    source: Source[EnvironmentStream], other: Source[FileStream], problems: Problems
) -> None:
    """Warn about each set variable, and each default, whose value the file's stream changes."""
    unset: dict[str, str] = {}
    for name in _compared(other):
        key, field = name.upper(), OPPOSITES.get(name, name)
        if name in source.invalid or field in other.invalid:
            continue
        value = getattr(source.fields, name, source.raw.get(key))
        used = getattr(other.fields, field)
        kept = not value if name in OPPOSITES else value
        if kept == used or (name in _PATTERNS and _same_ticks(str(kept), str(used))):
            continue
        if key in source.raw:
            problem = f"{other.setting(field, used)} of {other.where} is used instead"
            fix = f"set {other.setting(field, kept)} there to keep it"
            fix += "" if name in _SHARED else ", or remove the variable"
            place = f"{ENVIRONMENT} {key}"
            problems.warning(place, problem, fix, source.raw[key], Weight.CHANGE)
        elif name not in _WITHOUT_COMMON_DEFAULT:
            unset[key] = other.setting(field, used)
    if unset:
        problem = f"not set, and {', '.join(unset.values())} of {other.where} is not the default"
        fix = "nothing to do if the file is right"
        problems.warning(f"{ENVIRONMENT} {', '.join(unset)}", problem, fix, weight=Weight.CHANGE)


def _same_ticks(pattern: str, other: str) -> bool:
    """Return whether two patterns are the same; an invalid one is no reason to compare them."""
    try:
        first, second = (cron.parse(text, UTC).pattern.split() for text in (pattern, other))
    except cron.CronError:
        return True
    return ["0", *first][-6:] == ["0", *second][-6:]


def _compared(other: Source[FileStream]) -> list[str]:
    """Return the variables to compare, without those of kinds that the file's stream disables."""
    disabled = [kind for kind in KIND_FIELDS if not _enabled(other, kind.kind)]
    unused = {name for kind in disabled for name in (kind.pattern, kind.task_operation)}
    return [name for name in (*OWN_FIELDS, *_SHARED) if name not in unused]
