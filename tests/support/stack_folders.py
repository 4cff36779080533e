"""Folders with the files of a stack, and what `flask check --stack` finds in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commands.stack.report import StackReport, check_folder, lines
from tests.support.builders import at
from tests.support.configuring import JOB, MAINTAINERS_HEALING, TASK, stream

INITIATOR = "config/delta-producer/background-jobs-initiator/config.json"
CONTROLLER = "config/job-controller/config.json"
MAINTAINER = "config/delta-producer/publication-graph-maintainer/config.json"
PUBLISHER = "config/delta-producer/dump-file-publisher/config.json"
ALERTING = "config/error-alert/config.json"
RULES = "config/delta/rules.js"
DISPATCHER = "config/dispatcher/dispatcher.ex"
COMPOSE = "docker-compose.yml"

SYNC_OPERATION = JOB + "initialPublicationGraphSyncing/public"
HEALING_OPERATION = JOB + "healingOperation/public"
DUMP_OPERATION = JOB + "deltaDumpFileCreation/public"
SYNC_TASK = TASK + "initialPublicationGraphSyncing"
HEALING_TASK = MAINTAINERS_HEALING
DUMP_TASK = TASK + "deltaDumpFileCreation"

STATUS = "http://www.w3.org/ns/adms#status"
ENVIRONMENT = f"""\
services:
  delta-producer-background-jobs-initiator:
    image: lblod/delta-producer-background-jobs-initiator:2.0.0
    environment:
      INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION: "{SYNC_OPERATION}"
      DUMP_FILE_CREATION_JOB_OPERATION: "{DUMP_OPERATION}"
      HEALING_JOB_OPERATION: "{HEALING_OPERATION}"
      CRON_PATTERN_HEALING_JOB: "0 0 4 * * *"
      START_INITIAL_SYNC: "true"
"""

OPTIONS = {"resourceFormat": "v0.0.1", "gracePeriod": 1000, "ignoreFromSelf": True}


def named(name: str = "public", /, **keys: Any) -> dict[str, Any]:
    """Return a stream of which no two kinds are due together."""
    return stream(name, **({"cronPatternHealingJob": "0 0 4 * * *"} | keys))


OURS = {INITIATOR: [named()]}


def steps(*tasks: str) -> dict[str, Any]:
    """Return an entry of job-controller with these tasks, one after the other."""
    pairs = zip([None, *tasks], tasks, strict=False)
    configuration = [
        {"currentOperation": current, "nextOperation": following, "nextIndex": str(index)}
        for index, (current, following) in enumerate(pairs)
    ]
    return {"tasksConfiguration": configuration}


def controlled(**changed: Any) -> dict[str, Any]:
    """Return the entries of job-controller for the stream; `...` leaves one out."""
    entries = {
        "sync": (SYNC_OPERATION, steps(SYNC_TASK, DUMP_TASK)),
        "healing": (HEALING_OPERATION, steps(HEALING_TASK)),
        "dump": (DUMP_OPERATION, steps(DUMP_TASK)),
    }
    chosen = ((changed.get(kind, entry)) for kind, entry in entries.items())
    return dict(entry for entry in chosen if entry is not ...)


def maintained(
    sync: str = SYNC_OPERATION, healing: str = HEALING_OPERATION, /
) -> dict[str, dict[str, str]]:
    """Return the configuration of a publication-graph-maintainer with one stream."""
    operations = {
        "initialPublicationGraphSyncJobOperation": sync,
        "healingJobOperation": healing,
    }
    return {"public": operations}


def published(*operations: str) -> dict[str, Any]:
    """Return the configuration of a dump-file-publisher for these job operations."""
    return {operation: {"fileBaseName": "dump"} for operation in operations}


def rule(receiver: str, /, match: Mapping[str, str] | None = None, **options: Any) -> str:
    """Return a rule of delta-notifier; it matches every status unless `match` says otherwise."""
    terms = {"predicate": STATUS} if match is None else match
    parts = {
        "match": {name: {"type": "uri", "value": value} for name, value in terms.items()},
        "callback": {"url": f"http://{receiver}/delta", "method": "POST"},
        "options": {name: value for name, value in (OPTIONS | options).items() if value is not ...},
    }
    return json.dumps(parts)


def exported(*rules: str) -> str:
    """Return a file with rules of delta-notifier."""
    return "export default [\n" + ",\n".join(rules) + "\n];\n"


def route(url: str, path: str = "/jobs/*path") -> str:
    """Return a file with one route of the dispatcher."""
    forward = f'Proxy.forward conn, path, "{url}"'
    return f'defmodule Dispatcher do\n  match "{path}" do\n    {forward}\n  end\nend\n'


def written(directory: Path, files: Mapping[str, Any]) -> Path:
    """Write files by their paths; what is not text becomes JSON."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return directory


def checked(directory: Path, files: Mapping[str, Any]) -> StackReport:
    """Check a folder with these files, on a Saturday."""
    return check_folder(written(directory, files), at("2024-01-06T06:00:00"))


def findings(directory: Path, files: Mapping[str, Any]) -> list[str]:
    """Return the lines of the findings in a folder with these files, all of which are read."""
    report = checked(directory, files)
    assert report.unread == ()
    output = [line.strip() for line in lines(report)]
    end = output.index("right") - 1
    return output[end - len(report.findings) : end]


def only_finding(directory: Path, files: Mapping[str, Any]) -> str:
    """Return the line of the one finding in a folder with these files, all of which are read."""
    [finding] = findings(directory, files)
    return finding


def right(directory: Path, files: Mapping[str, Any]) -> str:
    """Return what is right in a folder with these files, in which nothing is wrong."""
    report = checked(directory, files)
    assert (report.findings, report.unread) == ([], ())
    output = [line.strip() for line in lines(report)]
    return " ".join(output[output.index("right") + 1 :])
