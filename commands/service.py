"""Call the running service over HTTP, with a readable message for each failure."""

from __future__ import annotations

import contextlib
import json
import math
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from threading import Event, Timer
from typing import Final
from urllib.parse import SplitResult, urlsplit

import click

from commands.context import CallContext
from jobs.text import escaped, one_line
from settings.hosts import own_url

GRACE_SECONDS: Final = 10.0  # beyond MU_SPARQL_TIMEOUT; the service itself needs at most five
MAX_ANSWER: Final = 64 * 2**20  # bytes
MAX_REASON: Final = 1000  # characters of what another program sent, in a message
OK: Final = 200


@dataclass(frozen=True)
class Answer:
    """The answer of the service: its HTTP status and its body."""

    status: int
    text: str


class NoAnswerError(click.ClickException):
    """The service did not answer; `sent` is false if it certainly did not get the request."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


def _valid_url(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    if url is not None and not _is_http(url):
        shown = escaped(url)
        raise click.BadParameter(
            f'got "{shown}": not an HTTP address; write e.g. http://localhost:80'
        )
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.port != 0 and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
    written = url.isascii() and url.isprintable() and " " not in url
    return written and usable and parts.scheme in ("http", "https")


url_option = click.option(
    "--url",
    metavar="URL",
    callback=_valid_url,
    help="Address of the service.  [default: that of HOST and PORT]",
)


def call(
    context: CallContext,
    method: str,
    url: str | None,
    path: str,
    max_seconds: float = math.inf,
) -> Answer:
    """Call the service and return its answer, whatever its status; proxies are not used.

    Raise `NoAnswerError` if there is no complete one within MU_SPARQL_TIMEOUT and `GRACE_SECONDS`,
    or within `max_seconds`, or if it is longer than `MAX_ANSWER`.
    """
    service = context.service
    address = (url or own_url(service.host, service.port)).rstrip("/") + path
    seconds = min(max_seconds, service.mu_sparql_timeout + GRACE_SECONDS)
    connection = _connection(urlsplit(address), seconds)
    try:
        connection.connect()
    except (OSError, ValueError) as error:
        fix = "start the service, or give its address with --url"
        raise _no_answer(address, error, fix, sent=False) from error
    with contextlib.closing(connection), _cut_after(seconds, connection.sock) as cut:
        try:
            answer = _answer(connection, method, address)
            if cut.is_set():
                raise TimeoutError
        except (OSError, HTTPException, ValueError) as error:
            reason = TimeoutError("timed out") if cut.is_set() else error
            raise _no_answer(address, reason, "see the service's log", sent=True) from error
    return answer


def _connection(address: SplitResult, seconds: float) -> HTTPConnection:
    connect = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return connect(address.hostname or "", address.port, timeout=seconds)


@contextlib.contextmanager
def _cut_after(seconds: float, connection: socket.socket) -> Iterator[Event]:
    """Shut a connection down after some seconds; the event is then set.

    The timeout of a socket is not enough, because each byte that arrives starts it anew.
    """
    cut = Event()

    def shut_down() -> None:
        cut.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()


def _answer(connection: HTTPConnection, method: str, address: str) -> Answer:
    """Send the request and return the answer; raise an error if it is cut off or too long."""
    target = address.split("/", 3)[3]
    connection.request(method, f"/{target}", headers={"Accept": "application/json"})
    with connection.getresponse() as answer:
        body = answer.read(MAX_ANSWER + 1)
        if len(body) > MAX_ANSWER:
            raise ValueError(f"the answer is longer than {MAX_ANSWER // 2**20} MiB")
        if answer.length:
            raise IncompleteRead(body, answer.length)
        return Answer(answer.status, body.decode(errors="replace"))


def _no_answer(address: str, reason: Exception, fix: str, *, sent: bool) -> NoAnswerError:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    message = f"no answer from {address}: {one_line(text, MAX_REASON)}; {fix}"
    return NoAnswerError(message, sent=sent)


def detail(answer: Answer) -> str:
    """Return the `detail` of a JSON:API error, or a hint if the answer is not one."""
    try:
        return one_line(str(json.loads(answer.text)["errors"][0]["detail"]), MAX_REASON)
    except (ValueError, LookupError, TypeError, RecursionError):
        return "not an answer of this service; check --url"
