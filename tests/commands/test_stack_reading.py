"""flask check --stack: a file that cannot be read is named, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import ConfigError
from tests.support.command_runner import run
from tests.support.configuring import CONFIG, loaded, stream
from tests.support.stack_folders import (
    ALERTING,
    COMPOSE,
    CONTROLLER,
    ENVIRONMENT,
    HEALING_TASK,
    OURS,
    RULES,
    checked,
    controlled,
    named,
    only_finding,
    written,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        (CONTROLLER, "{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (CONTROLLER, [], "Input should be an object"),
        (CONTROLLER, {"http://e.org/x": {}}, "http://e.org/x, tasksConfiguration: Field required"),
        (ALERTING, {"creators": "all"}, "creators: Input should be a valid array"),
        (RULES, "export default rules()", "line 1: `rules()` is not a list in this file"),
        (RULES, "export default [{}, call()]", "line 1: `call()` is not a literal"),
        (RULES, "export default [{}, call()]", "line 1: callback: Field required"),
        (COMPOSE, "services: {", "line 1: expected the node content, but found '<stream end>'"),
        (
            COMPOSE,
            f"services: {{error-alert: {{volumes: ['./{ALERTING}:/config/config.json']}}}}",
            "No such file or directory",
        ),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, file: str, content: Any, reason: str) -> None:
    report = checked(tmp_path, {**OURS, file: content})
    named_file = ALERTING if reason.startswith("No such") else file
    assert (named_file, reason) in [(unread.file, unread.reason) for unread in report.unread]
    result = run(loaded(files={CONFIG: [stream()]}), "check", "--stack", str(tmp_path))
    assert result.exit_code == 1
    assert "not read, so not checked\n  " in result.stdout
    assert f"  {named_file}: {reason}\n" in result.stdout


def test_an_environment_file_that_is_not_there(tmp_path: Path) -> None:
    compose = (
        f"{ENVIRONMENT}      HEALING_TASK_OPERATION: {HEALING_TASK}\n    env_file: secrets.env"
    )
    [unread] = checked(tmp_path, {COMPOSE: compose}).unread
    assert unread.file == "secrets.env"
    assert "delta-producer-background-jobs-initiator takes its environment from it" in unread.reason


def test_a_file_of_this_machine_is_no_file_of_the_container(tmp_path: Path) -> None:
    outside = written(tmp_path / "machine", {"config.json": [named()]}) / "config.json"
    compose = f"services: {{bg-jobs-initiator: {{environment: {{CONFIG_FILE: {outside}}}}}}}"
    with pytest.raises(ConfigError, match=r"config\.json: no such file"):
        checked(tmp_path / "stack", {COMPOSE: compose})


def test_a_neighbour_without_a_mount_does_not_read_its_usual_file(tmp_path: Path) -> None:
    compose = "services: {error-alert: {image: lblod/loket-error-alert-service:1.0.0}}"
    files = {**OURS, COMPOSE: compose, ALERTING: {"creators": ["http://e.org/other"]}}
    report = checked(tmp_path, files)
    assert report.findings == []
    assert "error-alert" in report.absent


def test_a_neighbour_that_is_not_there(tmp_path: Path) -> None:
    report = checked(tmp_path, {**OURS, CONTROLLER: controlled()})
    assert report.absent == (
        "publication-graph-maintainer",
        "dump-file-publisher",
        "error-alert",
        "delta-notifier",
        "dispatcher",
    )
    assert report.fine


TWO_INSTANCES = """\
services:
  initiator-a:
    image: lblod/delta-producer-background-jobs-initiator:2.0.0
    environment: &a
      DUMP_FILE_CREATION_JOB_OPERATION: http://e.org/a
      ENABLE_HEALING_JOB_OPERATION: "false"
      START_INITIAL_SYNC: "false"
  initiator-b:
    image: lblod/delta-producer-background-jobs-initiator:2.0.0
    environment: {<<: *a, DUMP_FILE_CREATION_JOB_OPERATION: %s}
"""


def test_two_instances_that_environments_set_up(tmp_path: Path) -> None:
    assert (
        f'{COMPOSE}: got ["0 0 0 * * *", "0 0 0 * * *"] — the dump of initiator-a and the dump of '
        "initiator-b are due together, first at Sun 2024-01-07 00:00:00 UTC; "
    ) in only_finding(tmp_path, {COMPOSE: TWO_INSTANCES % "http://e.org/b"})


def test_the_instance_with_unusable_settings_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(tmp_path, {COMPOSE: TWO_INSTANCES % "b"})
    heading, _, problem = str(caught.value).split("\n")
    assert heading == f"{COMPOSE}, service initiator-b"
    assert problem.startswith('  env DUMP_FILE_CREATION_JOB_OPERATION: got "b"')
