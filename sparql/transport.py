"""One HTTP exchange with the store, made by SPARQLWrapper and bounded by a deadline.

SPARQLWrapper sends through urllib's default opener, which does not fit here. It uses the proxies
of the environment (`http_proxy`, which Docker may set in every container), but they do not know a
host named `database`. It follows a redirect with a GET that has lost the statement. And it raises
exceptions for error statuses, which hide what the store answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse, IncompleteRead, responses
from typing import TypeVar
from urllib.error import URLError
from urllib.request import OpenerDirector

from SPARQLWrapper import JSON, SPARQLWrapper

from jobs.store import Deadline
from sparql.connection import Abort, Handler
from sparql.errors import MAX_MESSAGE, BadAnswer, SparqlError, TimedOut, Unreachable

T = TypeVar("T")

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

    def __init__(self, query_url: str, update_url: str, limits: Iterable[Deadline]) -> None:
        super().__init__(query_url, update_url, returnFormat=JSON)
        self.sent = False
        self.abort = Abort()
        self._limits = limits

    def begin(self) -> bool:
        """Return whether it may be sent: name lookup and handshake may have used all the time.

        `sent` is set before the clock is read. No other thread can then read that nothing was
        sent although the request is sent a moment later.
        """
        self.sent = True
        self.sent = all(limit.remaining for limit in self._limits)
        return self.sent

    def _query(self) -> tuple[HTTPResponse, str]:
        opener = OpenerDirector()
        opener.add_handler(Handler(self.begin, self.abort))
        return opener.open(self._createRequest(), timeout=self.timeout), self.returnFormat


def exchange(request: Request, url: str, deadline: Deadline) -> Answer:
    """Send a request and return the answer; raise `SparqlError` if there is none in time."""
    if not deadline.remaining:
        raise TimedOut(f"no time was left to ask {url}", sent=False)
    try:
        return _within(deadline, lambda: _answer(request, url), request.abort)
    except (OSError, HTTPException, ValueError) as error:
        raise _from_connection(url, error, sent=request.sent) from error


def _answer(request: Request, url: str) -> Answer:
    try:
        with request.query().response as response:
            body = _body(response, url)
            return Answer(status=response.status, headers=response.headers, body=body)
    finally:
        request.abort.close()


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


def _within(deadline: Deadline, work: Callable[[], T], abort: Abort) -> T:
    """Return what `work` returns, or abort it and raise TimeoutError at the deadline.

    A socket's timeout bounds only each single wait. A slow name server, or a store that sends a
    byte now and then, can take longer in total. An aborted connection ends the thread of the work.
    Only a name server that does not answer can hold it longer, for as long as the system allows.
    The process would have to wait for a pool's thread at its end, but not for this one.
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
    try:
        return outcome.result(timeout=deadline.remaining)
    except TimeoutError:
        abort.request()
        raise


def _from_connection(url: str, error: Exception, *, sent: bool) -> SparqlError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        what = "did not answer" if sent else "was not there"
        return TimedOut(f"{url} {what} in time", sent=sent)
    text = str(reason) if isinstance(reason, OSError) else repr(reason)
    return Unreachable(f"no answer from {url}: {text}", sent=sent)
