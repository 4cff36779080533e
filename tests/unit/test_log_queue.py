"""The log never makes work wait: it drops lines, counts them, and reports the number."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from threading import Event

import pytest

from settings import log_queue
from settings.log_queue import LogQueue
from tests.support.patience import PATIENCE
from tests.support.service import eventually

DROPPED = re.compile(r"WARNING (\d+) log lines were dropped: standard output did not accept them")


class StalledOutput:
    """An output that accepts nothing until it is released, and then everything."""

    def __init__(self) -> None:
        self.released, self.asked = Event(), Event()
        self.written = b""
        self.failures: list[OSError] = []

    def write(self, data: bytes) -> int | None:
        self.asked.set()
        assert self.released.wait(PATIENCE)
        if self.failures:
            raise self.failures.pop(0)
        half = (len(data) + 1) // 2  # as a pipe that is nearly full
        self.written += data[:half]
        return half

    @property
    def lines(self) -> list[str]:
        return self.written.decode().splitlines()


@pytest.fixture
def output() -> Iterator[StalledOutput]:
    output = StalledOutput()
    yield output
    output.released.set()


@pytest.fixture
def queue(output: StalledOutput) -> Iterator[LogQueue]:
    with writing(LogQueue(output)) as queue:
        yield queue
        output.released.set()


@contextmanager
def writing(queue: LogQueue) -> Iterator[LogQueue]:
    """Write the lines of a queue until the block ends."""
    queue.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    queue.start()
    yield queue
    queue.close()


def info(queue: LogQueue, text: str, *values: object) -> None:
    """Log a line to a queue alone."""
    queue.handle(logging.LogRecord("test", logging.INFO, "", 0, text, values, None))


def test_lines_are_written_in_order_and_whole(queue: LogQueue, output: StalledOutput) -> None:
    output.released.set()
    for number in range(100):
        info(queue, "line %d", number)
    queue.flush()
    assert output.lines == [f"INFO line {number}" for number in range(100)]
    assert queue.dropped == 0


def test_lines_wait_for_others_of_the_same_moment_but_not_at_the_end(
    output: StalledOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer takes no time from the call that has just logged a line."""
    monkeypatch.setattr(log_queue, "GATHER_SECONDS", PATIENCE)
    output.released.set()
    with writing(LogQueue(output)) as queue:
        info(queue, "first")
        info(queue, "second")
        queue.flush()
        assert not output.asked.is_set()
    queue.flush()
    assert output.lines == ["INFO first", "INFO second"]


def test_a_full_queue_drops_counts_and_reports_once_when_it_flows_again(
    queue: LogQueue, output: StalledOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_queue, "MAX_WAITING", 1000)
    info(queue, "first")
    assert output.asked.wait(PATIENCE), "the writer is stalled with the first line"
    for number in range(1000):
        info(queue, "line %d", number)
    info(queue, "%s", "long" * 1000)
    assert 0 < queue.dropped < 1001
    output.released.set()
    eventually(lambda: any(map(DROPPED.search, output.lines)), "a line about dropped lines")
    info(queue, "last")
    queue.flush()
    kept = 1001 - queue.dropped
    lines = ["INFO first", *(f"INFO line {number}" for number in range(kept))]
    assert output.lines[:-2] == lines
    (found,) = filter(None, map(DROPPED.search, output.lines))
    assert found.string == output.lines[-2]
    assert int(found[1]) == queue.dropped
    assert output.lines[-1] == "INFO last"


@pytest.mark.parametrize("reason", [errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF])
def test_lines_that_cannot_be_written_are_counted_and_reported_later(
    queue: LogQueue, output: StalledOutput, reason: int
) -> None:
    output.failures = [OSError(reason, "failed")] * 2
    output.released.set()
    info(queue, "lost")
    eventually(lambda: queue.dropped == 1 and not output.failures, "both failures")
    info(queue, "kept")
    queue.flush()
    assert output.lines == [
        "WARNING 1 log lines were dropped: standard output did not accept them",
        "INFO kept",
    ]


def test_a_process_without_standard_output_counts_its_lines() -> None:
    with writing(LogQueue(None)) as queue:
        info(queue, "lost")
        eventually(lambda: queue.dropped == 1, "the line is counted")


def test_an_output_that_is_full_and_does_not_block_gets_the_line_later() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with FileIO(read_end) as reader, FileIO(write_end, "w") as writer:
        capacity = writer.write(bytes(1 << 20))
        assert capacity
        with writing(LogQueue(writer)) as queue:
            info(queue, "later")
            received = 0
            while received < capacity:
                received += len(reader.read(min(1 << 16, capacity - received)) or b"")
            assert reader.read(100) == b"INFO later\n"
            queue.flush()
            assert queue.dropped == 0


def test_a_mistake_in_a_log_call_is_logged_and_stops_nothing(
    queue: LogQueue, output: StalledOutput
) -> None:
    output.released.set()
    info(queue, "%d jobs", "many")
    info(queue, "next")
    queue.flush()
    assert output.lines[0].startswith("INFO a log line cannot be formatted: '%d jobs': ")
    assert output.lines[1:] == ["INFO next"]


def test_characters_that_the_output_cannot_show_are_escaped(output: StalledOutput) -> None:
    output.released.set()
    with writing(LogQueue(output, "ascii")) as queue:
        info(queue, "é \ud800")
        queue.flush()
    assert output.lines == ["INFO \\xe9 \\ud800"]


def test_the_end_does_not_wait_for_an_output_that_is_stalled(
    queue: LogQueue, output: StalledOutput
) -> None:
    info(queue, "stalled")
    queue.flush()
    assert output.lines == []
