"""A proxy in front of a store that goes wrong on demand, in the ways real stores and networks do.

    with FaultProxy(store.endpoint) as proxy:
        proxy.only_updates = True
        proxy.script(Fault.RESET_AFTER, Fault.PASS)
        ...  # have the service use proxy.endpoint
        assert proxy.requests[0].headers["mu-auth-sudo"] == "true"

Faults are scripted for the next requests (`script`) or for all that follow (`always`), or chosen
request by request (`choose`). What was asked is recorded, whether or not it reached the store.
"""

from __future__ import annotations

import contextlib
import enum
import http.client
import re
import select
import socket
import struct
import threading
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, Self

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

POLL_INTERVAL = 0.02
STORE_TIMEOUT = 120.0
JSON = {"Content-Type": "application/sparql-results+json"}

# What Virtuoso says after an update.
UPDATE_DONE = (
    b'{"head":{"link":[],"vars":["callret-0"]},"results":{"distinct":false,"ordered":true,'
    b'"bindings":[{"callret-0":{"type":"literal","value":"Insert into <g>, 1 triples -- done"}}]}}'
)

# Headers that belong to one connection; the rest is handed on, both ways.
PER_CONNECTION = {
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
}

# The parts of SPARQL in which a brace or semicolon means nothing, then these themselves.
TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''(?:\\.|[^\\])*?'''"
    r'|"(?:\\.|[^"\\])*"'
    r"|'(?:\\.|[^'\\])*'"
    r"|<[^<>\s]*>"
    r"|#[^\n]*"
    r"|[{};]",
    re.DOTALL,
)
PROLOGUE = r"(?:\s|#[^\n]*\n|(?:BASE|PREFIX\s+\S*:)\s*<[^<>\s]*>)*"
UPDATE = re.compile(
    PROLOGUE + r"(?:INSERT|DELETE|WITH|CLEAR|DROP|CREATE|LOAD|COPY|MOVE|ADD)\b", re.IGNORECASE
)


class Fault(enum.Enum):
    """What happens to a request. "Store" tells whether the request reaches the store."""

    PASS = enum.auto()  # Store: yes. Nothing goes wrong
    REFUSE = enum.auto()  # Store: no. The port is closed; see FaultProxy.script
    RESET_BEFORE = enum.auto()  # Store: no. The connection is reset
    RESET_AFTER = enum.auto()  # Store: yes. The connection is reset instead of the answer
    UNAVAILABLE = enum.auto()  # Store: no. 503
    SERVER_ERROR = enum.auto()  # Store: no. 500
    NOT_FOUND = enum.auto()  # Store: no. 404
    HANG = enum.auto()  # Store: no. No answer until the client hangs up
    HANG_THEN_APPLY = enum.auto()  # Store: when FaultProxy.release is called. Then the answer
    DELAY = enum.auto()  # Store: after Request.delay, be the client there or not. Then the answer
    TRICKLE = enum.auto()  # Store: yes. The answer comes byte by byte, one each FaultProxy.pause
    CUT_BODY = enum.auto()  # Store: yes. Content-Length announces more than is sent
    CUT_JSON = enum.auto()  # Store: yes. Half of the JSON, in correct HTTP
    PARTIAL = enum.auto()  # Store: yes. 200 without rows, and Virtuoso's header that says so
    HTML = enum.auto()  # Store: no. 200 with a page for humans
    EMPTY = enum.auto()  # Store: no. 200 without a body
    IGNORE = enum.auto()  # Store: no. 200 as if the update was done
    FIRST_OPERATION = enum.auto()  # Store: the first operation of the update. Its answer
    FIRST_OPERATION_THEN_500 = enum.auto()  # Store: the first operation of the update. 500


@dataclass(frozen=True)
class Request:
    """A request as the proxy got it, with the fault it met; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes
    fault: Fault = Fault.PASS
    delay: float = 0.0  # seconds, for DELAY
    came: float = field(default_factory=time.time)  # seconds since 1970

    @property
    def sparql(self) -> str:
        """The text of the query or update, however it was sent."""
        if self.headers.get("content-type", "").startswith("application/sparql-"):
            return self.body.decode()
        return self.form.get("update", self.form.get("query", ""))

    @property
    def is_update(self) -> bool:
        """Whether it writes; some clients send updates in the field `query`."""
        return "update" in self.form or UPDATE.match(self.sparql) is not None


@dataclass(frozen=True)
class Answer:
    """An answer of the store, or one made up."""

    status: int
    headers: dict[str, str]
    body: bytes

    def head(self) -> bytes:
        """Status line and headers, as bytes."""
        headers = self.headers | {"Connection": "close"}
        if self.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def page(status: HTTPStatus) -> Answer:
    """Make the kind of page that proxies answer when something behind them is wrong."""
    body = f"<html><h1>{status.phrase}</h1></html>"
    return Answer(status, {"Content-Type": "text/html"}, body.encode())


CANNED = {
    Fault.UNAVAILABLE: page(HTTPStatus.SERVICE_UNAVAILABLE),
    Fault.SERVER_ERROR: page(HTTPStatus.INTERNAL_SERVER_ERROR),
    Fault.NOT_FOUND: page(HTTPStatus.NOT_FOUND),
    Fault.HTML: page(HTTPStatus.OK),
    Fault.EMPTY: Answer(HTTPStatus.OK, JSON, b""),
    Fault.IGNORE: Answer(HTTPStatus.OK, JSON, UPDATE_DONE),
}
# A query that was given up half way; the rows found by then may be none.
NO_ROWS = Answer(
    HTTPStatus.OK, JSON | {"X-SQL-State": "S1TAT"}, b'{"head":{},"results":{"bindings":[]}}'
)


class FaultProxy:
    """An HTTP proxy on a free port of 127.0.0.1 with the same paths as the store behind it."""

    def __init__(self, upstream_url: str) -> None:
        upstream = urllib.parse.urlsplit(upstream_url)
        self._upstream = (upstream.hostname or "", upstream.port or 80)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # The URL the proxy was made for, through the proxy.
        self.endpoint = self.update_endpoint = self.url + upstream.path
        self.requests: list[Request] = []
        # Requests for which these do not hold pass, and take nothing from the script.
        self.only_updates = False
        self.only: Callable[[Request], bool] = lambda _: True
        # Seconds between two bytes of TRICKLE: short for a timeout of one read, long for the whole.
        self.pause = 0.05
        # Gives each request its fault, instead of `script` and `always`; for REFUSE there is only
        # `always`. Called for one request at a time.
        self.choose: Callable[[Request], Request] | None = None
        # Told what the store answered to a request, None where it is not there, just before the
        # client is. Called in the threads of the requests.
        self.answered: Callable[[Request, Answer | None], None] = lambda _request, _answer: None
        self.remember = True  # whether requests are recorded; hours of them fill the memory
        self._script: deque[Fault] = deque()
        self._always = Fault.PASS
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._closing = threading.Event()
        self._listener: _Listener | None = None
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._errors: list[Exception] = []

    # -- what tests use ------------------------------------------------------------------------

    @property
    def updates(self) -> list[Request]:
        """The recorded requests that write."""
        return [request for request in self.requests if request.is_update]

    def script(self, *faults: Fault) -> None:
        """Give the next requests one fault each; those after them get what `always` said.

        REFUSE can only be the last: nobody knocks at a closed port audibly. It closes when the
        requests before it have come in, and opens at the next `script` or `always`.
        """
        if Fault.REFUSE in faults[:-1]:
            raise ValueError("REFUSE must be the last of a script: refused requests are not seen")
        with self._lock:
            self._script = deque(faults)
            self._open_or_close()

    def always(self, fault: Fault) -> None:
        """Give all requests from now on the same fault; what was scripted is forgotten."""
        with self._lock:
            self._script.clear()
            self._always = fault
            self._open_or_close()

    def release(self, timeout: float = 10.0) -> None:
        """Let requests under HANG_THEN_APPLY reach the store; come back when all are answered."""
        self._released.set()
        self.wait_idle(timeout)
        self._released.clear()

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Wait until no request is being worked on, for instance one whose client gave up."""
        deadline = time.monotonic() + timeout
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"a request is still in the proxy after {timeout} s")

    # -- opening and closing -------------------------------------------------------------------

    def __enter__(self) -> Self:
        with self._lock:
            self._open_or_close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        with self._lock:
            self._close()
        for connection in list(self._sockets):
            shut(connection)
        self.wait_idle()
        if self._errors and error is None:
            raise ExceptionGroup("in the proxy", self._errors)

    def _open_or_close(self) -> None:
        """Have the port as the next fault wants it. Call with the lock held."""
        if self._next() is Fault.REFUSE:
            self._close()
        elif self._listener is None and not self._closing.is_set():
            self._listener = _Listener(self.port, self._accepted)

    def _next(self) -> Fault:
        return self._script[0] if self._script else self._always

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # -- one connection, in its own thread ------------------------------------------------------

    def _accepted(self, client: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(client,), name="fault-proxy")
        self._sockets.add(client)
        self._threads = [*(old for old in self._threads if old.is_alive()), thread]
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as stream:
                request = read_request(stream)
                if request is not None:
                    self._treat(client, self._record(request))
        except OSError:
            pass  # The client gave up, or the proxy closes: part of the game
        except Exception as error:  # noqa: BLE001 - a bug; `__exit__` raises it where it is seen
            self._errors.append(error)
        finally:
            self._sockets.discard(client)

    def _record(self, request: Request) -> Request:
        """Choose the fault of a request, and remember both."""
        with self._lock:
            if self.choose is not None:
                request = self.choose(request)
            elif self.only(request) and (request.is_update or not self.only_updates):
                request = replace(request, fault=self._next())
                if self._script and request.fault is not Fault.REFUSE:
                    self._script.popleft()
                self._open_or_close()
            if self.remember:
                self.requests.append(request)
        return request

    def _treat(self, client: socket.socket, request: Request) -> None:
        match request.fault:
            case Fault.RESET_BEFORE | Fault.REFUSE:  # Came in while the port was being closed
                reset(client)
            case Fault.RESET_AFTER:
                self._forward(request)
                reset(client)
            case Fault.HANG:
                self._wait_for_hangup(client)
            case Fault.HANG_THEN_APPLY | Fault.DELAY:
                self._hold_back(request)
                self._send(client, self._forward(request))
            case Fault.FIRST_OPERATION:
                self._send(client, self._forward(only_first_operation(request)))
            case Fault.FIRST_OPERATION_THEN_500:
                self._forward(only_first_operation(request))
                self._send(client, CANNED[Fault.SERVER_ERROR])
            case fault if fault in CANNED:
                self._send(client, CANNED[fault])
            case fault:
                self._deliver(client, self._forward(request), fault)

    def _deliver(self, client: socket.socket, answer: Answer, fault: Fault) -> None:
        """Send an answer of the store, whole or spoilt; one without a body is replaced first."""
        spoilt = answer if answer.body else CANNED[Fault.IGNORE]
        half = spoilt.body[: len(spoilt.body) // 2]
        match fault:
            case Fault.TRICKLE:
                self._trickle(client, spoilt)
            case Fault.CUT_BODY:
                client.sendall(spoilt.head() + half)
            case Fault.CUT_JSON:
                self._send(client, replace(spoilt, body=half))
            case Fault.PARTIAL:
                self._send(client, NO_ROWS)
            case _:
                self._send(client, answer)

    def _send(self, client: socket.socket, answer: Answer) -> None:
        client.sendall(answer.head() + answer.body)

    def _trickle(self, client: socket.socket, answer: Answer) -> None:
        client.sendall(answer.head())
        for byte in answer.body:
            if self._closing.wait(self.pause):
                return
            client.sendall(bytes([byte]))

    def _wait_for_hangup(self, client: socket.socket) -> None:
        while not self._closing.is_set():
            readable, _, _ = select.select([client], [], [], POLL_INTERVAL)
            if readable and not client.recv(1, socket.MSG_PEEK):
                return

    def _hold_back(self, request: Request) -> None:
        if request.fault is Fault.DELAY:
            self._closing.wait(request.delay)
        else:
            while not (self._closing.is_set() or self._released.wait(POLL_INTERVAL)):
                pass
        if self._closing.is_set():
            raise ConnectionAbortedError

    def _forward(self, request: Request) -> Answer:
        """Hand a request on to the store; when that is not there, answer 502 as proxies do."""
        connection = http.client.HTTPConnection(*self._upstream, timeout=STORE_TIMEOUT)
        try:
            connection.connect()
        except OSError:
            self.answered(request, None)
            return page(HTTPStatus.BAD_GATEWAY)
        opened = connection.sock
        self._sockets.add(opened)
        try:
            if self._closing.is_set():
                raise ConnectionAbortedError
            headers = handed_on(request.headers)
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            headers = handed_on(dict(response.getheaders()))
            answer = Answer(response.status, headers, response.read())
        except http.client.HTTPException as error:  # The store ended in the middle of its answer
            raise ConnectionAbortedError from error
        else:
            self.answered(request, answer)
            return answer
        finally:
            connection.close()
            self._sockets.discard(opened)


class _Listener:
    """An open port; closing it waits until it is really closed."""

    def __init__(self, port: int, accepted: Callable[[socket.socket], None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self._socket.settimeout(POLL_INTERVAL)
        self._accepted = accepted
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="fault-proxy-listener")
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            self._accepted(client)


def handed_on(headers: dict[str, str]) -> dict[str, str]:
    """Leave out the headers that belong to one connection."""
    return {name: text for name, text in headers.items() if name.lower() not in PER_CONNECTION}


def read_request(stream: BinaryIO) -> Request | None:
    """Read one request; None when the connection closes without one."""
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    method, path, _ = first
    headers = {k.lower(): v for k, v in http.client.parse_headers(stream).items()}
    body = stream.read(int(headers.get("content-length", "0")))
    fields = urllib.parse.urlsplit(path).query
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        fields = f"{fields}&{body.decode('ascii')}"
    form = dict(urllib.parse.parse_qsl(fields, keep_blank_values=True))
    return Request(method, path, headers, form, body)


def only_first_operation(request: Request) -> Request:
    """Cut a form-encoded update after its first operation."""
    field = "update" if "update" in request.form else "query"
    body = urllib.parse.urlencode(request.form | {field: first_operation(request.sparql)})
    return replace(request, body=body.encode())


def first_operation(text: str) -> str:
    """Return the text of an update up to the first `;` between two operations."""
    depth = 0
    for token in TOKEN.finditer(text):
        match token.group():
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case ";" if depth == 0:
                return text[: token.start()]
    return text


def reset(connection: socket.socket) -> None:
    """Close a connection with RST instead of FIN: lingering for no time drops it at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())


def shut(connection: socket.socket) -> None:
    """Wake whoever waits for a connection; it may be closed already."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
