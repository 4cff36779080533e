"""Real stores for the tests: Oxigraph and Virtuoso on free ports of 127.0.0.1.

    with Virtuoso() as store:
        update(store, "INSERT DATA { GRAPH <http://g> { <http://a> <http://b> 1 } }")
        assert select(store, "SELECT ?o { GRAPH <http://g> { ?s ?p ?o } }") == [{"o": "1"}]

The tests play other services and look at what was written with `select` and `update`. They share
no code with the service, so that no test checks the service with the service's own code.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from types import TracebackType

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
POLL_INTERVAL = 0.02
REQUEST_TIMEOUT = 120.0

# Below Linux' range for outgoing connections (32768 and up): nothing takes the port of a store
# between its stop and its next start.
PORTS = range(20000, 32000)

# Graphs that Virtuoso keeps for itself; it answers some requests with 500 once they are gone.
VIRTUOSO_GRAPHS = (
    "http://www.openlinksw.com/schemas/virtrdf#",
    "http://www.w3.org/ns/ldp#",
    "http://www.w3.org/2002/07/owl#",
    "http://localuriqaserver/sparql",
    "urn:core:services:sparql",
)

VIRTUOSO_INI = """\
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
ErrorLogLevel = 7
FileExtend = 200
MaxCheckpointRemap = 2000

