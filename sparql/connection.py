"""Connections to the store that another thread can end, and that are checked before a request."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from threading import Lock
from urllib.request import HTTPHandler
from urllib.request import Request as UrlRequest


class Abort:
    """Lets one thread end the exchange of another thread.

    A thread that waits for the network cannot be ended itself. It ends when its connection is shut
    down.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._requested = False
        self._socket: socket.socket | None = None

    def watch(self, connected: socket.socket) -> None:
        """Remember the connection to end; raise TimeoutError if the end was requested already.

        A duplicate is remembered, because TLS takes the original socket over.
        """
        with self._lock:
            if self._requested:
                raise TimeoutError
            self._socket = connected.dup()

    def request(self) -> None:
        """End the connection, now or as soon as it exists."""
        with self._lock:
            self._requested = True
            if self._socket:
                with contextlib.suppress(OSError):  # The store has closed it already
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Forget the connection; the thread of the exchange calls this at its end."""
        with self._lock:
            if self._socket:
                self._socket.close()
            self._socket = None


class _Plain(HTTPConnection):
    """A connection that can be ended as soon as it exists; `abort` is set after it is made."""

    abort: Abort

    def connect(self) -> None:
        """Connect; raise TimeoutError if the end was requested meanwhile."""
        super().connect()
        self.abort.watch(self.sock)


class _Tls(HTTPSConnection, _Plain):
    """The same with TLS. The bases' order lets `_Plain` connect before the handshake begins."""


class Handler(HTTPHandler):
    """Connects first, and then asks `begin` whether to send.

    It serves https too. From Python 3.12 on, an HTTPSHandler loads all certificates each time.
    """

    https_request = HTTPHandler.http_request

    def __init__(self, begin: Callable[[], bool], abort: Abort) -> None:
        super().__init__()
        self._begin = begin
        self._abort = abort

    def http_open(self, req: UrlRequest) -> HTTPResponse:
        """Send a request; urllib calls this."""
        return self.do_open(partial(self._connected, _Plain), req)

    def https_open(self, req: UrlRequest) -> HTTPResponse:
        """Send a request over TLS; urllib calls this."""
        return self.do_open(partial(self._connected, _Tls), req)

    def _connected(self, kind: type[_Plain], host: str, *, timeout: float) -> HTTPConnection:
        connection = kind(host, timeout=timeout)
        connection.abort = self._abort
        with contextlib.ExitStack() as failed:
            failed.callback(connection.close)
            connection.connect()
            if not self._begin():
                raise TimeoutError
            failed.pop_all()
        return connection
