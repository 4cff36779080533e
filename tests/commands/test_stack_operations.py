"""flask check --stack: job operations, task operations and the keys of consumers.

Each rule has the smallest folder that breaks it, and one that is fine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configuring import TASK
from tests.support.stack_folders import (
    COMPOSE,
    CONTROLLER,
    DUMP_OPERATION,
    DUMP_TASK,
    ENVIRONMENT,
    HEALING_OPERATION,
    HEALING_TASK,
    INITIATOR,
    MAINTAINER,
    OURS,
    PUBLISHER,
    SYNC_OPERATION,
    controlled,
    findings,
    maintained,
    named,
    only_finding,
    published,
    right,
    steps,
)

# Job operations


def test_every_job_operation_has_an_entry(tmp_path: Path) -> None:
    assert (
        f"{CONTROLLER} has an entry for the job operation and its task: initial sync of stream "
        "public, healing of stream public, dump of stream public"
    ) in right(tmp_path, {**OURS, CONTROLLER: controlled()})


def test_a_job_operation_without_an_entry(tmp_path: Path) -> None:
    assert only_finding(tmp_path, {**OURS, CONTROLLER: controlled(dump=...)}) == (
        f'{CONTROLLER}: got "{DUMP_OPERATION}" — no entry for the job operation of the dump of '
        "stream public, so such jobs stay busy; "
        f'add an entry with "nextOperation": "{DUMP_TASK}"'
    )


def test_a_service_that_closes_its_jobs_needs_no_entry(tmp_path: Path) -> None:
    closing = {INITIATOR: [named(closeFinishedJobs=True)]}
    assert findings(tmp_path, {**closing, CONTROLLER: {}}) == []


def test_a_disabled_kind_needs_no_entry(tmp_path: Path) -> None:
    files = {INITIATOR: [named(disableDumpFileCreation=True)], CONTROLLER: controlled(dump=...)}
    assert findings(tmp_path, files) == []


def test_an_entry_in_another_spelling(tmp_path: Path) -> None:
    wrong = DUMP_OPERATION.replace("Creation/p", "Creation/P")
    entries = controlled(dump=(wrong, steps(DUMP_TASK)))
    assert only_finding(tmp_path, {**OURS, CONTROLLER: entries}) == (
        f'{CONTROLLER}: got "{wrong}" — differs in spelling from the job operation of the '
        f"dump of stream public; write {DUMP_OPERATION}, or change it in {INITIATOR}"
    )


def test_an_entry_of_another_stream_is_no_other_spelling(tmp_path: Path) -> None:
    patterns = {"cronPatternDumpJob": "0 5 0 * * *", "cronPatternHealingJob": "0 5 4 * * *"}
    files = {INITIATOR: [named(), named("publics", **patterns)]}
    [*_, last] = findings(tmp_path, {**files, CONTROLLER: controlled()})
    assert f'got "{DUMP_OPERATION}s" — no entry' in last


def test_an_entry_with_another_task(tmp_path: Path) -> None:
    wrong = HEALING_TASK.replace("healing/", "")
    entries = controlled(healing=(HEALING_OPERATION, steps(wrong)))
    assert only_finding(tmp_path, {**OURS, CONTROLLER: entries}) == (
        f'{CONTROLLER}: got ["{wrong}"] — the entry for the healing of stream public lacks '
        f'the operation of its task, so jobs stay busy; write "nextOperation": '
        f'"{HEALING_TASK}", or change the task operation in {INITIATOR}'
    )


# Task operations


def test_a_service_listens_for_every_task_operation(tmp_path: Path) -> None:
    neighbours = {MAINTAINER: maintained(), PUBLISHER: published(DUMP_OPERATION)}
    found = right(tmp_path, {**OURS, **neighbours})
    both = "initial sync of stream public, healing of stream public"
    assert f"{MAINTAINER} listens for the task operation: {both}" in found
    assert f"{PUBLISHER} listens for the task operation: dump of stream public" in found


def test_the_environment_without_healing_in_its_task_operation(tmp_path: Path) -> None:
    assert only_finding(tmp_path, {COMPOSE: ENVIRONMENT, MAINTAINER: maintained()}) == (
        f'{COMPOSE}: got "{TASK}patchPublicationGraph" — no service listens for this task '
        "operation of the healing of delta-producer-background-jobs-initiator, which a start "
        "replaces by that of an earlier healing, if there is one; "
        f"write {HEALING_TASK}, as the service of {MAINTAINER} expects"
    )


def test_the_environment_with_healing_in_its_task_operation(tmp_path: Path) -> None:
    compose = f"{ENVIRONMENT}      HEALING_TASK_OPERATION: {HEALING_TASK}\n"
    assert "listens for the task operation" in right(
        tmp_path, {COMPOSE: compose, MAINTAINER: maintained()}
    )


def test_a_task_of_a_service_that_is_not_known_here(tmp_path: Path) -> None:
    """A stack can use jobs for a sync of its own: job-controller names its task."""
    ours = {INITIATOR: [named(healingTaskOperation="http://e.org/sync")]}
    entries = controlled(healing=(HEALING_OPERATION, steps("http://e.org/sync")))
    other = maintained(SYNC_OPERATION, "http://e.org/other")
    assert findings(tmp_path, {**ours, CONTROLLER: entries, MAINTAINER: other}) == []
    [finding] = findings(tmp_path, {**ours, CONTROLLER: entries, MAINTAINER: maintained()})
    assert 'got "http://e.org/sync" — no service listens' in finding


def test_a_dump_file_publisher_with_another_task_operation(tmp_path: Path) -> None:
    compose = """\