[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
MaxCheckpointRemap = 2000

[Parameters]
ServerPort = 127.0.0.1:{sql_port}
DisableUnixSocket = 1
ServerThreads = 50
CheckpointInterval = 0
SchedulerInterval = 10
DirsAllowed = {folder}
NumberOfBuffers = 8000
MaxDirtyBuffers = 6000

[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
ServerThreads = 50

[SPARQL]
ResultSetMaxRows = 10000000
MaxQueryExecutionTime = 600
MaxQueryCostEstimationTime = 0
"""


class StoreError(Exception):
    """A store did not do what a test asked: wrong status, partial answer, failed start."""


class Endpoints(Protocol):
    """What `select` and `update` need: a store, or a proxy in front of one."""

    @property
    def endpoint(self) -> str: ...

    @property
    def update_endpoint(self) -> str: ...


def free_port() -> int:
    """Pick a port of 127.0.0.1 that nothing listens on."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Store(ABC):
    """A store in a process of its own; a context manager that leaves nothing behind.

    `stop` and `start` may be called in between, for tests of a store that goes away and comes back
    on the same port.
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
        # Takes queries and updates, as a service with one endpoint variable needs.
        self.shared_endpoint = self.url + self.shared_path
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def folder(self) -> Path:
        """Temporary folder of this store."""
        if self._temporary is None:
            raise StoreError(f"{self.name} is used outside its `with` block")
        return Path(self._temporary.name)

    @property
    def pid(self) -> int:
        """Process id of the running store."""
        if self._process is None:
            raise StoreError(f"{self.name} is not running")
        return self._process.pid

    @abstractmethod
    def _command(self) -> list[str]:
        """Command line that runs the store in the foreground."""

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix=f"{self.name}-")
        try:
            self.start()
        except BaseException:
            self._temporary.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def start(self) -> None:
        """Start the process and wait until it answers a query."""
        try:
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
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, and come back when it is gone; nothing happens if it is not running."""
        if self._guard is not None:
            with self._guard as watcher:
                watcher.kill()
            self._guard = None
        if self._process is not None:
            end(self._process)
            self._process = None

    def log(self) -> str:
        """Return what the store printed since its first start."""
        return (self.folder / "output.log").read_text(encoding="utf-8", errors="replace")

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            try:
                post(self.endpoint, "query", "ASK {}")
            except (OSError, http.client.HTTPException, StoreError):
                time.sleep(POLL_INTERVAL)
            else:
                return
        raise StoreError(
            f"{self.name} did not start (exit status {process.poll()}), it printed:\n{self.log()}"
        )


class Oxigraph(Store):
    """The `oxigraph serve` binary of the PyPI package.

    Data is in memory and lost by `stop`, unless a folder for it is given.
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


class Virtuoso(Store):
    """Virtuoso 7, the store of every real stack; its data survives `stop` and `start`."""

    name = "virtuoso"
    query_path = update_path = shared_path = "/sparql"

    def __init__(self) -> None:
        super().__init__()
        self.sql_port = free_port()
        self._granted = False

    def _command(self) -> list[str]:
        ini = self.folder / "virtuoso.ini"
        ini.write_text(
            VIRTUOSO_INI.format(folder=self.folder, port=self.port, sql_port=self.sql_port),
            encoding="utf-8",
        )
        # A lock file stays behind when the process was killed, and would refuse the next start.
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        return ["virtuoso-t", "+foreground", "+configfile", str(ini)]

    def start(self) -> None:
        """Start as any store, and the first time let HTTP callers write."""
        super().start()
        if not self._granted:
            self.sql('GRANT SPARQL_UPDATE TO "SPARQL"')
            self._granted = True

    def sql(self, statement: str) -> str:
        """Run one SQL statement as administrator and return what was printed."""
        done = subprocess.run(
            ["isql-vt", f"127.0.0.1:{self.sql_port}", "dba", "dba", "ERRORS=STDOUT"],
            input=f"{statement};\n",
            capture_output=True,
            text=True,
            timeout=REQUEST_TIMEOUT,
            check=False,
        )
        if done.returncode != 0 or "*** Error" in done.stdout:
            raise StoreError(f"{statement}: {done.stdout}{done.stderr}")
        return done.stdout


def virtuoso_available() -> bool:
    """Tell whether the Debian package virtuoso-opensource-7 is installed."""
    return all(shutil.which(binary) for binary in ("virtuoso-t", "isql-vt"))


def oxigraph_binary() -> str:
    """Find the binary beside the running Python, else on the PATH."""
    beside = Path(sys.executable).with_name("oxigraph")
    found = str(beside) if beside.exists() else shutil.which("oxigraph")
    if found is None:
        raise StoreError("no `oxigraph` binary; install the PyPI package of that name")
    return found


def guard(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start a watcher that ends a store when the tests are killed and so cannot do it.

    It waits for the end of a pipe, which comes with the end of the tests.
    """
    return subprocess.Popen(
        ["sh", "-c", 'cat; kill -9 "$1"; rm -rf "$2"', "guard", str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it when it does not listen."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def select(store: Endpoints, query: str) -> list[dict[str, str]]:
    """Return the rows of a SELECT, each a mapping of variable to text; unbound ones are absent."""
    return [
        {name: term["value"] for name, term in row.items()} for row in select_terms(store, query)
    ]


def select_terms(store: Endpoints, query: str) -> list[dict[str, dict[str, str]]]:
    """Return the rows of a SELECT with type, datatype and language of each term."""
    answer = json.loads(post(store.endpoint, "query", query))
    rows: list[dict[str, dict[str, str]]] = answer["results"]["bindings"]
    return rows


def update(store: Endpoints, text: str) -> None:
    """Send an update, as another service would; raise unless the store says it is done."""
    post(store.update_endpoint, "update", text)


def clear(store: Endpoints) -> None:
    """Delete every graph but those a store keeps for itself, so that tests can share a store."""
    rows = select(store, "SELECT DISTINCT ?graph WHERE { GRAPH ?graph { ?s ?p ?o } }")
    graphs = sorted({row["graph"] for row in rows} - set(VIRTUOSO_GRAPHS))
    if graphs:
        update(store, " ; ".join(f"CLEAR GRAPH <{graph}>" for graph in graphs))


def post(url: str, field: str, text: str) -> bytes:
    """Send SPARQL form-encoded and return the body, or raise `StoreError` with what went wrong."""
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(
        target.hostname or "", target.port, timeout=REQUEST_TIMEOUT
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/sparql-results+json",
    }
    try:
        connection.request("POST", target.path, urllib.parse.urlencode({field: text}), headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    # Virtuoso answers 200 with this header when it gave up half way.
    state = answer.getheader("X-SQL-State")
    if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.NO_CONTENT) or state:
        raise StoreError(f"{answer.status} {state or ''} {body.decode(errors='replace')}")
    return body
