"""The log's way out: a bounded queue, and a thread that writes it to standard output.

Standard output can block for any time, for example while a log driver is stalled. Nothing else in
the service may wait for it. The thread also gathers lines for a moment, because it would take the
interpreter from a call that has just logged a line and is about to answer.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from threading import Condition, Thread
from typing import Protocol

MAX_WAITING = 4 << 20  # bytes of lines that wait for standard output
GATHER_SECONDS = 0.02  # for which the writer waits for further lines
FLUSH_SECONDS = 0.3  # for the lines that wait when the process ends
FULL_PAUSE = 0.05  # seconds between two tries on an output that is full and does not block


class Output(Protocol):
    """A raw stream, such as `io.FileIO`."""

    def write(self, data: bytes, /) -> int | None:
        """Return how many bytes were written; None if it would have to wait."""


class LogQueue(logging.Handler):
    """Writes log lines in a thread of its own, and drops those that it cannot keep.

    `output` is None if the process has no standard output. `dropped` is the number of lines that
    were dropped. When the output accepts lines again, a line with that number comes first.
    """

    def __init__(self, output: Output | None, encoding: str = "utf-8") -> None:
        super().__init__()
        self._output = output
        self._encoding = encoding
        self._changed = Condition()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._refused = 0  # lines that found the queue full, since the writer emptied it
        self._writing = False
        self._closing = False
        self._unreported = 0  # dropped lines; only the writer uses it
        self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        Thread(target=self._write_until_closed, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or drop it if the queue is full."""
        line = self._line(record)
        with self._changed:
            full = self._lines and self._size + len(line) > MAX_WAITING
            if full or self._refused:  # Later lines may not overtake it, also if they are shorter
                self._refused += 1
                self.dropped += 1
            else:
                self._lines.append(line)
                self._size += len(line)
                if len(self._lines) == 1:  # the writer gathers the others by itself
                    self._changed.notify_all()

    def flush(self) -> None:
        """Wait a moment until all lines are written; `logging` calls this at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._lines or self._refused or self._writing), FLUSH_SECONDS
            )

    def close(self) -> None:
        """Let the writer end after the lines that wait; `logging` calls this at the end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001 - a mistake in a log call must not stop work
            record.msg, record.args = "a log line cannot be formatted: %r: %s", (record.msg, error)
            text = self.format(record)
        return f"{text}\n".encode(self._encoding, errors="backslashreplace")

    def _write_until_closed(self) -> None:
        while (taken := self._take())[0]:
            lines, refused = taken
            for line in lines:
                self._write_or_drop(line)
            self._unreported += refused  # They came after these lines
            self._report_dropped()
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _take(self) -> tuple[list[bytes], int]:
        """Wait for lines and return them, with the number of lines that were refused after them.

        There are none if the queue was closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closing)
            self._changed.wait_for(lambda: self._closing, GATHER_SECONDS)
            lines, refused = list(self._lines), self._refused
            self._lines.clear()
            self._size = self._refused = 0
            self._writing = bool(lines)
            return lines, refused

    def _write_or_drop(self, line: bytes) -> None:
        if not (self._report_dropped() and self._write(line)):
            self._unreported += 1
            with self._changed:
                self.dropped += 1

    def _report_dropped(self) -> bool:
        """Write how many lines were dropped, if any were; return False if that failed."""
        if self._unreported:
            text = f"{self._unreported} log lines were dropped: standard output did not accept them"
            record = logging.LogRecord("service", logging.WARNING, "", 0, text, None, None)
            if not self._write(self._line(record)):
                return False
            self._unreported = 0
        return True

    def _write(self, data: bytes) -> bool:
        """Write to the output, however long it takes; return False if the output is broken."""
        try:
            while data and self._output:
                written = self._output.write(data)
                if written is None:
                    time.sleep(FULL_PAUSE)
                data = data[written or 0 :]
        except OSError:
            return False
        return not data
