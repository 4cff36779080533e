"""The commands as an operator runs them: as processes, beside the running service."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import stack
from tests.support.configuring import ENVIRONMENT
from tests.support.patience import PATIENCE
from tests.support.servers import Store
from tests.support.service import ROOT, Service
from tests.support.shared_data import shared
from tests.support.variables import environ_of

FLASK = [sys.executable, "-m", "flask"]


def run(
    *command: str, variables: Mapping[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environ_of(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def real_file() -> Path:
    name = "app-organization-portal--config--HEAD--11817ea.json"
    return shared("real-configs") / "files" / name


def flask(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(*FLASK, *arguments, variables=variables)


# without a service


def test_check_shows_what_the_configuration_means() -> None:
    done = flask("check", **ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("configuration: no problems, no warnings, 1 stream\n")


def test_check_lists_every_problem_as_the_start_does() -> None:
    broken = ENVIRONMENT | {"CRON_PATTERN_DUMP_JOB": "0 0 6 * 0 6", "PORT": "high"}
    done = flask("check", **broken)
    started = run(sys.executable, "app.py", variables=broken)
    assert (done.returncode, done.stdout) == (started.returncode, started.stdout) == (78, "")
    assert done.stderr == started.stderr
    assert done.stderr.startswith("configuration: 2 problems, nothing was started\n")


def test_a_real_file_has_no_problems() -> None:
    done = flask("check", CONFIG_FILE=str(real_file()))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nstream worship-posts, in graph http://mu.semte.ch/graphs/jobs\n" in done.stdout


def test_the_commands_are_listed() -> None:
    listed = flask("--help", **ENVIRONMENT).stdout
    assert all(f"\n  {name} " in listed for name in ("check", "run-job", "schedule", "status"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the project whose .venv is that of the tests, so that nothing is installed."""
    top = tmp_path / "project"
    (top / ".venv").mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name != ".venv":
            (top / path.name).symlink_to(path)
    for path in Path(sys.prefix).iterdir():
        if path.name != ".installed":
            (top / ".venv" / path.name).symlink_to(path)
    locks = "cat requirements.txt requirements-store.txt requirements-dev.txt | cksum"
    checksum = subprocess.run(["sh", "-c", locks], cwd=ROOT, capture_output=True, check=True).stdout
    (top / ".venv" / ".installed").write_bytes(b"dev " + checksum)
    return top


def test_the_script_reads_files_from_where_it_is_called(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(real_file().read_bytes())
    script = str(installed / "script" / "flask")
    variables = {"CONFIG_FILE": "mine.json", "PYTHON": sys.executable}
    command = (script, "schedule", "--stream", "public", "--count", "1")
    done = run(*command, folder=tmp_path, variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("healing of stream public: 0 0 4 * * * (At 04:00 every day)\n")


# beside a service


@pytest.fixture
def service(embedded: Store) -> Iterator[Service]:
    """Return a service that creates jobs on request only."""
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
    assert all(" UTC: job " in line for line in progress), "no log lines between them"


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
    assert (command.returncode, errors) == (130, "interrupted; the job continues\n")
    assert stack.status_of(embedded, uri) == ["busy"]
