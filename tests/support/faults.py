"""Faults of real stores and networks, and the HTTP messages that they affect."""

from __future__ import annotations

import enum
import http.client
import time
import urllib.parse
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import BinaryIO

from tests.support.sparql_text import first_operation, is_update

JSON = {"Content-Type": "application/sparql-results+json"}

# The answer of Virtuoso to an update.
UPDATE_DONE = (
    b'{"head":{"link":[],"vars":["callret-0"]},"results":{"distinct":false,"ordered":true,'
    b'"bindings":[{"callret-0":{"type":"literal","value":"Insert into <g>, 1 triples -- done"}}]}}'
)

# Headers that belong to one connection. The others are forwarded in both directions.
PER_CONNECTION = {
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
}


class Fault(enum.Enum):
    """What happens to a request. "Store" is whether the request reaches the store."""

    PASS = enum.auto()  # Store: yes. No fault
    REFUSE = enum.auto()  # Store: no. The port is closed; see FaultProxy.script
    RESET_BEFORE = enum.auto()  # Store: no. The connection is reset
    RESET_AFTER = enum.auto()  # Store: yes. The connection is reset instead of the answer
    UNAVAILABLE = enum.auto()  # Store: no. 503
    SERVER_ERROR = enum.auto()  # Store: no. 500
    NOT_FOUND = enum.auto()  # Store: no. 404
    HANG = enum.auto()  # Store: no. No answer until the client hangs up
    HANG_THEN_APPLY = enum.auto()  # Store: when FaultProxy.release is called. Then the answer
    DELAY = enum.auto()  # Store: after Request.delay, even if the client left. Then the answer
    TRICKLE = enum.auto()  # Store: yes. The answer comes byte by byte, one each FaultProxy.pause
    CUT_BODY = enum.auto()  # Store: yes. Content-Length is more than the bytes that are sent
    CUT_JSON = enum.auto()  # Store: yes. Half of the JSON, in correct HTTP
    PARTIAL = enum.auto()  # Store: yes. 200 without rows, with Virtuoso's header for that
    HTML = enum.auto()  # Store: no. 200 with a page for people
    EMPTY = enum.auto()  # Store: no. 200 without a body
    IGNORE = enum.auto()  # Store: no. 200 as if the update was done
    FIRST_OPERATION = enum.auto()  # Store: the first operation of the update. Its answer
    FIRST_OPERATION_THEN_500 = enum.auto()  # Store: the first operation of the update. 500


@dataclass(frozen=True)
class Request:
    """A request as the proxy received it, with its fault; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    body: bytes
    fault: Fault = Fault.PASS
    delay: float = 0.0  # seconds, for DELAY
    received: float = field(default_factory=time.time)  # seconds since 1970

    @property
    def sparql(self) -> str:
        """The text of the query or update, in whichever way it was sent."""
        if self.headers.get("content-type", "").startswith("application/sparql-"):
            return self.body.decode()
        return self.form.get("update", self.form.get("query", ""))

    @property
    def is_update(self) -> bool:
        """Whether the request writes; some clients send updates in the field `query`."""
        return "update" in self.form or is_update(self.sparql)


@dataclass(frozen=True)
class Answer:
    """An answer of the store or of the proxy."""

    status: int
    headers: dict[str, str]
    body: bytes

    def head(self, *, keep: bool = False) -> bytes:
        """Return status line and headers; a client may use a kept connection again."""
        headers = self.headers | {"Connection": "keep-alive" if keep else "close"}
        if self.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def page(status: HTTPStatus) -> Answer:
    """Return the kind of page that proxies answer when a server behind them fails."""
    body = f"<html><h1>{status.phrase}</h1></html>"
    return Answer(status, {"Content-Type": "text/html"}, body.encode())


# The answers of faults that need no store.
CANNED = {
    Fault.UNAVAILABLE: page(HTTPStatus.SERVICE_UNAVAILABLE),
    Fault.SERVER_ERROR: page(HTTPStatus.INTERNAL_SERVER_ERROR),
    Fault.NOT_FOUND: page(HTTPStatus.NOT_FOUND),
    Fault.HTML: page(HTTPStatus.OK),
    Fault.EMPTY: Answer(HTTPStatus.OK, JSON, b""),
    Fault.IGNORE: Answer(HTTPStatus.OK, JSON, UPDATE_DONE),
}
# The answer to a query that Virtuoso gave up half way, before it had found a row.
NO_ROWS = Answer(
    HTTPStatus.OK, JSON | {"X-SQL-State": "S1TAT"}, b'{"head":{},"results":{"bindings":[]}}'
)


def forwarded(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers without those that belong to one connection."""
    return {name: text for name, text in headers.items() if name.lower() not in PER_CONNECTION}


def read_request(stream: BinaryIO) -> Request | None:
    """Read one request; return None when the connection closes without one."""
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
    """Return a form-encoded update, cut after its first operation."""
    field = "update" if "update" in request.form else "query"
    body = urllib.parse.urlencode(request.form | {field: first_operation(request.sparql)})
    return replace(request, body=body.encode())
