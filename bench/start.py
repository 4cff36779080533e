"""How long a start takes, beside the import of the libraries alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory

from bench.measure import median, seconds
from tests.support.servers import Store
from tests.support.service import Service

TIMES = 10
POLL_SECONDS = 0.001
LIBRARIES = "import flask, apscheduler.schedulers.background, SPARQLWrapper, pydantic"
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


def measure(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield a row; both read bytecode, as in the image, which is compiled when it is built."""
    with TemporaryDirectory() as folder:
        compiled = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        alone = os.environ | compiled
        times = [
            (_start(store, compiled), seconds(lambda: _import(alone))) for _ in range(TIMES + 1)
        ]
    ours, least = map(median, zip(*times[1:], strict=True))  # the first one wrote the bytecode
    what = "start to first answer; beside it, the import of the libraries"
    yield (what, f"{ours:.0f} ms", f"{least:.0f} ms", f"{ours / least:.2f} ×")


def _start(store: Store, variables: dict[str, str]) -> float:
    """Return the seconds from the start of the process to its first answer."""
    began = time.perf_counter()
    with Service(store, {"START_INITIAL_SYNC": "false", **variables}) as service:
        while not _answers(service.port):
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - began


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(REQUEST)
            return bool(connection.recv(1))
    except OSError:
        return False


def _import(variables: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, env=variables)  # noqa: S603 - its own text
