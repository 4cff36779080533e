"""`flask check` names exactly the differences that docs/migration.md promises.

Every line that it prints about a difference belongs to one row of the page, every row is met by a
configuration, and each real configuration meets the rows that are listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from pydantic.alias_generators import to_camel

from commands.stack.compose import read_compose
from settings.stream_fields import KEYS, KIND_FIELDS, EnvironmentStream
from tests.support.command_runner import run
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    MAINTAINERS_HEALING,
    OVERRIDE,
    TASK,
    URN,
    loaded,
    stream,
    without,
)
from tests.support.doc_tables import NOTHING, ROOT, fields
from tests.support.shared_data import shared

PAGE = (ROOT / "docs/migration.md").read_text(encoding="utf-8")
VARIABLES, KEYS_OF_FILE = "From 0.3 or 0.4: variables", "From 0.5 or 1.0: the config file"
VALUES, BESIDE = "Values in variables and files", "Variables beside a config file"
EXAMPLE = "What `flask check` shows"
VARYING = "…"
PLAN = re.compile("  (initial sync|healing|dump)  |    (job|task)  ")  # lines of every stream
CONTINUED = " " * 12  # before a line that continues a note


class Row(NamedTuple):
    """A row of the page: its first cell without marks, and the words of `flask check`."""

    name: str
    words: str

    def matches(self, line: str) -> bool:
        parts = map(re.escape, self.words.split(VARYING))
        return re.search(".+".join(parts), line) is not None


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[Row]:
    """Return the rows of the table in a section."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section(title).splitlines()
        if line.startswith("| ")
    ]
    return [Row(first.replace("`", ""), last.strip("`")) for first, *_, last in cells[1:]]


ROWS = [row for title in (VARIABLES, KEYS_OF_FILE, VALUES, BESIDE) for row in rows(title)]
PROMISES = [row for row in ROWS if row.words != NOTHING]


# the output of `flask check`


@dataclass(frozen=True)
class Given:
    """A configuration: the variables and the files."""

    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)


def differences(given: Given) -> list[str]:
    """Return each warning, problem and note that `flask check` prints about a configuration."""
    result = run(lambda: loaded(given.environ, given.files), "check")
    if result.exit_code == 78:
        assert result.stdout == ""
        heading, *lines = result.stderr.splitlines()
        assert heading.endswith("nothing was started")
        return lines
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    warnings = [*takewhile(lambda line: line.startswith("configuration: warning: "), lines)]
    assert lines[len(warnings)].startswith("configuration: no problems, ")
    return [*warnings, *notes(result.stdout)]


def notes(text: str) -> Iterator[str]:
    """Yield what the output has about streams beside their kinds and operations."""
    for block in text.split("\n\n"):
        heading, *lines = block.replace("\n" + CONTINUED, " ").split("\n")
        if ", in graph " in heading:
            yield from (line.strip() for line in lines if not PLAN.match(line))


def met(given: Given) -> list[str]:
    """Return the names of the rows that the output meets; each difference must have one row."""
    found = []
    for line in differences(given):
        matching = [row.name for row in PROMISES if row.matches(line)]
        assert len(matching) == 1, f"{line!r} is in rows {matching}"
        found += matching
    return sorted(set(found))


# real configurations

UNSET_TASK = "HEALING_TASK_OPERATION, not set"
UNSET_KEY = "healingTaskOperation, not set"
MISPLACED = "a job operation as task operation"
QUOTED = (
    "startInitialSync, disableDumpFileCreation, disableHealingJobOperation, "
    "healShouldNotWaitForInitialSync, in quotes"
)
FILES = {
    "app-contactgegevens-loket--config--2025-10-16--1b65024": [UNSET_KEY],
    "app-contactgegevens-loket--config--HEAD--617ab7d": [UNSET_KEY],
    "app-digitaal-loket--config--2022-11-28--d3e6589": [UNSET_KEY],
    "app-digitaal-loket--config--2023-07-24--396d203": [UNSET_KEY, QUOTED],
    "app-lblod-harvester--config--2023-05-17--9f6e06e": [UNSET_KEY],
    "app-lblod-harvester--config--2023-05-17--c7f6f37": [UNSET_KEY],
    "app-lblod-harvester--config--2023-05-25--a2ac6fa": [UNSET_KEY],
    "app-lblod-harvester--config--2023-07-20--a526b42": [UNSET_KEY],
    "app-lblod-harvester--config--2025-02-17--8383c20": [],  # both kinds are disabled
    "app-lblod-harvester-worship--config--HEAD--410ac43": [UNSET_KEY],
    "app-mandatees-decisions--config--2024-06-24--0a68867": [UNSET_KEY],
    "app-organization-portal--config--2024-04-23--fc4fcfd": [UNSET_KEY],
    "app-organization-portal--config--HEAD--11817ea": [UNSET_KEY],
    "delta-tutorial-producer--config--HEAD--dd3f78f": [UNSET_KEY],
}
STACKS = {
    "app-lblod-harvester-worship": [UNSET_KEY],
    "app-organization-portal": [UNSET_KEY],
    "delta-tutorial-producer": [UNSET_KEY],
}
ENVIRONMENTS = {
    "app-contactgegevens-loket--docker-compose--2024-01-02--86540e1": {
        "delta-producer-background-initiator": [UNSET_TASK, MISPLACED],
    },
    "app-digitaal-loket--docker-compose--2022-12-15--23b18db": {
        f"delta-producer-background-jobs-initiator-{name}": [UNSET_TASK]
        for name in (
            "leidinggevenden",
            "mandatarissen",
            "submissions",
            "worship-submissions",
            "persons-sensitive",
            "worship-services-sensitive",
            "subsidies",
        )
    },
    "app-lblod-harvester--docker-compose--2022-12-02--47415ea": {
        "delta-producer-background-jobs-initiator-besluiten": [UNSET_TASK],
    },
    "app-organization-portal--docker-compose--2021-11-16--c6dfc87": {
        "delta-producer-bg-jobs-initiator-administrative-units": [UNSET_TASK],
    },
    "app-organization-portal--docker-compose--2024-10-03--d3b40b8": {
        "organizations-sync-with-sharepoint-jobs-initiator": [],
        "delta-producer-background-jobs-initiator": ["no file"],  # it is in STACKS
    },
}