services:
  dumps:
    image: lblod/delta-producer-dump-file-publisher:0.10.3
    environment: {DUMP_FILE_CREATION_TASK_OPERATION: "http://e.org/dump"}
    volumes: [./config/delta-producer/dump-file-publisher:/config]
"""
    files = {**OURS, COMPOSE: compose, PUBLISHER: published(DUMP_OPERATION)}
    [finding] = findings(tmp_path, files)
    assert f'{INITIATOR}: got "{DUMP_TASK}" — no service listens' in finding
    assert "write http://e.org/dump, as the service of" in finding


# Keys of dumps and publications


def test_consumers_list_every_job_operation(tmp_path: Path) -> None:
    neighbours = {
        CONTROLLER: controlled(),
        MAINTAINER: maintained(),
        PUBLISHER: published(DUMP_OPERATION, SYNC_OPERATION),
    }
    found = right(tmp_path, {**OURS, **neighbours})
    maintains = "initial sync of stream public, healing of stream public"
    dumps = "initial sync of stream public, dump of stream public"
    assert f"{MAINTAINER} lists the job operation: {maintains}" in found
    assert f"{PUBLISHER} lists the job operation: {dumps}" in found


@pytest.mark.parametrize(
    "wrong",
    [
        DUMP_OPERATION.replace("deltaDump", "deltadump"),
        DUMP_OPERATION.upper(),
        DUMP_OPERATION + "/",
        DUMP_OPERATION + " ",
        DUMP_OPERATION.replace("public", "publik"),
    ],
)
def test_a_dump_key_in_another_spelling(tmp_path: Path, wrong: str) -> None:
    assert only_finding(tmp_path, {**OURS, PUBLISHER: published(wrong)}) == (
        f'{PUBLISHER}: got "{wrong}" — differs in spelling from the job operation of the '
        f"dump of stream public; write {DUMP_OPERATION}, or change it in {INITIATOR}"
    )


def test_a_dump_key_that_is_missing(tmp_path: Path) -> None:
    assert only_finding(tmp_path, {**OURS, PUBLISHER: published("http://e.org/other")}) == (
        f'{PUBLISHER}: got "{DUMP_OPERATION}" — the job operation of the dump of stream '
        "public is not listed, so its dump task is not done; add it with its settings"
    )


def test_the_dump_that_job_controller_adds_to_an_initial_sync(tmp_path: Path) -> None:
    files = {**OURS, CONTROLLER: controlled(), PUBLISHER: published(DUMP_OPERATION)}
    [finding] = findings(tmp_path, files)
    assert finding.startswith(
        f'{PUBLISHER}: got "{SYNC_OPERATION}" — the job operation of the initial sync of stream '
        "public is not listed, so its dump task is not done;"
    )


@pytest.mark.parametrize(
    ("operations", "job"),
    [
        ((SYNC_OPERATION, HEALING_OPERATION.replace("public", "Public")), "healing"),
        ((SYNC_OPERATION.replace("Syncing", "Sync"), HEALING_OPERATION), "initial sync"),
    ],
)
def test_a_publication_key_in_another_spelling(
    tmp_path: Path, operations: tuple[str, str], job: str
) -> None:
    [finding] = findings(tmp_path, {**OURS, MAINTAINER: maintained(*operations)})
    assert f"differs in spelling from the job operation of the {job} of stream public" in finding
    assert finding.startswith(f"{MAINTAINER}: got ")
