"""flask check --stack: what it reads, its exit status, and what it finds in real stacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.stack.report import lines
from tests.support.command_runner import run
from tests.support.configuring import CONFIG, SERVICE, loaded, stream
from tests.support.shared_data import shared
from tests.support.stack_folders import (
    ALERTING,
    COMPOSE,
    CONTROLLER,
    DISPATCHER,
    DUMP_OPERATION,
    INITIATOR,
    RULES,
    SYNC_OPERATION,
    checked,
    controlled,
    exported,
    maintained,
    named,
    only_finding,
    published,
    route,
    rule,
    written,
)

ROOT = Path(__file__).resolve().parents[2]


# The command


def whole(directory: Path) -> Path:
    """Write a whole stack in which all is right, with other names than the usual ones."""
    compose = """\
services:
  starter:
    image: lblod/delta-producer-background-jobs-initiator:2.0.0
    environment: {TZ: Europe/Brussels}
    volumes: [./config/starter:/config]
  maintainer:
    image: lblod/delta-producer-publication-graph-maintainer:1.3.0
    environment: {CONFIG_SERVICES_JSON_PATH: /config/publication/services.json}
    volumes: [./config:/config]
  dumps:
    image: lblod/delta-producer-dump-file-publisher:0.10.3
    volumes: [./config/dumps:/config]
  jobs:
    image: lblod/job-controller-service:1.0.1
    volumes: [./config/jobs.json:/config/config.json]
  alerts:
    image: lblod/loket-error-alert-service:1.0.0
    volumes: [./config/alerts:/config]
  deltanotifier:
    image: semtech/mu-delta-notifier:0.4.0
    volumes: [./config/delta:/config]
  dispatcher:
    image: semtech/mu-dispatcher:2.1.0
    volumes: [./config/dispatcher:/config]
"""
    rules = [rule("jobs"), rule("dumps"), rule("maintainer/public", {}), rule("alerts", {})]
    files = {
        COMPOSE: compose,
        "config/starter/config.json": [named()],
        "config/starter/config.override.json": {"public": {"cronPatternHealingJob": "30 4 * * *"}},
        "config/publication/services.json": maintained(),
        "config/dumps/config.json": published(DUMP_OPERATION, SYNC_OPERATION),
        "config/jobs.json": controlled(),
        "config/alerts/config.json": {"creators": [f"{SERVICE}/public"]},
        RULES: exported(*rules),
        DISPATCHER: route("http://cache/jobs/"),
    }
    return written(directory, files)


def test_a_whole_stack_in_which_all_is_right(tmp_path: Path) -> None:
    result = run(loaded(files={CONFIG: [stream()]}), "check", "--stack", str(whole(tmp_path)))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\nno findings\n" in result.stdout
    assert "not read" not in result.stdout
    assert "not found" not in result.stdout
    assert "config/starter/config.override.json" in result.stdout


def test_a_change_to_any_file_of_it_is_found(tmp_path: Path) -> None:
    """So each of the files is read under its own name, by its mount."""
    files = [path for path in whole(tmp_path).rglob("*") if path.suffix in (".json", ".js", ".ex")]
    assert len(files) == 8
    for path in files:
        text = path.read_text()
        broken = text.replace("/public", "/other").replace("http://cache", "http://starter")
        path.write_text(broken.replace("alerts", "none").replace("30 4", "0 0"))
        result = run(loaded(files={CONFIG: [stream()]}), "check", "--stack", str(tmp_path))
        assert (path.name, result.exit_code) == (path.name, 1)
        path.write_text(text)


@pytest.mark.parametrize("shell", [{}, {"CONFIG_FILE": "/nowhere", "TZ": "Mars/Olympus"}])
def test_the_environment_of_the_shell_plays_no_part(tmp_path: Path, shell: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "check", "--stack", str(whole(tmp_path))]
    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "no configuration of this service; name a folder with a docker-compose.yml or "),
        (
            {INITIATOR: [named(cronPatternDumpJob="at noon")]},
            f'{INITIATOR}, stream 1 "public", cronPatternDumpJob: got "at noon"',
        ),
        (
            {COMPOSE: "services: {background-jobs-initiator: {}}"},
            "/config/config.json: no such file",
        ),
        (
            {COMPOSE: "services: {background-jobs-initiator: {environment: {TZ: Mars}}}"},
            'env TZ: got "Mars"',
        ),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, files: dict[str, Any], problem: str) -> None:
    settings = loaded(files={CONFIG: [stream()]})
    result = run(settings, "check", "--stack", str(written(tmp_path, files)))
    assert (result.exit_code, result.stdout) == (78, "")
    assert problem in result.stderr


def test_the_problems_of_every_instance_are_listed(tmp_path: Path) -> None:
    files = {INITIATOR: [{}], INITIATOR.replace("jobs", "job"): "{"}
    result = run(
        loaded(files={CONFIG: [stream()]}), "check", "--stack", str(written(tmp_path, files))
    )
    assert result.exit_code == 78
    assert all(file in result.stderr for file in files)


def test_warnings_of_the_settings_come_first(tmp_path: Path) -> None:
    files = {INITIATOR: [named(cronPaternDumpJob="0 0 0 * * *")]}
    result = run(
        loaded(files={CONFIG: [stream()]}), "check", "--stack", str(written(tmp_path, files))
    )
    assert result.stdout.startswith(f"configuration: warning: {INITIATOR}, stream 1 ")
    assert result.exit_code == 0


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    result = run(loaded(files={CONFIG: [stream()]}), "check", "--stack", str(tmp_path / "none"))
    assert result.exit_code == 2


# Documentation


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    compose = """\
services:
  delta-producer-background-jobs-initiator:
    volumes: [./config/background-jobs-initiator:/config]
