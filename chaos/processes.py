"""The processes of the service: real ones, that are killed, stopped, paused and started again."""

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

from chaos.history import Life, Line
from tests.servers import free_port

PATIENCE = 20.0  # seconds for a process to stop after SIGTERM; it promises 8
CALL_TIMEOUT = 15.0
RESTART_PAUSE = 1.0  # as orchestrators do when a process ended by itself
# Ends the process when the harness is killed and so cannot: the pipe closes with it.
GUARD = 'cat; kill -9 "$1"'
LINE = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\S+) [A-Z]+ (?P<text>.*)")


class Process:
    """One place for a process, with one port; its lives follow each other."""

    def __init__(
        self, number: int, slot: int, environ: dict[str, str], logs: Path, service: Path
    ) -> None:
        self.number = number
        self.port = free_port()
        self.lives: list[Life] = []
        self._slot = slot
        self._environ = environ | {
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "REPLICA": str(slot),
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
        """The log of the life that is now, or was last."""
        return self._logs / f"process-{self.number}-life-{len(self.lives)}.log"

    def start(self) -> None:
        """Begin a life."""
        with self._lock:
            self.lives.append(Life(process=self.number, slot=self._slot, began=time.time()))
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
            self._guard = subprocess.Popen(
                ["sh", "-c", GUARD, "guard", str(self._running.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it with SIGKILL."""
        with self._lock:
            if self._running is not None:
                self.lives[-1].killed = True
                self._running.kill()
                self._bury()

    def stop(self) -> None:
        """End it with SIGTERM."""
        with self._lock:
            if self._running is None:
                return
            self.resume()
            self.lives[-1].asked_to_stop = True
            self._running.terminate()
            try:
                self._running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._running.kill()
            self._bury()

    def pause(self) -> None:
        """Let it stand still."""
        with self._lock:
            if self._running is not None and self._paused_since is None:
                self._running.send_signal(signal.SIGSTOP)
                self._paused_since = time.time()

    def resume(self) -> None:
        """Let it go on."""
        with self._lock:
            if self._running is not None and self._paused_since is not None:
                self._running.send_signal(signal.SIGCONT)
                self.lives[-1].pauses.append((self._paused_since, time.time()))
            self._paused_since = None

    def look_after(self) -> None:
        """Start it again when it ended by itself, after a pause, as orchestrators do."""
        if not self._lock.acquire(blocking=False):
            return  # It is being stopped, by somebody who looks after it
        try:
            if self._running is not None and self._running.poll() is not None:
                self._bury()
            if self._running is None and self.lives[-1].fell_before(time.time() - RESTART_PAUSE):
                self.start()
        finally:
            self._lock.release()

    def call(self, method: str, path: str) -> int:
        """Call the API and return the status; 0 where no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_TIMEOUT)
        with closing(connection):
            try:
                connection.request(method, path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def read_logs(self) -> None:
        """Give each life the lines that it logged."""
        for number, life in enumerate(self.lives, start=1):
            path = self._logs / f"process-{self.number}-life-{number}.log"
            life.lines = parse(path.read_text(encoding="utf-8", errors="replace"))

    def _bury(self) -> None:
        """Note the end of a process that has been told to end, or did by itself."""
        if self._running is not None:
            self.lives[-1].exit_status = self._running.wait()
            self.lives[-1].ended = time.time()
            self._running = None
        self._paused_since = None
        if self._guard is not None:
            with self._guard as guard:
                guard.kill()
            self._guard = None


def parse(text: str) -> list[Line]:
    """Read the lines of a log; what follows a line, such as a traceback, is left out."""
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return [
        Line(at=datetime.fromisoformat(match["at"]).timestamp(), text=match["text"])
        for match in matches
        if match
    ]
