"""The real processes of the service, which are killed, stopped, paused and started again."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import RLock

from tests.chaos.history import LogLine, ProcessRun
from tests.support.processes import dismiss, end, guard
from tests.support.sockets import free_port

# Seconds.
STOP_TIMEOUT = 20.0  # the service promises to stop within 8
CALL_TIMEOUT = 15.0
RESTART_PAUSE = 1.0  # after a crash, as with orchestrators

LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\S+) [A-Z]+ (?P<text>.*)")


class ServiceProcess:
    """A service process that runs several times, always on the same port.

    Without a slot it knows of no other process.
    """

    def __init__(
        self, number: int, slot: int | None, environ: dict[str, str], logs: Path, service: Path
    ) -> None:
        self.number = number
        self.port = free_port()
        self.runs: list[ProcessRun] = []
        self._slot = slot or 0
        self._environ = environ | {
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "REPLICA": "" if slot is None else str(slot),
            "LOG_SPARQL_ALL": "false",
            "TZ": "UTC",
            "no_proxy": "127.0.0.1",
        }
        self._logs = logs
        self._service = service
        self._running: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._paused_since: float | None = None
        self._lock = RLock()

    @property
    def log(self) -> Path:
        """The log of the current or last run."""
        return self._log_of(len(self.runs))

    def start(self) -> None:
        """Start the next run."""
        with self._lock:
            self.runs.append(ProcessRun(process=self.number, slot=self._slot, started=time.time()))
            with self.log.open("wb") as log:
                self._running = subprocess.Popen(
                    [sys.executable, "app.py"],
                    cwd=self._service,
                    env=os.environ | self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._guard = guard(self._running.pid)

    def kill(self) -> None:
        """End the run with SIGKILL."""
        with self._lock:
            if self._running is not None:
                self.runs[-1].killed = True
                self._running.kill()
                self._record_end()

    def stop(self) -> None:
        """End the run with SIGTERM, or with SIGKILL if it does not end in time."""
        with self._lock:
            if self._running is None:
                return
            self.resume()
            self.runs[-1].stopped = True
            end(self._running, STOP_TIMEOUT)
            self._record_end()

    def pause(self) -> None:
        """Pause the run with SIGSTOP."""
        with self._lock:
            if self._running is not None and self._paused_since is None:
                self._running.send_signal(signal.SIGSTOP)
                self._paused_since = time.time()

    def resume(self) -> None:
        """Continue the run with SIGCONT."""
        with self._lock:
            if self._running is not None and self._paused_since is not None:
                self._running.send_signal(signal.SIGCONT)
                self.runs[-1].pauses.append((self._paused_since, time.time()))
            self._paused_since = None

    def restart_if_crashed(self) -> None:
        """Start a process again that ended without a request, after a pause."""
        if not self._lock.acquire(blocking=False):
            return  # Another thread is starting or stopping it
        try:
            if self._running is not None and self._running.poll() is not None:
                self._record_end()
            if self._running is None and self.runs[-1].crashed_before(time.time() - RESTART_PAUSE):
                self.start()
        finally:
            self._lock.release()

    def call(self, method: str, path: str) -> int:
        """Call the API and return the status, or 0 if there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_TIMEOUT)
        with closing(connection):
            try:
                connection.request(method, path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def read_logs(self) -> None:
        """Read the log lines of all runs."""
        for number, run in enumerate(self.runs, start=1):
            text = self._log_of(number).read_text(encoding="utf-8", errors="replace")
            run.lines = parse(text)

    def _log_of(self, run: int) -> Path:
        return self._logs / f"process-{self.number}-run-{run}.log"

    def _record_end(self) -> None:
        """Record the end of a run that was ended or crashed."""
        if self._running is not None:
            self.runs[-1].exit_status = self._running.wait()
            self.runs[-1].ended = time.time()
            self._running = None
        self._paused_since = None
        if self._guard is not None:
            dismiss(self._guard)
            self._guard = None


def parse(text: str) -> list[LogLine]:
    """Return the lines of a log, without continuation lines such as tracebacks."""
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return [
        LogLine(at=datetime.fromisoformat(match["at"]).timestamp(), text=match["text"])
        for match in matches
        if match
    ]
