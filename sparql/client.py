"""The one place that talks SPARQL over HTTP.

Every way in which a request can end without a usable answer is one of:

    jobs.store.StoreError
    └─ SparqlError
       ├─ Unreachable   refused, unknown host, connection lost, or a gateway says so (502, 503, 504)
       ├─ TimedOut      no whole answer within the caller's time
       ├─ Rejected      the store answered with a status that is no success; redirects too
       └─ BadAnswer     status 200 around something that is no answer: HTML, cut JSON, partial rows

After `Unreachable` with `sent`, or `TimedOut`, an update may have been applied, or may be later.

Requests go straight to the store: the proxies of the environment (`http_proxy`, which Docker may
set in every container) are for the world outside, and know no host named `database`.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, responses
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

from SPARQLWrapper import JSON, POST, SPARQLWrapper

from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
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
CUT_SHORT = ("X-SQL-State", "X-SPARQL-MaxRows")
_NO_CONNECTION = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)


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
    """

    query_url: str
    update_url: str
    new_call_id: Callable[[], str]
    log_queries: bool = True
    log_updates: bool = True
    wait: Callable[[float], None] = time.sleep

    def query(self, text: str, deadline: Deadline) -> Any:
        """Send a query and return its JSON; try again where the store may have recovered."""
        if self.log_queries:
            _log.info("query to %s\n%s", self.query_url, text)
        for pause in RETRY_WAITS:
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
        answer = self._send(text, deadline)
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
        if self.log_updates:
            _log.info("update to %s\n%s", self.update_url, text)
        if send_by and not send_by.remaining:
            raise TimedOut("what was read before the update is too old by now", sent=False)
        self._send(text, deadline, update=True, session=session)

    def _send(
        self, text: str, deadline: Deadline, *, update: bool = False, session: str | None = None
    ) -> Answer:
        url = self.update_url if update else self.query_url
        if not deadline.remaining:
            raise TimedOut(f"no time was left to ask {url}", sent=False)
        request = self._request(text, deadline.remaining)
        if session:
            request.addCustomHttpHeader("mu-session-id", session)
        if request.isSparqlUpdateRequest() is not update:
            raise ValueError(f"not {'an update' if update else 'a query'}: {one_line(text)}")
        try:
            answer = _within(deadline, lambda: _exchange(request))
        except (OSError, HTTPException, ValueError) as error:
            raise _from_connection(url, error) from error
        _check(url, answer)
        return answer

    def _request(self, text: str, seconds: float) -> _Request:
        """Make the request; one object each, for it is mutable and calls are concurrent."""
        request = _Request(self.query_url, self.update_url, returnFormat=JSON)
        request.setMethod(POST)
        request.setOnlyConneg(onlyConneg=True)
        request.setTimeout(math.ceil(seconds))  # It cuts fractions off, and takes 0 as no limit
        request.addCustomHttpHeader("mu-auth-sudo", "true")
        request.addCustomHttpHeader("mu-call-id", self.new_call_id())
        request.setQuery(text)
        return request


class _Request(SPARQLWrapper):
    """A SPARQLWrapper that uses an opener of ours in the place of urllib's own.

    urllib's goes through the proxies of the environment, and follows a redirect with a GET that
    has lost the statement. It makes exceptions of error statuses, of which SPARQLWrapper turns
    some into others that hold the store's words only as the repr of bytes.
    """

    def _query(self) -> tuple[HTTPResponse, str]:
        return _OPENER.open(self._createRequest(), timeout=self.timeout), self.returnFormat


_OPENER = OpenerDirector()
_OPENER.add_handler(HTTPHandler())
_OPENER.add_handler(HTTPSHandler())


def one_line(text: str) -> str:
    """Return the beginning of `text` on one line, without what a terminal would obey."""
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * MESSAGE_LIMIT])
    line = " ".join(shown.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"


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
    for name in CUT_SHORT:
        if name in answer.headers:
            raise BadAnswer(f"{url} answered in part: {name} {answer.headers[name]}")


def _may_recover(error: SparqlError) -> bool:
    return isinstance(error, Unreachable) or (
        isinstance(error, Rejected) and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _from_connection(url: str, error: Exception) -> SparqlError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return TimedOut(f"{url} did not answer in time", sent=True)
    text = str(reason) or type(reason).__name__
    return Unreachable(f"no answer from {url}: {text}", sent=not _never_left(reason))


def _never_left(reason: object) -> bool:
    """Tell whether no connection came about: no address for the name, or nobody there."""
    if isinstance(reason, (socket.gaierror, UnicodeError)):
        return True
    return isinstance(reason, OSError) and reason.errno in _NO_CONNECTION
