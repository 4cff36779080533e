"""Real stores for the tests on free ports of 127.0.0.1, and a SPARQL client of their own.

    with Oxigraph() as store:
        update(store, "INSERT DATA { GRAPH <http://g> { <http://a> <http://b> 1 } }")
        assert select(store, "SELECT ?o { GRAPH <http://g> { ?s ?p ?o } }") == [{"o": "1"}]

The tests write and read as other services do, with `select` and `update`. They share no code with
the service, so that no test checks the service with the service's own code.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from abc import abstractmethod
from contextlib import ExitStack, closing
from pathlib import Path
from typing import ClassVar, Protocol

from tests.support.contexts import Resource
from tests.support.patience import PATIENCE
from tests.support.processes import dismiss, end, guard
from tests.support.sockets import free_port

# Seconds.
POLL_INTERVAL = 0.02
REQUEST_TIMEOUT = 120.0

# Internal graphs of Virtuoso. Without them it answers some requests with 500.
VIRTUOSO_GRAPHS = (
    "http://www.openlinksw.com/schemas/virtrdf#",
    "http://www.w3.org/ns/ldp#",
    "http://www.w3.org/2002/07/owl#",
    "http://localuriqaserver/sparql",
    "urn:core:services:sparql",
)


class StoreError(Exception):
    """A request or a start of a store failed, or its answer is partial."""


class Endpoints(Protocol):
    """What `select` and `update` need: a store, or a proxy in front of one."""

    @property
    def endpoint(self) -> str: ...

    @property
    def update_endpoint(self) -> str: ...


class Store(Resource):
    """A store in its own process, which a `with` block starts, stops and removes.

    A test may call `stop` and `start` inside the block. The store then returns on the same port.
    """

    name: ClassVar[str]
    query_path: ClassVar[str]
    update_path: ClassVar[str]
    shared_path: ClassVar[str]

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.endpoint = self.url + self.query_path
        self.update_endpoint = self.url + self.update_path
        # Accepts queries and updates, for a service with one endpoint variable.
        self.shared_endpoint = self.url + self.shared_path
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The temporary folder of this store."""
        if self._folder is None:
            raise StoreError(f"{self.name} is used outside its `with` block")
        return self._folder

    @property
    def pid(self) -> int:
        """The process id of the running store."""
        if self._process is None:
            raise StoreError(f"{self.name} is not running")
        return self._process.pid

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the command line that runs the store in the foreground."""

    def acquire(self, stack: ExitStack) -> None:
        """Run the store until the block ends."""
        folder = tempfile.TemporaryDirectory(prefix=f"{self.name}-")
        self._folder = Path(stack.enter_context(folder))
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        """Start the process and wait until it answers a query, or raise StoreError."""
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = guard(self._process.pid, self.folder)
        self._wait_ready(self._process)

    def stop(self) -> None:
        """End the process and wait for its end; do nothing if it is not running."""
        if self._guard is not None:
            dismiss(self._guard)
            self._guard = None
        if self._process is not None:
            end(self._process)
            self._process = None

    def log(self) -> str:
        """Return the output of the store since its first start."""
        return (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            try:
                post(self.endpoint, "query", "ASK {}")
            except (OSError, http.client.HTTPException, StoreError):
                time.sleep(POLL_INTERVAL)
            else:
                return
        raise StoreError(
            f"{self.name} did not start (exit status {process.poll()}), its output:\n{self.log()}"
        )


class Oxigraph(Store):
    """The `oxigraph serve` binary of the PyPI package.

    With a folder, the data is kept there. Without one, it is in memory and `stop` discards it.
    """

    name = "oxigraph"
    query_path = "/query"
    update_path = "/update"
    shared_path = "/sparql"

    def __init__(self, data: Path | None = None) -> None:
        super().__init__()
        self._data = data

    def _command(self) -> list[str]:
        location = [] if self._data is None else ["--location", str(self._data)]
        return [oxigraph_binary(), "serve", "--bind", f"127.0.0.1:{self.port}", *location]


def oxigraph_binary() -> str:
    """Return the binary beside the running Python, or the one on PATH."""
    beside = Path(sys.executable).with_name("oxigraph")
    found = str(beside) if beside.exists() else shutil.which("oxigraph")
    if found is None:
        raise StoreError("no `oxigraph` binary; install the PyPI package of that name")
    return found


def select(store: Endpoints, query: str) -> list[dict[str, str]]:
    """Return the rows of a SELECT as mappings of variable to text, without unbound variables."""
    return [
        {name: term["value"] for name, term in row.items()} for row in select_terms(store, query)
    ]


def select_terms(store: Endpoints, query: str) -> list[dict[str, dict[str, str]]]:
    """Return the rows of a SELECT with type, datatype and language of each term."""
    answer = json.loads(post(store.endpoint, "query", query))
    rows: list[dict[str, dict[str, str]]] = answer["results"]["bindings"]
    return rows


def update(store: Endpoints, text: str) -> None:
    """Send an update as another service would, and raise StoreError unless it succeeded."""
    post(store.update_endpoint, "update", text)


def clear(store: Endpoints) -> None:
    """Delete all graphs except the store's internal ones, so that tests can share a store."""
    rows = select(store, "SELECT DISTINCT ?graph WHERE { GRAPH ?graph { ?s ?p ?o } }")
    graphs = sorted({row["graph"] for row in rows} - set(VIRTUOSO_GRAPHS))
    if graphs:
        update(store, " ; ".join(f"CLEAR GRAPH <{graph}>" for graph in graphs))


def post(url: str, field: str, text: str) -> bytes:
    """Send SPARQL form-encoded and return the body, or raise StoreError with the cause."""
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(
        target.hostname or "", target.port, timeout=REQUEST_TIMEOUT
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/sparql-results+json",
    }
    with closing(connection):
        connection.request("POST", target.path, urllib.parse.urlencode({field: text}), headers)
        answer = connection.getresponse()
        body = answer.read()
    # Virtuoso sends this header with status 200 when it gave up half way.
    state = answer.getheader("X-SQL-State")
    if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT) or state:
        raise StoreError(f"{answer.status} {state or ''} {body.decode(errors='replace')}")
    return body
