"""script/run: the service and its embedded store, in a copy of the project with data of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.processes import end
from tests.support.servers import Store
from tests.support.service import ROOT, eventually
from tests.support.sockets import free_port
from tests.support.variables import environ_of

PARTS = ("app.py", "config.py", "commands", "jobs", "settings", "sparql", "web")
IN_USE = "cannot be used: Address already in use; stop what listens there, or set"


@dataclass
class Copy:
    """A copy of the project; `run` starts its script/run."""

    top: Path
    stack: ExitStack

    def run(
        self, variables: dict[str, str], stdout: int = subprocess.PIPE
    ) -> tuple[subprocess.Popen[str], dict[str, str]]:
        """Start script/run on free ports; return the process and its variables."""
        ports = {"PORT": str(free_port()), "STORE_PORT": str(free_port())}
        environ = environ_of(ports | variables)
        process = subprocess.Popen(
            [sys.executable, "script/_run.py"],
            cwd=self.top,
            env=environ,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stack.enter_context(process)
        self.stack.callback(end, process)
        return process, environ

    def running(self, **variables: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
        """Start script/run and wait until the service runs on the store."""
        process, environ = self.run(variables)
        assert process.stdout is not None
        assert any("ready: " in line for line in process.stdout)
        return process, environ

    def refusal(self, **variables: str) -> str:
        """Return the only line of a script/run that does not start."""
        process, _ = self.run(variables)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stdout) == (1, "")
        [line] = stderr.splitlines()
        assert line.startswith("script/run: ")
        return line.removeprefix("script/run: ")

    @property
    def store_log(self) -> str:
        """The log of the store."""
        return (self.top / "data" / "oxigraph.log").read_text()


def listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    (tmp_path / "script").mkdir()
    shutil.copy(ROOT / "script" / "_run.py", tmp_path / "script")
    for name in PARTS:
        (tmp_path / name).symlink_to(ROOT / name)
    with ExitStack() as stack:
        yield Copy(tmp_path, stack)


def test_a_second_one_ends_at_once_and_touches_nothing(copy: Copy) -> None:
    first, _ = copy.running()
    before = copy.store_log
    assert before
    problem = f"the store of another script/run, or one that it left behind, uses {copy.top}/data"
    assert copy.refusal() == f"{problem}; stop it first"
    assert copy.store_log == before
    assert first.poll() is None


def test_the_data_stay_locked_while_a_store_that_was_left_behind_runs(copy: Copy) -> None:
    first, _ = copy.running()
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    first.kill()
    first.wait()
    try:
        assert copy.refusal().endswith("; stop it first")
    finally:
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)


def test_a_store_of_another_program_at_the_port_is_not_used(copy: Copy, embedded: Store) -> None:
    port = str(embedded.port)
    assert copy.refusal(STORE_PORT=port) == f"port {port} {IN_USE} STORE_PORT to another port"
    assert not (copy.top / "data").exists()


def test_a_taken_port_of_the_service_is_found_before_the_store_starts(
    copy: Copy, embedded: Store
) -> None:
    port = str(embedded.port)
    assert copy.refusal(PORT=port) == f"port {port} {IN_USE} PORT to another port"
    assert not (copy.top / "data").exists()


def test_blank_variables_count_as_unset(copy: Copy) -> None:
    """It starts a store of its own, and the sample stream."""
    names = ("MU_SPARQL_ENDPOINT", "HEALING_JOB_OPERATION", "CONFIG_FILE")
    _, environ = copy.run(dict.fromkeys(names, " \t"))
    for port in ("STORE_PORT", "PORT"):
        eventually(partial(listens, environ[port]), "a listening process")


@pytest.mark.parametrize("port", ["0", "65536", "high", "-1", "1e3", "٣", "9" * 5000])
def test_a_store_port_that_is_no_port_is_refused(copy: Copy, port: str) -> None:
    assert copy.refusal(STORE_PORT=port).endswith(" is not a port number")


def test_the_service_reports_a_port_that_is_no_port(copy: Copy) -> None:
    process, _ = copy.run({"PORT": "high"})
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 78
    assert "env PORT: " in stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_full_output_does_not_leave_processes_behind(copy: Copy, number: signal.Signals) -> None:
    with Path("/dev/full").open("w") as full:
        process, environ = copy.run({}, full.fileno())
    for port in ("STORE_PORT", "PORT"):
        eventually(partial(listens, environ[port]), "a listening process")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert not any(listens(environ[port]) for port in ("STORE_PORT", "PORT"))
