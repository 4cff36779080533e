"""Call the running service over HTTP, with a readable message for each failure."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from commands.context import CommandContext

GRACE_SECONDS: Final = 10.0  # beyond MU_SPARQL_TIMEOUT; the service itself needs at most five
OK: Final = 200
_NOT_SENT: Final = (ConnectionRefusedError, socket.gaierror)


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
        raise click.BadParameter(
            f'got "{url}": not an HTTP address; write e.g. http://localhost:80'
        )
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
    callback=_valid_url,
    help="Address of the service.  [default: http://localhost:PORT]",
)


def call(context: CommandContext, method: str, url: str | None, path: str) -> Answer:
    """Call the service and return its answer, whatever its status; proxies are not used.

    Raise `NoAnswerError` if there is none within MU_SPARQL_TIMEOUT and `GRACE_SECONDS`.
    """
    service = context.settings.service
    address = (url or f"http://localhost:{service.port}").rstrip("/") + path
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Accept", "application/json")]
    body = b"" if method == "POST" else None
    try:
        with opener.open(
            address, body, timeout=service.mu_sparql_timeout + GRACE_SECONDS
        ) as answer:
            return Answer(answer.status, answer.read().decode(errors="replace"))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(errors="replace"))
    except (OSError, HTTPException, ValueError) as error:
        raise _no_answer(address, error) from error


def _no_answer(address: str, error: Exception) -> NoAnswerError:
    reason = error.reason if isinstance(error, URLError) else error
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    sent = not isinstance(reason, _NOT_SENT)
    fix = "see the service's log" if sent else "start the service, or give its address with --url"
    return NoAnswerError(f"no answer from {address}: {text}; {fix}", sent=sent)


def detail(answer: Answer) -> str:
    """Return the `detail` of a JSON:API error, or a hint if the answer is not one."""
    try:
        return str(json.loads(answer.text)["errors"][0]["detail"])
    except (ValueError, LookupError, TypeError):
        return "not an answer of this service; check --url"
