"""Short ways to load settings from environments and files that a test makes up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

import pytest

from config import ConfigError, Settings, load
from jobs.model import JobKind, Stream

CONFIG = "/config/config.json"
OVERRIDE = "/config/config.override.json"
PUBLIC = f'{CONFIG}, stream 1 "public"'  # the place of a stream in messages
SERVICE = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
URN = "urn:example:something"
JOB = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
TASK = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/"
MAINTAINERS_HEALING = TASK + "healing/patchPublicationGraph"
ENVIRONMENT = {  # a complete stream, without any warning
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION": JOB + "initialPublicationGraphSyncing/sample",
    "DUMP_FILE_CREATION_JOB_OPERATION": JOB + "deltaDumpFileCreation/sample",
    "HEALING_JOB_OPERATION": JOB + "healingOperation/sample",
    "HEALING_TASK_OPERATION": MAINTAINERS_HEALING,
    "START_INITIAL_SYNC": "true",
}


def stream(name: str = "public", /, **keys: Any) -> dict[str, Any]:
    """Return a complete stream of a config file with these keys; `...` removes a key."""
    complete = {
        "name": name,
        "jobsGraph": "http://mu.semte.ch/graphs/jobs",
        "initialPublicationGraphSyncJobOperation": JOB + f"initialPublicationGraphSyncing/{name}",
        "dumpFileCreationJobOperation": JOB + f"deltaDumpFileCreation/{name}",
        "healingJobOperation": JOB + f"healingOperation/{name}",
        "startInitialSync": True,
    }
    return {key: value for key, value in (complete | keys).items() if value is not ...}


def without(*names: str) -> dict[str, str]:
    """Return the complete environment without these variables."""
    return {name: value for name, value in ENVIRONMENT.items() if name not in names}


def loaded(
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, Any] | None = None,
    zone: Callable[[], tzinfo] = lambda: UTC,
) -> Settings:
    """Load settings; a file is text, an exception to raise, or any other value as JSON."""

    def read_text(path: str) -> str:
        content = (files or {}).get(path, FileNotFoundError(path))
        if isinstance(content, Exception):
            raise content
        return content if isinstance(content, str) else json.dumps(content)

    return load(environ or {}, read_text, zone)


def refused(*args: Any, **more: Any) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of an invalid configuration."""
    with pytest.raises(ConfigError) as caught:
        loaded(*args, **more)
    heading, *lines = str(caught.value).split("\n")
    errors = [line.removeprefix("  ") for line in lines if line.startswith("  ")]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    assert heading == f"configuration: {count}, nothing was started"
    return errors, _plain(lines[len(errors) :])


def errors_of(*args: Any, **more: Any) -> list[str]:
    """Return the errors of an invalid configuration, which has no warnings."""
    errors, warnings = refused(*args, **more)
    assert warnings == []
    return errors


def warnings_of(*args: Any, **more: Any) -> list[str]:
    """Return the warnings of a valid configuration."""
    return _plain(loaded(*args, **more).warnings)


def only_stream(environ: Mapping[str, str] | None = None, *given: dict[str, Any]) -> Stream:
    """Return the only stream of an environment or of a config file with the given stream."""
    [found] = loaded(environ, {CONFIG: list(given)} if given else None).streams
    return found


def job_operation(kind: JobKind) -> Callable[[Stream], object]:
    """Return a function that returns the job operation of a stream's kind."""
    return lambda stream: stream.plan(kind).job_operation


def task_operation(kind: JobKind) -> Callable[[Stream], object]:
    """Return a function that returns the task operation of a stream's kind."""
    return lambda stream: stream.plan(kind).task_operation


def enabled(kind: JobKind) -> Callable[[Stream], object]:
    """Return a function that returns whether a stream's kind is enabled."""
    return lambda stream: stream.plan(kind).enabled


def pattern(kind: JobKind) -> Callable[[Stream], object]:
    """Return a function that returns the pattern of a stream's kind; None without a schedule."""
    return lambda stream: getattr(stream.plan(kind).schedule, "pattern", None)


def _plain(warnings: Iterable[str]) -> list[str]:
    prefix = "configuration: warning: "
    lines = list(warnings)
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]
