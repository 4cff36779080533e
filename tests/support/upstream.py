"""The store behind a proxy."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.parse

from tests.support.faults import Answer, Request, forwarded
from tests.support.sockets import interrupt

STORE_TIMEOUT = 120.0  # seconds


class Upstream:
    """Forwards requests to the store, in several threads, until it is closed."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.path = parts.path
        self._address = (parts.hostname or "", parts.port or 80)
        self._closing = threading.Event()
        self._sockets: set[socket.socket] = set()

    def forward(self, request: Request) -> Answer | None:
        """Return the store's answer, or None if the store is down.

        An answer that breaks off raises ConnectionAbortedError, and so does `close`.
        """
        connection = http.client.HTTPConnection(*self._address, timeout=STORE_TIMEOUT)
        try:
            connection.connect()
        except OSError:
            return None
        opened = connection.sock
        self._sockets.add(opened)
        try:
            if self._closing.is_set():
                raise ConnectionAbortedError
            headers = forwarded(request.headers)
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            headers = forwarded(dict(response.getheaders()))
            return Answer(response.status, headers, response.read())
        except http.client.HTTPException as error:
            raise ConnectionAbortedError from error
        finally:
            connection.close()
            self._sockets.discard(opened)

    def close(self) -> None:
        """Break off all requests, and refuse new ones."""
        self._closing.set()
        for opened in list(self._sockets):
            interrupt(opened)
