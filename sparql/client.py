"""Sending queries and updates to the store: headers, retries, logging, and what counts as success.

`sparql.transport` makes each single exchange, `sparql.errors` lists how one can fail.
"""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from jobs.store import Deadline
from sparql.connection import ConnectionPool
from sparql.errors import BadAnswer, Rejected, SparqlError, TimedOut, Unreachable
from sparql.transport import Answer, Request, exchange

_log = logging.getLogger(__name__)

# Pauses before the second and third try of a read, in seconds. A store that its orchestrator
# restarts refuses for a moment; a person waits for the answer.
RETRY_PAUSES = (0.2, 1.0)
SESSION_BASE = "http://mu.semte.ch/sessions/"
ANY_GRAPH = "GRAPH ?anyGraph "  # no IRI contains it

_GATEWAY_STATUSES = (
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
# Virtuoso answers 404 under load, and a proxy 429.
_OVERLOADED = (HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS)
# Virtuoso sends these headers with status 200: the first when an answer ran out of time or two
# updates were in a deadlock, the second when an answer has too many rows. A message may come too.
_CUT_SHORT = ("X-SQL-State", "X-SPARQL-MaxRows")
_WHY = "X-SQL-Message"


@dataclass(frozen=True, kw_only=True)
class SparqlClient:
    """Sends form-encoded POST requests, always with a timeout and `mu-auth-sudo`.

    Without `mu-auth-sudo` an authorization layer may answer 200 to a write that it stored in
    another graph. `new_id` returns the id of a call or session. `observe` is called after each
    request with its kind (query or update), how it ended, and the seconds it took.
    """

    query_url: str
    update_url: str
    new_id: Callable[[], str]
    log_queries: bool = True
    log_updates: bool = True
    retry_pauses: tuple[float, ...] = RETRY_PAUSES
    sleep: Callable[[float], None] = time.sleep
    pool: ConnectionPool = field(default_factory=ConnectionPool)
    observe: Callable[[str, str, float], None] = lambda _kind, _outcome, _seconds: None

    def query(self, text: str, deadline: Deadline) -> Any:
        """Send a query and return its JSON; try again if the store may have recovered."""
        if self.log_queries:
            _log.info("query to %s: %s", self.query_url, statement_on_one_line(text))
        for pause in self.retry_pauses:
            try:
                return self.query_once(text, deadline)
            except SparqlError as error:
                if not _may_recover(error) or deadline.remaining <= pause:
                    raise
                _log.info("query failed, trying again in %s s: %s", pause, error)
            self.sleep(pause)
        return self.query_once(text, deadline)

    def query_once(self, text: str, deadline: Deadline) -> Any:
        """Send a query once, without logging it, and return its JSON."""
        with self._observed("query"):
            request = self._request(text, (deadline,))
            answer = exchange(request, self.query_url, deadline, self.pool)
            _check(self.query_url, answer)
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
    ) -> None:
        """Send an update once; the caller decides whether one without an answer may be repeated.

        It is not sent after `send_by`. It has a `mu-session-id` of its own: delta-notifier puts
        the deltas of one session into one bundle, and consumers may handle only a bundle's first
        task, or refuse a large bundle.
        """
        if send_by and not send_by.remaining:
            raise TimedOut("what was read before the update is out of date", sent=False)
        if self.log_updates:
            _log.info("update to %s: %s", self.update_url, statement_on_one_line(text))
        request = self._request(text, (deadline, send_by or deadline), update=True)
        request.addCustomHttpHeader("mu-session-id", SESSION_BASE + self.new_id())
        with self._observed("update"):
            try:
                _check(self.update_url, exchange(request, self.update_url, deadline, self.pool))
            except Rejected as error:
                if error.in_doubt:
                    raise
                raise Rejected(error.status, f"the update was refused: {error}") from error

    @contextmanager
    def _observed(self, kind: str) -> Iterator[None]:
        """Pass on how a request ended, `ok` or the name of its error, and how long it took."""
        began, outcome = time.monotonic(), "ok"
        try:
            yield
        except SparqlError as error:
            outcome = type(error).__name__
            raise
        finally:
            self.observe(kind, outcome, time.monotonic() - began)

    def _request(self, text: str, limits: tuple[Deadline, ...], *, update: bool = False) -> Request:
        """Return a new request: SPARQLWrapper's are mutable, and calls are concurrent."""
        request = Request(self.query_url, self.update_url, limits, update=update)
        # Rounded up: SPARQLWrapper drops fractions, and takes 0 as no limit.
        request.setTimeout(math.ceil(limits[0].remaining))
        request.addCustomHttpHeader("mu-auth-sudo", "true")
        call_id = self.new_id()
        request.addCustomHttpHeader("mu-call-id", call_id)
        request.setQuery(text if update else _as_new_text(text, call_id))
        return request


def _as_new_text(query: str, call_id: str) -> str:
    """Return a query that was never sent before, because the name of a variable is new.

    A Virtuoso keeps the plan of a text for as long as it runs. A plan that it made while the store
    was small may read every job later: with a million of them, 0.1 to 30 seconds (measured). A
    comment would not do, because an authorization layer drops it.
    """
    return query.replace(ANY_GRAPH, f"GRAPH ?anyGraph{call_id.replace('-', '')} ")


def statement_on_one_line(statement: str) -> str:
    """Return a statement as one line of a log; its strings hold no line breaks."""
    return re.sub(r"\n\s*", " ", statement)


def _check(url: str, answer: Answer) -> None:
    """Raise `SparqlError` if an answer reports a failure, or is not complete."""
    if answer.status in _GATEWAY_STATUSES:
        raise Unreachable(f"{url} answered {answer}", sent=True)
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Rejected(answer.status, f"{url} answered {answer}")
    if "html" in answer.headers.get("Content-Type", ""):
        raise BadAnswer(f"{url} answered with a page, {answer}")
    for name in _CUT_SHORT:
        if name in answer.headers:
            why = f"{answer.headers[name]} {answer.headers.get(_WHY, '')}".rstrip()
            raise BadAnswer(f"{url} answered in part: {name} {why}")


def _may_recover(error: SparqlError) -> bool:
    if isinstance(error, Rejected):
        return error.status in _OVERLOADED or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, Unreachable)
