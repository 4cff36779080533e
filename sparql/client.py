"""The one place that talks SPARQL over HTTP.

Every way in which a request can end without a usable answer is one of:

    jobs.store.StoreError
    └─ SparqlError
       ├─ Unreachable   refused, unknown host, connection lost, or a gateway says so (502, 503, 504)
       ├─ TimedOut      no whole answer within the caller's time
       ├─ Rejected      the store answered with a status that is no success; redirects too
       └─ BadAnswer     status 200 around something that is no answer: HTML, cut JSON, partial rows

An update that ended with an error that is `in_doubt` may have been applied, or may be later.

Requests go straight to the store: the proxies of the environment (`http_proxy`, which Docker may
set in every container) are for the world outside, and know no host named `database`.
"""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    responses,
)
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import URLError
from urllib.request import HTTPHandler, OpenerDirector, Request

from SPARQLWrapper import JSON, POST, SPARQLWrapper

from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from email.message import Message

    from jobs.store import Deadline

T = TypeVar("T")
_log = logging.getLogger(__name__)

# Waits before the second and third try of a read, in seconds: long enough for a store that is
# just being restarted by its orchestrator to refuse once, short enough for a person to wait.
RETRY_WAITS = (0.2, 1.0)
MESSAGE_LIMIT = 400  # characters: the URL, what is wrong, and the beginning of what was answered

