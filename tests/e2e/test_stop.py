"""SIGTERM and Ctrl-C end the service with status 0, at every moment and whatever blocks it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.processes import end
from tests.support.servers import Store
from tests.support.service import ROOT, Service, eventually

STOPS = (signal.SIGTERM, signal.SIGINT)
# Seconds after the first instructions of app.py; imports and the start end after about one second.
MOMENTS = [number * 0.1 for number in range(15)]


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes without coverage, which has a handler of its own for SIGTERM."""
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)


def handles_sigterm(pid: int) -> bool:
    """Return whether a process has a handler of its own for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def await_handler(process: subprocess.Popen[bytes], pid: int) -> None:
    """Wait until a process handles SIGTERM, which it has to do before it loads large modules."""

    def handled() -> bool:
        assert process.poll() is None
        loaded = "pydantic" in Path(f"/proc/{pid}/maps").read_text()
        handler = handles_sigterm(pid)
        assert handler or not loaded, "a signal would end it with another status than 0"
        return handler

    eventually(handled, "a handler")


@pytest.mark.slow
def test_a_signal_during_the_start_ends_it_with_status_0(embedded: Store) -> None:
    for number, moment in enumerate(MOMENTS):
        with Service(embedded) as service:
            assert service.process is not None
            await_handler(service.process, service.process.pid)
            time.sleep(moment)
            status = service.stop(STOPS[number % 2])
            assert (moment, status) == (moment, 0), service.log
            assert "Traceback" not in service.log


NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


def namespace_allowed() -> bool:
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*NAMESPACE, "true"], check=False).returncode == 0


@pytest.fixture
def process_1(embedded: Store) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service as process 1 of a namespace, as in a container, with its process id outside.

    The process that returns its status is its parent. On a machine that allows no namespace it is
    a usual process. Then only what the kernel asks of process 1 is checked: a handler of its own.
    """
    namespace = NAMESPACE if namespace_allowed() else ()
    command = [*namespace, sys.executable, "app.py"]
    with subprocess.Popen(command, cwd=ROOT, env=Service(embedded).variables) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        child = eventually(children.read_text, "the service") if namespace else process.pid
        yield process, int(child)
        end(process)


def test_process_1_of_a_container_can_be_stopped_during_its_start(
    process_1: tuple[subprocess.Popen[bytes], int],
) -> None:
    """The kernel ignores signals for process 1 until it has a handler."""
    process, pid = process_1
    await_handler(process, pid)
    os.kill(pid, signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
