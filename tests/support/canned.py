r"""A server that answers every request with the same bytes, valid HTTP or not.

    with Canned(b"HTTP/1.1 418 I'm a teapot\r\n\r\n") as server:
        ...  # let the service use server.endpoint
        assert server.requests[0].form == {"query": "ASK {}"}

For answers that a real store behind `tests.support.faults.FaultProxy` cannot give.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from tests.support.contexts import Resource
from tests.support.faults import JSON, Request, read_request

CLOSE = {"Connection": "close"}  # as the server does


def answer(status: int = HTTPStatus.OK, body: bytes = b"", headers: dict[str, str] = JSON) -> bytes:
    """Return the bytes of an HTTP answer."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers | CLOSE).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Canned(Resource):
    """A server on a free port of 127.0.0.1 that sends `content` to each client.

    `by_method` has other content for requests of some methods. `tls` lets it speak TLS.

    With `pause`, the bytes are sent one by one, each after that many seconds. With `talks_first`,
    the server sends without reading a request, as many protocols other than HTTP do.
    """

    def __init__(
        self,
        content: bytes,
        pause: float = 0.0,
        *,
        talks_first: bool = False,
        by_method: Mapping[str, bytes] = MappingProxyType({}),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.content = content
        self.by_method = by_method
        self.pause = pause
        self.talks_first = talks_first
        self.requests: list[Request] = []
        self._closing = threading.Event()
        self._hung_up = threading.Event()
        canned = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    canned.reply(self.request)
                except OSError:  # The client gave up
                    canned._hung_up.set()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/sparql"

    def acquire(self, stack: contextlib.ExitStack) -> None:
        """Serve until the block ends."""
        stack.callback(self._server.server_close)
        self._thread.start()
        stack.callback(self._thread.join)
        stack.callback(self._server.shutdown)
        stack.callback(self._closing.set)

    def await_hang_up(self, seconds: float) -> bool:
        """Wait until a client closed its connection before the content was sent."""
        return self._hung_up.wait(seconds)

    def reply(self, connection: socket.socket) -> None:
        """Read one request, unless the server talks first, and send the content."""
        content = self.content
        if not self.talks_first:
            with connection.makefile("rb") as stream:
                request = read_request(stream)
            if request is not None:
                self.requests.append(request)
                content = self.by_method.get(request.method, content)
        if not self.pause:
            connection.sendall(content)
            return
        for byte in content:
            if self._closing.wait(self.pause):
                return
            connection.sendall(bytes([byte]))
