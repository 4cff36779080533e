"""The one place that talks SPARQL over HTTP.

Every way in which a request can end without a usable answer is one of:

    jobs.store.StoreError
    └─ SparqlError
       ├─ Unreachable   refused, unknown host, connection lost, or a gateway says so (502, 503, 504)
       ├─ TimedOut      no whole answer within the caller's time
       ├─ Rejected      the store answered with an error status
       └─ BadAnswer     status 200 around something that is no answer: HTML, cut JSON, partial rows

After `Unreachable` with `sent`, or `TimedOut`, an update may have been applied, or may be later.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError, URLError

from SPARQLWrapper import JSON, POST, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.store import Deadline

T = TypeVar("T")
_log = logging.getLogger(__name__)

# Waits before the second and third try of a read, in seconds: long enough for a store that is
# just being restarted by its orchestrator to refuse once, short enough for a person to wait.
RETRY_WAITS = (0.2, 1.0)
EXCERPT = 300  # characters of a statement or an answer that a message repeats
_GATEWAY_STATUSES = (502, 503, 504)
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror)


class SparqlError(StoreError):
    """A request that ended without a usable answer."""


class Unreachable(SparqlError, StoreUnavailable):
    """No store there, or the connection to it was lost."""


class TimedOut(SparqlError, StoreUnavailable):
    """No whole answer within the caller's time."""


class Rejected(SparqlError):
    """The store answered with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the store answered {status}: {message}")
        self.status = status


class BadAnswer(SparqlError):
    """The store answered, but not what was asked."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back with a success status."""

    content_type: str
    body: bytes
    sql_state: str | None

    @property
    def excerpt(self) -> str:
        """The beginning of the body, on one line."""
        return excerpt(self.body.decode(errors="replace"))


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
        if answer.sql_state is not None:
            raise BadAnswer(f"a partial answer (X-SQL-State {answer.sql_state})")
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise BadAnswer(f"not JSON: {answer.excerpt}") from error

    def update(self, text: str, deadline: Deadline) -> None:
        """Send an update once: whether an unanswered one may be repeated is not for us to say."""
        if self.log_updates:
            _log.info("update to %s\n%s", self.update_url, text)
        answer = self._send(text, deadline, update=True)
        if "html" in answer.content_type:
            raise BadAnswer(f"a page instead of an update's answer: {answer.excerpt}")

    def _send(self, text: str, deadline: Deadline, *, update: bool = False) -> Answer:
        if not deadline.remaining:
            raise TimedOut("no time was left to ask the store", sent=False)
        wrapper = self._wrapper(text, deadline.remaining)
        if wrapper.isSparqlUpdateRequest() is not update:
            raise ValueError(f"not {'an update' if update else 'a query'}: {excerpt(text)}")
        url = self.update_url if update else self.query_url
        try:
            return _within(deadline, lambda: _exchange(wrapper))
        except TimeoutError as error:
            raise TimedOut(f"{url} did not answer in time", sent=True) from error
        except HTTPError as error:
            raise _from_status(error.code, str(error.reason)) from error
        except SPARQLWrapperException as error:
            raise _from_wrapper(error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _from_connection(url, error) from error

    def _wrapper(self, text: str, seconds: float) -> SPARQLWrapper:
        """Make a SPARQLWrapper for this one request: it is mutable, and calls are concurrent."""
        wrapper = SPARQLWrapper(self.query_url, self.update_url, returnFormat=JSON)
        wrapper.setMethod(POST)
        wrapper.setOnlyConneg(onlyConneg=True)
        wrapper.setTimeout(math.ceil(seconds))
        wrapper.addCustomHttpHeader("mu-auth-sudo", "true")
        wrapper.addCustomHttpHeader("mu-call-id", self.new_call_id())
        wrapper.setQuery(text)
        return wrapper


def excerpt(text: str) -> str:
    """Return the beginning of `text` on one line, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[:EXCERPT] + "…"


def _exchange(wrapper: SPARQLWrapper) -> Answer:
    with wrapper.query().response as response:
        url = wrapper.updateEndpoint if wrapper.isSparqlUpdateRequest() else wrapper.endpoint
        if response.geturl() != url:
            raise BadAnswer(f"{url} redirects to {response.geturl()}, which loses the request")
        return Answer(
            content_type=response.headers.get("Content-Type", ""),
            body=response.read(),
            sql_state=response.headers.get("X-SQL-State"),
        )


def _within(deadline: Deadline, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise TimeoutError at the deadline.

    A socket's timeout bounds each single wait: a slow name server or a store that sends a byte
    now and then gets past it. The thread left behind ends with its connection.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)

    threading.Thread(target=run, name="sparql", daemon=True).start()
    return outcome.result(timeout=deadline.remaining)


def _may_recover(error: SparqlError) -> bool:
    return isinstance(error, Unreachable) or (
        isinstance(error, Rejected) and error.status >= http.client.INTERNAL_SERVER_ERROR
    )


def _from_status(status: int, message: str) -> SparqlError:
    if status in _GATEWAY_STATUSES:
        return Unreachable(f"a gateway answered {status}: {message}", sent=True)
    return Rejected(status, message)


def _from_wrapper(error: SPARQLWrapperException) -> SparqlError:
    """Read status and body out of SPARQLWrapper's own exceptions, which keep them as text."""
    cause = error.__context__
    if not isinstance(cause, HTTPError):
        return BadAnswer(excerpt(str(error)))
    body = str(error).partition("Response:\n")[2].removeprefix("b'").removesuffix("'")
    return _from_status(cause.code, excerpt(body.replace("\\n", " ")) or str(cause.reason))


def _from_connection(url: str, error: Exception) -> SparqlError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return TimedOut(f"{url} did not answer in time", sent=True)
    sent = not isinstance(reason, _NEVER_SENT)
    return Unreachable(f"no answer from {url}: {reason or type(reason).__name__}", sent=sent)
