"""The real service process, started as a container starts it and called over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.support.contexts import Resource
from tests.support.patience import PATIENCE
from tests.support.processes import end
from tests.support.servers import Endpoints
from tests.support.sockets import free_port

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/"
SYNC, HEALING, DUMP = (f"{OPERATIONS}{name}/e2e" for name in ("sync", "healing", "dump"))
NEVER = "0 0 0 29 2 *"
ENVIRONMENT = {
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION": SYNC,
    "HEALING_JOB_OPERATION": HEALING,
    "DUMP_FILE_CREATION_JOB_OPERATION": DUMP,
    "CRON_PATTERN_HEALING_JOB": NEVER,
    "CRON_PATTERN_DUMP_JOB": NEVER,
    "HEALING_TASK_OPERATION": "http://redpencil.data.gift/id/jobs/concept/TaskOperation/healing",
    "START_INITIAL_SYNC": "true",
    "HOST": "127.0.0.1",
    "PING_DB_INTERVAL": "0.1",
    "UPDATE_SETTLE_SECONDS": "2",
    "RETRY_MAX_SECONDS": "1",
    "TZ": "UTC",
}


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Wait until `condition` returns a truthy value, and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer of any status."""

    status: int
    content_type: str
    text: str

    @property
    def msg(self) -> str:
        """The message of a success."""
        text: str = json.loads(self.text)["msg"]
        return text

    @property
    def detail(self) -> str:
        """The detail of an error."""
        text: str = json.loads(self.text)["errors"][0]["detail"]
        return text


@dataclass
class Service(Resource):
    """`python app.py` on a store; a `with` block starts it, ends it and removes its log."""

    store: Endpoints
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._log = Path()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the process."""
        addresses = {
            "PORT": str(self.port),
            "MU_SPARQL_ENDPOINT": self.store.endpoint,
            "MU_SPARQL_UPDATEPOINT": self.store.update_endpoint,
        }
        return os.environ | ENVIRONMENT | addresses | self.environ

    @property
    def arguments(self) -> list[str]:
        """The command of the process."""
        return [sys.executable, "app.py"]

    def start(self) -> Self:
        """Start the process, also again after a stop."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments,
                cwd=ROOT,
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def ready(self) -> Self:
        """Wait until the schedules are armed."""
        self.logged("ready: the schedules are armed")
        return self

    @property
    def log(self) -> str:
        """The output of all starts."""
        return self._log.read_text()

    def logged(self, text: str) -> None:
        """Wait until the log contains a text."""
        eventually(lambda: text in self.log or self._ended(), f"{text!r} in the log")
        assert text in self.log, self.log

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def call(self, method: str, path: str) -> Reply:
        """Call the API."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own service
                return _reply(answer)
        except urllib.error.HTTPError as error:
            return _reply(error)

    def answers(self) -> Self:
        """Wait until the HTTP server answers."""

        def answered() -> bool:
            try:
                return self.call("GET", "/").status == 200
            except OSError:
                return False

        eventually(answered, "an answer to GET /")
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def acquire(self, stack: ExitStack) -> None:
        """Run the process until the block ends."""
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        self._log = Path(folder) / "log"
        stack.callback(self._end)
        self.start()

    def _end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            end(self.process)


def _reply(answer: Any) -> Reply:
    return Reply(answer.status, answer.headers["Content-Type"], answer.read().decode())