"""
    rules = [rule("job-controller", {}, gracePeriod=...), rule("error-alert", {}), "cacheRule()"]
    files = {
        COMPOSE: compose,
        "config/background-jobs-initiator/config.json": [named()],
        CONTROLLER: controlled(dump=...),
        ALERTING: {"creators": ["http://example.org/other"]},
        RULES: exported(*rules),
    }
    output = "\n".join(lines(checked(tmp_path, files))).replace(str(tmp_path), ".")
    assert f"```text\n{output}\n```" in (ROOT / "docs" / "cli.md").read_text()


# Real stacks


REAL = {
    "app-lblod-harvester-worship": (
        f'error-alert_config.json: got "{SERVICE}-besluiten" — filters the errors of stream '
        f"worship away, whose creator is {SERVICE}-worship; "
        f'add "{SERVICE}-worship" to "creators"'
    ),
    "app-organization-portal": (
        'background-jobs-initiator_config.json: got ["0 0 4 * * *", "0 0 4 * * *"] — '
        "the healing of stream organizations and the healing of stream public are due together, "
        "first at Sun 2024-01-07 04:00:00 UTC; move one of them by some minutes"
    ),
    "delta-tutorial-producer": (
        'background-jobs-initiator_config.json: got ["0 */5 * * * *", "0 0 0 * * 6"] — '
        "the healing of stream books and the dump of stream books are due together, "
        "first at Sat 2024-01-13 00:00:00 UTC; move one of them by some minutes"
    ),
}


@pytest.mark.parametrize("stack", REAL)
def test_the_only_finding_in_a_real_stack(stack: str) -> None:
    assert only_finding(shared(f"real-configs/stacks/{stack}"), {}) == REAL[stack]


def test_what_is_right_in_a_real_stack() -> None:
    report = checked(shared("real-configs/stacks/app-organization-portal"), {})
    told = " ".join(line.strip() for line in lines(report))
    kinds = ("initial sync", "healing", "dump")
    streams = ("organizations", "public", "worship-posts")
    every = ", ".join(f"{kind} of stream {name}" for name in streams for kind in kinds)
    assert (
        f"jobs-controller_config.json has an entry for the job operation and its task: {every}"
        in told
    )
    creators = ", ".join(f"stream {name}" for name in streams)
    assert f"error-alert_config.json sends the errors: {creators}" in told
