"""Slow clients: each loses its connection in the end, and they take no other client's place."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from time import monotonic
from types import SimpleNamespace

import pytest

from tests.support.builders import stream_of
from tests.support.domain import app_of
from tests.support.http_server import get, serving
from tests.support.patience import PATIENCE
from tests.support.service import eventually
from web import channel

REQUEST = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """The service behind its real HTTP server."""
    with serving(app_of(stream_of())) as port:
        yield port


def connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def assert_closed(client: socket.socket) -> None:
    """Wait until the server closes a connection without an answer."""
    with contextlib.suppress(ConnectionResetError):  # The server had not read everything
        assert client.recv(1) == b""


def is_closed(client: socket.socket) -> bool:
    try:
        client.sendall(b"x")
    except OSError:
        return True
    return False


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "REQUEST_SECONDS", 0.5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("beginning", [b"", b"GET /", REQUEST[:-2]])
def test_a_connection_without_a_whole_request_is_closed(port: int, beginning: bytes) -> None:
    with connection(port) as client:
        client.sendall(beginning)
        assert_closed(client)


def test_a_client_has_ten_seconds_for_its_request(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0
    monkeypatch.setattr(channel, "time", SimpleNamespace(monotonic=lambda: monotonic() + ahead))
    with connection(port) as early, connection(port) as late:
        for client in (early, late):
            client.sendall(REQUEST[:-2])
        assert get(port, "/health/live") == 200, "both are accepted"
        ahead = 8
        assert get(port, "/health/live") == 200
        early.sendall(REQUEST[-2:])
        assert early.recv(9) == b"HTTP/1.1 "
        ahead = 10
        assert_closed(late)


@pytest.mark.usefixtures("impatient")
def test_a_client_that_sends_a_byte_now_and_then_is_closed_too(port: int) -> None:
    closed = threading.Event()

    def trickle(client: socket.socket) -> None:
        while not closed.wait(0.05):
            try:
                client.sendall(b"x")
            except OSError:
                return

    with connection(port) as client, ThreadPoolExecutor() as sender:
        client.sendall(b"GET /health/live?")
        sender.submit(trickle, client)
        try:
            assert_closed(client)
        finally:
            closed.set()


@pytest.mark.usefixtures("impatient")
def test_a_connection_is_closed_when_no_second_request_comes(port: int) -> None:
    client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    client.request("GET", "/health/live")
    assert client.getresponse().read()
    assert_closed(client.sock)
    client.close()


def test_a_client_that_does_not_read_its_answer_is_closed(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "ANSWER_SECONDS", 0.5)
    with connection(port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
        eventually(lambda: is_closed(client), "the end of the connection")


def test_an_answer_that_takes_long_is_sent(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a request does not limit how long the service takes to answer it."""
    monkeypatch.setattr(channel, "REQUEST_SECONDS", 0.5)
    released = threading.Event()
    monkeypatch.setattr("web.views.openapi.document", lambda: released.wait(PATIENCE))
    with ThreadPoolExecutor() as caller:
        url = f"http://127.0.0.1:{port}/openapi.json"
        answer = caller.submit(urllib.request.urlopen, url, timeout=PATIENCE)
        with connection(port) as idle:
            assert_closed(idle)
        released.set()
        with answer.result() as response:
            assert response.read() == b"true"


def test_a_client_that_sends_at_once_is_served_beside_many_slow_ones(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "MAX_CONNECTIONS", 50)
    with ExitStack() as slow:
        first = slow.enter_context(connection(port))
        first.sendall(b"GET /")
        for _ in range(200):
            slow.enter_context(connection(port)).sendall(b"GET /")
        assert get(port, "/health/live") == 200
        assert_closed(first)