def configured(path: Path) -> Given:
    return Given(files={CONFIG: path.read_text(encoding="utf-8")})


def environments(path: Path, folder: Path) -> dict[str, dict[str, str]]:
    """Return the variables of each service; the anchor of the logging is in none of the files."""
    text = f"x-logging: &default-logging {{}}\n{path.read_text(encoding='utf-8')}"
    (folder / "docker-compose.yml").write_text(text, encoding="utf-8")
    return {service.name: dict(service.environment) for service in read_compose(folder).services}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_meets_its_rows(name: str) -> None:
    path = shared("real-configs") / "files" / f"{name}.json"
    assert met(configured(path)) == sorted(FILES[name])


@pytest.mark.parametrize("name", STACKS)
def test_the_file_of_a_real_stack_meets_its_rows(name: str) -> None:
    [path] = (shared("real-configs") / "stacks" / name).glob("background-jobs-initiator_*.json")
    assert met(configured(path)) == sorted(STACKS[name])


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_real_environment_meets_its_rows(name: str, tmp_path: Path) -> None:
    found = environments(shared("real-configs") / "environments" / f"{name}.yml", tmp_path)
    rows_of = {service: met(Given(environ)) for service, environ in found.items()}
    assert rows_of == {service: sorted(names) for service, names in ENVIRONMENTS[name].items()}


def test_every_real_configuration_is_listed() -> None:
    folder = shared("real-configs")
    listed = {"files": set(FILES), "environments": set(ENVIRONMENTS), "stacks": set(STACKS)}
    found = {kind: {path.stem for path in (folder / kind).iterdir()} for kind in listed}
    assert found == listed


def deployed(folder: Path) -> Iterator[Given]:
    """Yield the older deployments, which `test_deployments.py` describes."""
    yield from map(configured, sorted((shared("deployments") / "files").iterdir()))
    for path in sorted((shared("deployments") / "environments").iterdir()):
        yield from map(Given, environments(path, folder).values())


def test_older_deployments_meet_only_rows_of_the_page(tmp_path: Path) -> None:
    found = {name for given in deployed(tmp_path) for name in met(given)}
    assert found == {
        UNSET_TASK,
        UNSET_KEY,
        "START_INITIAL_SYNC, not set",
        MISPLACED,
        "an IRI with a space",
        "no file",
        "no job operation of an enabled kind",
        "one task operation for initial sync and healing",
        "seven fields, as in Quartz",
        "several ticks in one minute",
    }


# small configurations that meet the rows

SAME = dict(
    zip(
        [to_camel(kind.job_operation) for kind in KIND_FIELDS],
        [ENVIRONMENT[kind.job_operation.upper()] for kind in KIND_FIELDS],
        strict=True,
    )
)
SYNC_TASK = TASK + "initialPublicationGraphSyncing"


def variables(**changes: str) -> Given:
    """Return variables that meet no row, apart from these."""
    return Given(ENVIRONMENT | changes)


def file(*streams: dict[str, Any], **keys: Any) -> Given:
    """Return a file that meets no row, apart from these keys of its first stream."""
    return Given(files={CONFIG: [complete(**keys), *streams]})


def complete(name: str = "public", /, **keys: Any) -> dict[str, Any]:
    return stream(name, **({"healingTaskOperation": MAINTAINERS_HEALING} | keys))


def beside(environ: Mapping[str, str], **keys: Any) -> Given:
    return Given(environ, file(**keys).files)


