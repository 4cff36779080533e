"""The service works and stops, whatever happens to its standard output."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import stack
from tests.support.processes import end
from tests.support.servers import Store
from tests.support.service import DUMP, ROOT, Service, eventually

DROPPED = re.compile(r" WARNING (\d+) log lines were dropped: standard output did not accept them$")
PIPE_BYTES = 4096  # the smallest pipe that Linux has
ENVIRONMENT = {
    "START_INITIAL_SYNC": "false",
    "HEAL_MUST_WAIT_FOR_INITIAL_SYNC": "false",
    "CRON_PATTERN_DUMP_JOB": "* * * * * *",
}


@contextmanager
def running(store: Store, stdout: int, *command: str, **variables: str) -> Iterator[Service]:
    """Run the service with this standard output and standard error, as a container runtime does."""
    service = Service(store, ENVIRONMENT | variables)
    with subprocess.Popen(
        [*command, sys.executable, "app.py"],
        cwd=ROOT,
        env=service.variables,
        stdout=stdout,
        stderr=subprocess.STDOUT,
    ) as process:
        service.process = process
        try:
            yield service.answers()
        finally:
            if process.poll() is None:
                end(process)


def assert_works_and_stops(service: Service, store: Store) -> None:
    """Check a tick, a call, the health and a stop."""
    (job,) = eventually(lambda: stack.jobs(store, DUMP), "the job of a tick")
    stack.finish(store, job)
    eventually(lambda: len(stack.jobs(store, DUMP)) > 1, "the job of a later tick")
    assert service.call("POST", "/healing-jobs").status == 200
    assert service.call("GET", "/health/live").status == 200
    assert service.call("GET", "/health/ready").status == 200
    assert_stops(service)


def assert_stops(service: Service, number: signal.Signals = signal.SIGTERM) -> None:
    """Stop the service, which no output may hold up."""
    assert service.stop(number) == 0


@contextmanager
def small_pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def dropped_lines(service: Service) -> float:
    """Return what the metric says."""
    lines = service.call("GET", "/metrics").text.splitlines()
    name = "initiator_log_lines_dropped_total "
    (line,) = [line for line in lines if line.startswith(name)]
    return float(line.removeprefix(name))


def waiting_bytes(pipe: int) -> int:
    """Return how many bytes wait in a pipe to be read."""
    buffer = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, buffer)
    return int.from_bytes(buffer, sys.byteorder)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_works_and_stops_while_its_output_is_not_read(embedded: Store, stop: int) -> None:
    with small_pipe() as (reading, writing), running(embedded, writing) as service:
        eventually(lambda: waiting_bytes(reading) > PIPE_BYTES // 2, "a pipe that is full")
        (job,) = eventually(lambda: stack.jobs(embedded, DUMP), "the job of a tick")
        stack.finish(embedded, job)
        eventually(lambda: len(stack.jobs(embedded, DUMP)) > 1, "the job of a later tick")
        for _ in range(20):
            assert service.call("POST", "/healing-jobs").status == 200
        assert service.call("GET", "/health/live").status == 200
        assert_stops(service, signal.Signals(stop))


def test_it_stops_while_it_waits_for_the_store_and_its_output_is_not_read(embedded: Store) -> None:
    absent = "http://127.0.0.1:1/sparql"
    with small_pipe() as (reading, writing):
        os.write(writing, bytes(PIPE_BYTES))
        with running(embedded, writing, MU_SPARQL_ENDPOINT=absent) as service:
            assert service.call("GET", "/health/live").status == 200
            assert waiting_bytes(reading) == PIPE_BYTES
            assert_stops(service)


def test_the_log_reports_the_dropped_lines_when_a_reader_comes_back(
    embedded: Store, tmp_path: Path
) -> None:
    os.mkfifo(fifo := tmp_path / "log")
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(fifo, os.O_WRONLY)
    with running(embedded, writing) as service:
        os.close(writing)
        os.close(reading)
        eventually(lambda: dropped_lines(service) > 0, "a count of dropped lines")
        with fifo.open() as output:
            number = next(int(found[1]) for found in map(DROPPED.search, output) if found)
            assert 0 < number <= dropped_lines(service)
            assert_works_and_stops(service, embedded)


def test_it_works_and_stops_when_its_output_is_closed_by_the_reader(embedded: Store) -> None:
    reading, writing = os.pipe()
    with running(embedded, writing) as service:
        os.close(writing)
        os.close(reading)
        assert_works_and_stops(service, embedded)


def test_it_works_and_stops_without_any_output(embedded: Store) -> None:
    close = ("sh", "-c", 'exec "$@" >&-', "sh")
    with running(embedded, subprocess.DEVNULL, *close) as service:
        assert_works_and_stops(service, embedded)


def test_it_works_and_stops_on_a_disk_that_is_full(embedded: Store) -> None:
    with Path("/dev/full").open("wb") as full, running(embedded, full.fileno()) as service:
        eventually(lambda: dropped_lines(service) > 0, "a count of dropped lines")
        assert_works_and_stops(service, embedded)


def test_characters_that_the_output_cannot_show_are_escaped(embedded: Store) -> None:
    variables = {"JOBS_GRAPH": "http://example.org/grafé", "PYTHONIOENCODING": "ascii"}
    with Service(embedded, variables) as service:
        service.ready()
        assert service.call("POST", "/dump-publication-graph-jobs").status == 200
        assert service.stop() == 0
        assert r"GRAPH <http://example.org/graf\xe9>" in service.log
        assert "Traceback" not in service.log


def test_lines_that_were_written_late_are_whole(embedded: Store) -> None:
    with (
        small_pipe() as (reading, writing),
        running(embedded, writing) as service,
        os.fdopen(os.dup(reading), "r") as output,
    ):
        eventually(lambda: waiting_bytes(reading) > PIPE_BYTES // 2, "a pipe that is full")
        eventually(lambda: service.call("GET", "/health/ready").status == 200, "ready")
        assert service.call("POST", "/healing-jobs").status == 200
        late = next(line for line in output if "by request" in line and "created job" in line)
        assert " INFO healing of the environment's stream: created job http" in late
