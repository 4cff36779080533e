"""Calls to the running service, as curl would make them, but with every end in words."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

if TYPE_CHECKING:
    from commands.tools import Tools

# The service answers within MU_SPARQL_TIMEOUT and five seconds.
GRACE: Final = 10.0
OK: Final = 200
_NOT_SENT: Final = (ConnectionRefusedError, socket.gaierror)


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: int
    text: str


class NoAnswerError(click.ClickException):
    """The service said nothing that can be used; `sent` tells whether it may have been asked."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


def _checked(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    if url is not None and not _is_http(url):
        raise click.BadParameter(f'got "{url}": no HTTP address; write e.g. http://localhost:80')
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


url_option = click.option(
    "--url",
    metavar="URL",
    callback=_checked,
    help="Where the service listens.  [default: http://localhost:PORT]",
)


def call(tools: Tools, method: str, url: str | None, path: str) -> Answer:
    """Call the service, past any proxy; raise `NoAnswerError` where it does not answer."""
    service = tools.settings.service
    address = (url or f"http://localhost:{service.port}").rstrip("/") + path
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Accept", "application/json")]
    body = b"" if method == "POST" else None
    try:
        with opener.open(address, body, timeout=service.mu_sparql_timeout + GRACE) as answer:
            return Answer(answer.status, answer.read().decode(errors="replace"))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(errors="replace"))
    except (OSError, HTTPException, ValueError) as error:
        raise _no_answer(address, error) from error


def _no_answer(address: str, error: Exception) -> NoAnswerError:
    reason = error.reason if isinstance(error, URLError) else error
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    sent = not isinstance(reason, _NOT_SENT)
    fix = "see the service's log" if sent else "start the service, or name its address with --url"
    return NoAnswerError(f"no answer from {address}: {words}; {fix}", sent=sent)


def detail(answer: Answer) -> str:
    """Return what an error says, if it is one of this service's."""
    try:
        return str(json.loads(answer.text)["errors"][0]["detail"])
    except (ValueError, LookupError, TypeError):
        return "not an answer of this service; is --url right?"
