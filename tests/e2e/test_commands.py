"""The commands as an operator runs them: in processes of their own, beside the real service."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import stack
from tests.configuring import ENVIRONMENT
from tests.e2e.service import PATIENCE, ROOT, Service
from tests.shared_data import shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Store

FLASK = [sys.executable, "-m", "flask"]
UNSET = {"CONFIG_FILE", "PORT", "TZ", "FLASK_APP", "MU_SPARQL_ENDPOINT"}


def environ_of(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
    return inherited | {"TZ": "UTC"} | variables


def flask(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLASK, *arguments],
        cwd=ROOT,
        env=environ_of(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


# without a service


def test_check_says_what_the_configuration_means() -> None:
    done = flask("check", **ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("configuration: no problems, no warnings\n1 stream, ")


def test_check_lists_every_problem_as_the_start_does() -> None:
    broken = ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": "0 0 6 * 0 6", "PORT": "high"}
    done = flask("check", **broken)
    started = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environ_of(**broken),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (started.returncode, started.stdout) == (78, "")
    assert done.stderr == started.stderr
    assert done.stderr.startswith("configuration: 2 problems, nothing was started\n")


def test_a_real_file_passes() -> None:
    file = shared("real-configs") / "files" / "app-organization-portal--config--HEAD--11817ea.json"
    done = flask("check", CONFIG_FILE=str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nstream worship-posts, in graph http://mu.semte.ch/graphs/jobs\n" in done.stdout


def test_the_commands_are_listed() -> None:
    listed = flask("--help", **ENVIRONMENT).stdout
    assert all(f"\n  {name} " in listed for name in ("check", "run-job", "schedule", "status"))


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="script/flask would make .venv first")
def test_the_script_reads_files_from_where_it_is_called(tmp_path: Path) -> None:
    file = shared("real-configs") / "files" / "app-organization-portal--config--HEAD--11817ea.json"
    (tmp_path / "mine.json").write_bytes(file.read_bytes())
    done = subprocess.run(
        [ROOT / "script" / "flask", "schedule", "--stream", "public", "--count", "1"],
        cwd=tmp_path,
        env=environ_of(CONFIG_FILE="mine.json"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("healing of stream public: 0 0 4 * * * (At 04:00 every day)\n")


# beside a service


@pytest.fixture
def service(embedded: Store) -> Iterator[Service]:
    """Return a service that creates only what it is asked for."""
    with Service(embedded, {"START_INITIAL_SYNC": "false"}) as service:
        yield service.ready()


def run_job(service: Service, seconds: str, stderr: int) -> subprocess.Popen[str]:
    assert service.process is not None
    return subprocess.Popen(
        [*FLASK, "run-job", "dump", "--wait", seconds],
        cwd=ROOT,
        env=service.variables,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def test_a_job_is_run_and_followed_to_its_end(embedded: Store, service: Service) -> None:
    with run_job(service, str(PATIENCE), subprocess.PIPE) as command:
        assert command.stdout is not None
        uri = command.stdout.readline().strip()
        assert stack.status_of(embedded, uri) == ["busy"]
        stack.finish(embedded, uri)
        rest, errors = command.communicate(timeout=PATIENCE)
    assert (command.returncode, rest) == (0, "")
    *progress, last = errors.splitlines()
    assert last == "succeeded: job success, task success"
    assert all(" UTC: job " in line for line in progress), "no SPARQL in between"


def test_on_a_terminal_one_line_changes(embedded: Store, service: Service) -> None:
    terminal, end = pty.openpty()
    with run_job(service, str(PATIENCE), end) as command:
        os.close(end)
        assert command.stdout is not None
        uri = command.stdout.readline().strip()
        shown = os.read(terminal, 1000).decode()
        stack.finish(embedded, uri)
        while not shown.endswith("\n"):
            shown += os.read(terminal, 1000).decode()
        assert command.wait(PATIENCE) == 0
    os.close(terminal)
    first, *_, last = shown.split("\r\x1b[K")[1:]
    assert re.fullmatch(r"0:00:\d\d  job busy, task scheduled", first)
    assert last == "succeeded: job success, task success\r\n"


def test_ctrl_c_ends_the_command_and_not_the_job(embedded: Store, service: Service) -> None:
    with run_job(service, str(PATIENCE), subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        uri = command.stdout.readline().strip()
        assert "job busy" in command.stderr.readline()
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=PATIENCE)
    assert (command.returncode, errors) == (130, "interrupted; the job goes on\n")
    assert stack.status_of(embedded, uri) == ["busy"]