def pattern(text: str) -> Given:
    return variables(CRON_PATTERN_DUMP_JOB=text)


TWICE = f'[{{"startInitialSync": true, {json.dumps(complete())[1:]}]'
SMALL: dict[str, Given] = {
    # variables
    UNSET_TASK: Given(without("HEALING_TASK_OPERATION")),
    "START_INITIAL_SYNC, not set": Given(without("START_INITIAL_SYNC")),
    "START_INITIAL_SYNC, HEAL_MUST_WAIT_FOR_INITIAL_SYNC, ENABLE_DUMP_FILE_CREATION, "
    "ENABLE_HEALING_JOB_OPERATION": variables(ENABLE_DUMP_FILE_CREATION="0"),
    "INITIAL_CACHE_SYNC_*": variables(INITIAL_CACHE_SYNC_JOB_OPERATION=URN),
    "a variable with a similar name": variables(CRON_PATTERN_DUMP_JOBS="@daily"),
    # the config file
    UNSET_KEY: file(healingTaskOperation=...),
    "name or jobsGraph, not set": file(jobsGraph=...),
    "name, with other characters": file(name="contact data"),
    "name, that of an address": file(name="status"),
    "name, twice": file(complete("Public")),
    QUOTED: file(startInitialSync="false"),
    "any other key": file(comment="x"),
    "a key, twice": Given(files={CONFIG: TWICE}),
    "no file": Given(),
    "config.override.json": Given(
        files={**file().files, OVERRIDE: {"public": {"startInitialSync": False}}}
    ),
    # values
    "no job operation of an enabled kind": file(dumpFileCreationJobOperation=...),
    "no job operation of the initial sync, with a healing that waits for it": file(
        initialPublicationGraphSyncJobOperation=..., startInitialSync=False
    ),
    "one job operation for two kinds": file(complete("other", **SAME), **SAME),
    MISPLACED: file(dumpFileCreationTaskOperation=SAME["dumpFileCreationJobOperation"]),
    "one task operation for initial sync and healing": file(healingTaskOperation=SYNC_TASK),
    "an IRI with a space": variables(JOBS_GRAPH="http://mu.semte.ch/graphs/ jobs"),
    "a relative IRI": file(jobsGraph="jobs"),
    "month 0 in a pattern": pattern("0 0 0 1 0 *"),
    "a date that never comes, such as 30 February": pattern("0 0 0 30 2 *"),
    "seven fields, as in Quartz": pattern("0 0 4 ? * SAT *"),
    "?, L, W, # and full names of days": pattern("0 0 4 * * sunday"),
    "@weekdays, @weekends and others that crontab does not have": pattern("@weekdays"),
    "several ticks in one minute": pattern("0/15 * * * * *"),
    "* as seconds of a fixed time": pattern("* 0 4 * * *"),
    # variables beside the file
    "no *_JOB_OPERATION": beside({"START_INITIAL_SYNC": "true"}),
    "a *_JOB_OPERATION of the file": beside(
        ENVIRONMENT | {"JOBS_GRAPH": complete()["jobsGraph"]}, **SAME
    ),
    "another value than that of this stream": beside(ENVIRONMENT | {"JOBS_GRAPH": URN}, **SAME),
    "a variable that is not set, with another default": beside(ENVIRONMENT, **SAME),
    "an incomplete set": beside(without("DUMP_FILE_CREATION_JOB_OPERATION")),
    "a complete set with other operations": beside(ENVIRONMENT),
}
ALSO = {
    "another value than that of this stream": ["a *_JOB_OPERATION of the file"],
    "a variable that is not set, with another default": ["a *_JOB_OPERATION of the file"],
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_configuration_meets_its_row(name: str) -> None:
    assert met(SMALL[name]) == sorted([name, *ALSO.get(name, [])])


def test_every_promise_is_met() -> None:
    assert sorted(SMALL) == sorted(row.name for row in PROMISES)


def test_a_configuration_without_a_difference_meets_no_row() -> None:
    assert [met(variables()), met(file())] == [[], []]


# the page


@pytest.mark.parametrize(
    ("title", "names"),
    [
        (VARIABLES, {*fields(EnvironmentStream), "ERROR_CREATOR_URI", "JOB_TIMEOUT_MINUTES"}),
        (KEYS_OF_FILE, set(KEYS)),
    ],
)
def test_the_page_has_every_variable_and_key(title: str, names: set[str]) -> None:
    listed = {word for row in rows(title) for word in re.findall(r"\w+", row.name)}
    assert names - listed == set()


def test_the_example_is_the_output() -> None:
    environ, output = re.findall(r"```\w+\n(.*?)```", section(EXAMPLE), re.DOTALL)
    given = Given(yaml.safe_load(environ))
    assert output.rstrip() == run(lambda: loaded(given.environ), "check").stdout.rstrip()
    assert met(given) == [UNSET_TASK, "START_INITIAL_SYNC, not set"]
