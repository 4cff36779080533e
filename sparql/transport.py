"""One HTTP exchange with the store: SPARQLWrapper builds the request, a kept connection sends it.

SPARQLWrapper itself sends through urllib's default opener, which does not fit here. It opens a
connection for each request. It uses the proxies of the environment (`http_proxy`, which Docker may
set in every container), but they do not know a host named `database`. It follows a redirect with a
GET that has lost the statement. And it raises exceptions for error statuses, which hide what the
store answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    responses,
)
from urllib.parse import urlsplit
from urllib.request import Request as UrlRequest

from SPARQLWrapper import INSERT, JSON, POST, SELECT, SPARQLWrapper

from jobs.store import Deadline
from sparql.connection import ConnectionPool
from sparql.errors import MAX_MESSAGE, BadAnswer, SparqlError, TimedOut, Unreachable

MAX_ANSWER_MIB = 64  # The answers with the most jobs have some MiB
PIECE = 1 << 16  # bytes of an answer that are read at once


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the store answered, with any status."""

    status: int
    headers: Message
    body: bytes

    def __str__(self) -> str:
        """Return the status and the beginning of the answer, or where a redirect points."""
        beginning = self.body[: 4 * MAX_MESSAGE].decode(errors="replace").strip()
        text = beginning or responses.get(self.status, "nothing")
        place = self.headers.get("Location")
        return f"{self.status}: " + (f"go to {place}" if place else text)


class Request(SPARQLWrapper):
    """A request that SPARQLWrapper builds and `exchange` sends."""

    def __init__(
        self, query_url: str, update_url: str, limits: Iterable[Deadline], *, update: bool
    ) -> None:
        self._type = INSERT if update else SELECT
        super().__init__(query_url, update_url, returnFormat=JSON)
        self.setMethod(POST)
        self.setOnlyConneg(onlyConneg=True)
        self.sent = False
        self._limits = limits

    def begin(self) -> bool:
        """Return whether it may be sent: name lookup and handshake may have used all the time.

        `sent` means that the request may have reached the store from now on.
        """
        self.sent = all(limit.remaining for limit in self._limits)
        return self.sent

    def _parseQueryType(self, _: str) -> str:  # noqa: N802 - the name is SPARQLWrapper's
        """Return what the caller knows.

        SPARQLWrapper would search the text for a keyword, which takes a tenth of the processor time
        of a request. It also finds keywords in the IRIs of prefixes.
        """
        return self._type

    def message(self) -> UrlRequest:
        """Return method, URL, headers and body."""
        message: UrlRequest = self._createRequest()
        return message


def exchange(request: Request, url: str, deadline: Deadline, pool: ConnectionPool) -> Answer:
    """Send a request and return the answer; raise `SparqlError` if there is none in time."""
    if not deadline.remaining:
        raise TimedOut(f"no time was left to ask {url}", sent=False)
    try:
        with pool.connection(urlsplit(url), deadline) as connection:
            if not request.begin():
                raise TimeoutError
            return _answer(request.message(), connection.http, url)
    except (OSError, HTTPException, ValueError, RuntimeError) as error:
        raise _from_connection(url, error, sent=request.sent) from error


def _answer(message: UrlRequest, http: HTTPConnection, url: str) -> Answer:
    headers = dict(message.header_items())
    http.request(message.get_method(), message.selector, message.data, headers)
    with http.getresponse() as response:
        body = _body(response, url)
        return Answer(status=response.status, headers=response.headers, body=body)


def _body(response: HTTPResponse, url: str) -> bytes:
    """Return the whole body; raise `BadAnswer` if it is too long for this process."""
    pieces: list[bytes] = []
    limit = MAX_ANSWER_MIB << 20
    while piece := response.read(PIECE):
        pieces.append(piece)
        limit -= len(piece)
        if limit < 0:
            raise BadAnswer(f"{url} answered with more than {MAX_ANSWER_MIB} MiB")
    body = b"".join(pieces)
    if response.length:  # A read of a piece does not check that the body is complete
        raise IncompleteRead(body, response.length)
    return body


def _from_connection(url: str, error: Exception, *, sent: bool) -> SparqlError:
    if isinstance(error, TimeoutError):
        what = "did not answer" if sent else "was not there"
        return TimedOut(f"{url} {what} in time", sent=sent)
    text = str(error) if isinstance(error, OSError) else repr(error)
    return Unreachable(f"no answer from {url}: {text}", sent=sent)