_GATEWAY_STATUSES = (
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
# Virtuoso's words for an answer that ran out of time or rows, in spite of its 200.
_CUT_SHORT = ("X-SQL-State", "X-SPARQL-MaxRows")


class SparqlError(StoreError):
    """A request that ended without a usable answer; as text, one short line."""

    def __str__(self) -> str:
        """Return the message: parts of it are the store's own words, of any length and kind."""
        return one_line(super().__str__())


class Unreachable(SparqlError, StoreUnavailable):
    """No store there, or the connection to it was lost."""


class TimedOut(SparqlError, StoreUnavailable):
    """No whole answer within the caller's time."""


class Rejected(SparqlError):
    """The store answered with a status that is no success; after 5xx an update may be applied."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.in_doubt = status >= HTTPStatus.INTERNAL_SERVER_ERROR


class BadAnswer(SparqlError):
    """The store answered, but not what was asked."""

    in_doubt = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Message
    body: bytes

    def __str__(self) -> str:
        """Return the status and what was said with it: where to look instead, or a text."""
        beginning = self.body[: 4 * MESSAGE_LIMIT].decode(errors="replace").strip()
        text = beginning or responses.get(self.status, "nothing")
        place = self.headers.get("Location")
        return f"{self.status}: " + (f"go to {place}" if place else text)


@dataclass(frozen=True, kw_only=True)
class SparqlClient:
    """Sends queries and updates: form-encoded POST, with a timeout always and mu-auth-sudo.

    Without `mu-auth-sudo` an authorization layer may answer 200 to a write it put elsewhere.
    `observe` is told of each request: query or update, how it ended, and the seconds it took.
    """

    query_url: str
    update_url: str
    new_call_id: Callable[[], str]
    log_queries: bool = True
    log_updates: bool = True
    retry_waits: tuple[float, ...] = RETRY_WAITS
    wait: Callable[[float], None] = time.sleep
    observe: Callable[[str, str, float], None] = lambda _kind, _outcome, _seconds: None

    def query(self, text: str, deadline: Deadline) -> Any:
        """Send a query and return its JSON; try again where the store may have recovered."""
        if self.log_queries:
            _log.info("query to %s: %s", self.query_url, on_one_line(text))
        for pause in self.retry_waits:
            try:
                return self.probe(text, deadline)
            except SparqlError as error:
                if not _may_recover(error) or deadline.remaining <= pause:
                    raise
                _log.info("query failed, trying again in %s s: %s", pause, error)
            self.wait(pause)
        return self.probe(text, deadline)

    def probe(self, text: str, deadline: Deadline) -> Any:
        """Send a query once, unlogged, and return its JSON."""
        with self._observed("query"):
            answer = _send(self._request(text, deadline), self.query_url, deadline)
            try:
                return json.loads(answer.body)
            except (ValueError, RecursionError) as error:
                raise BadAnswer(f"{self.query_url} answered no JSON, but {answer}") from error

    def update(
        self,
        text: str,
        deadline: Deadline,
        *,
        send_by: Deadline | None = None,
        session: str | None = None,
    ) -> None:
        """Send an update once: whether an unanswered one may be repeated is not for us to say.

        It is not begun after `send_by`. `session` is its `mu-session-id`: delta-notifier puts
        the deltas of one session into one bundle, of which consumers may take only the first.
        """
        if send_by and not send_by.remaining:
            raise TimedOut("what was read before the update is too old by now", sent=False)
        if self.log_updates:
            _log.info("update to %s: %s", self.update_url, on_one_line(text))
        request = self._request(text, deadline, send_by, update=True)
        if session:
            request.addCustomHttpHeader("mu-session-id", session)
        with self._observed("update"):
            _send(request, self.update_url, deadline)

    @contextmanager
    def _observed(self, kind: str) -> Iterator[None]:
        """Tell how a request ended and how long it took: `ok`, or the name of its error."""
        began, outcome = time.monotonic(), "ok"
        try:
            yield
        except SparqlError as error:
            outcome = type(error).__name__
            raise
        finally:
            self.observe(kind, outcome, time.monotonic() - began)

    def _request(
        self,
        text: str,
        deadline: Deadline,
        send_by: Deadline | None = None,
        *,
        update: bool = False,
    ) -> _Request:
        """Make the request; one object each, for it is mutable and calls are concurrent."""
        request = _Request(self.query_url, self.update_url, (deadline, send_by or deadline))
        request.setMethod(POST)
        request.setOnlyConneg(onlyConneg=True)
        # It cuts fractions off and takes 0 as no limit.
        request.setTimeout(math.ceil(deadline.remaining))
        request.addCustomHttpHeader("mu-auth-sudo", "true")
        request.addCustomHttpHeader("mu-call-id", self.new_call_id())
        request.setQuery(text)
        if request.isSparqlUpdateRequest() is not update:
            raise ValueError(f"not {'an update' if update else 'a query'}: {one_line(text)}")
        return request


class _Request(SPARQLWrapper):
    """A request that SPARQLWrapper makes, and that goes out in a way of ours.

    urllib's own takes the proxies of the environment, and follows a redirect with a GET that has
    lost the statement. It makes exceptions of error statuses, some of which SPARQLWrapper turns
    into others that hold the store's words only as the repr of bytes.
    """

    def __init__(self, query_url: str, update_url: str, limits: Iterable[Deadline]) -> None:
        super().__init__(query_url, update_url, returnFormat=JSON)
        self.sent = False
        self._limits = limits

    def begin(self) -> bool:
        """Return whether it may go out: name server and handshake may have taken all the time.

        `sent` is set before the look at the clock, so that nobody reads in between that nothing
        was sent, and then it is.
        """
        self.sent = True
        self.sent = all(limit.remaining for limit in self._limits)
        return self.sent

    def _query(self) -> tuple[HTTPResponse, str]:
        opener = OpenerDirector()
        opener.add_handler(_Handler(self.begin))
        return opener.open(self._createRequest(), timeout=self.timeout), self.returnFormat


class _Handler(HTTPHandler):
    """Connects first, and asks then whether to go on.

    No HTTPSHandler: from Python 3.12 on it loads the certificates of the world each time.
    """

    https_request = HTTPHandler.http_request

    def __init__(self, begin: Callable[[], bool]) -> None:
        super().__init__()
        self._begin = begin

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connected, HTTPConnection), req)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connected, HTTPSConnection), req)

    def _connected(
        self, kind: type[HTTPConnection], host: str, *, timeout: float
    ) -> HTTPConnection:
        connection = kind(host, timeout=timeout)
        connection.connect()
        if not self._begin():
            connection.close()
            raise TimeoutError
        return connection


def on_one_line(statement: str) -> str:
    """Return a statement as one line of a log; its strings hold no line breaks."""
    return re.sub(r"\n\s*", " ", statement)


def one_line(text: str) -> str:
    """Return the beginning of `text` on one line, without what a terminal would obey."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * MESSAGE_LIMIT])
    line = " ".join(shown.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"


def _send(request: _Request, url: str, deadline: Deadline) -> Answer:
    if not deadline.remaining:
        raise TimedOut(f"no time was left to ask {url}", sent=False)
    try:
        answer = _within(deadline, lambda: _exchange(request))
    except (OSError, HTTPException, ValueError) as error:
        raise _from_connection(url, error, sent=request.sent) from error
    _check(url, answer)
    return answer


def _exchange(request: _Request) -> Answer:
    with request.query().response as response:
        return Answer(status=response.status, headers=response.headers, body=response.read())


def _within(deadline: Deadline, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise TimeoutError at the deadline.

    A socket's timeout bounds each single wait: a slow name server or a store that sends a byte
    now and then gets past it. The thread left behind ends with its connection, or with the
    process; a pool's thread would have the process wait for it.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, name="sparql", daemon=True).start()
    except RuntimeError as error:  # There are too many, or the interpreter is shutting down
        raise Unreachable(f"no request could be made: {error}", sent=False) from error
    return outcome.result(timeout=deadline.remaining)


def _check(url: str, answer: Answer) -> None:
    """Raise where an answer is none, or not the whole of it."""
    if answer.status in _GATEWAY_STATUSES:
        raise Unreachable(f"{url} answered {answer}", sent=True)
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Rejected(answer.status, f"{url} answered {answer}")
    if "html" in answer.headers.get("Content-Type", ""):
        raise BadAnswer(f"{url} answered with a page, {answer}")
    for name in _CUT_SHORT:
        if name in answer.headers:
            raise BadAnswer(f"{url} answered in part: {name} {answer.headers[name]}")


def _may_recover(error: SparqlError) -> bool:
    return isinstance(error, Unreachable) or (
        isinstance(error, Rejected) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _from_connection(url: str, error: Exception, *, sent: bool) -> SparqlError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        what = "did not answer" if sent else "was not there"
        return TimedOut(f"{url} {what} in time", sent=sent)
    text = str(reason) if isinstance(reason, OSError) else repr(reason)
    return Unreachable(f"no answer from {url}: {text}", sent=sent)
