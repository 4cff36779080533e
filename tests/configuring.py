"""Loading settings from made-up environments and files, with few words."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from config import ConfigError, Settings, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from jobs.model import JobKind, Stream

CONFIG = "/config/config.json"
OVERRIDE = "/config/config.override.json"
JOB = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
TASK = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
MAINTAINERS_HEALING = TASK + "healing/patchPublicationGraph"
ENVIRONMENT = {  # a whole stream, and nothing to warn of
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION": JOB + "initialPublicationGraphSyncing/sample",
    "DUMP_FILE_CREATION_JOB_OPERATION": JOB + "deltaDumpFileCreation/sample",
    "HEALING_JOB_OPERATION": JOB + "healingOperation/sample",
    "HEALING_TASK_OPERATION": MAINTAINERS_HEALING,
    "START_INITIAL_SYNC": "true",
}


def stream(name: str = "public", /, **keys: Any) -> dict[str, Any]:
    """Return a whole stream of a config file, with these keys; a key set to `...` is left out."""
    whole = {
        "name": name,
        "jobsGraph": "http://mu.semte.ch/graphs/jobs",
        "initialPublicationGraphSyncJobOperation": JOB + f"initialPublicationGraphSyncing/{name}",
        "dumpFileCreationJobOperation": JOB + f"deltaDumpFileCreation/{name}",
        "healingJobOperation": JOB + f"healingOperation/{name}",
        "startInitialSync": True,
    }
    return {key: value for key, value in (whole | keys).items() if value is not ...}


def loaded(
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, Any] | None = None,
    zone: Callable[[], tzinfo] = lambda: UTC,
) -> Settings:
    """Load settings; a file is text, an exception that reading it raises, or what becomes JSON."""

    def read_text(path: str) -> str:
        content = (files or {}).get(path, FileNotFoundError(path))
        if isinstance(content, Exception):
            raise content
        return content if isinstance(content, str) else json.dumps(content)

    return load(environ or {}, read_text, zone)


def refused(*args: Any, **more: Any) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of settings that `loaded` refuses."""
    with pytest.raises(ConfigError) as caught:
        loaded(*args, **more)
    heading, *lines = str(caught.value).split("\n")
    errors = [line.removeprefix("  ") for line in lines if line.startswith("  ")]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    assert heading == f"configuration: {count}, nothing was started"
    return errors, _plain(lines[len(errors) :])


def errors_of(*args: Any, **more: Any) -> list[str]:
    """Return the errors of settings that `loaded` refuses without a warning."""
    errors, warnings = refused(*args, **more)
    assert warnings == []
    return errors


def warnings_of(*args: Any, **more: Any) -> list[str]:
    """Return the warnings of settings that can be loaded."""
    return _plain(loaded(*args, **more).warnings)


def job_operation(kind: JobKind) -> Callable[[Stream], object]:
    """Read a stream's job operation of a kind."""
    return lambda stream: stream.plan(kind).job_operation


def task_operation(kind: JobKind) -> Callable[[Stream], object]:
    """Read a stream's task operation of a kind."""
    return lambda stream: stream.plan(kind).task_operation


def enabled(kind: JobKind) -> Callable[[Stream], object]:
    """Read whether a stream has a kind enabled."""
    return lambda stream: stream.plan(kind).enabled


def pattern(kind: JobKind) -> Callable[[Stream], object]:
    """Read a stream's pattern of a kind; None where nothing is scheduled."""
    return lambda stream: getattr(stream.plan(kind).schedule, "pattern", None)


def _plain(warnings: Iterable[str]) -> list[str]:
    prefix = "configuration: warning: "
    lines = list(warnings)
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]
