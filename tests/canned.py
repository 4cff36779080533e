"""A server that answers every request with the same bytes, be they HTTP or not.

    with Canned(b"HTTP/1.1 418 I'm a teapot\r\n\r\n") as server:
        ...  # have the service use server.endpoint
        assert server.requests[0].form == {"query": "ASK {}"}

For what a real store behind `tests.faults.FaultProxy` can't be made to say.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from tests.faults import Request, read_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

JSON = {"Content-Type": "application/sparql-results+json"}


def answer(
    status: int = HTTPStatus.OK, body: bytes = b"", headers: Mapping[str, str] = JSON
) -> bytes:
    """Return an HTTP answer."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Canned:
    """The server, on a free port of 127.0.0.1; with a pause, each byte comes after that long.

    One that talks first, as many protocols but HTTP do, reads nothing.
    """

    def __init__(self, said: bytes, pause: float = 0.0, *, talks_first: bool = False) -> None:
        self.said = said
        self.pause = pause
        self.talks_first = talks_first
        self.requests: list[Request] = []
        self.closing = threading.Event()
        canned = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):  # The client gave up
                    canned.reply(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/sparql"

    def reply(self, connection: socket.socket) -> None:
        """Read one request, if any, and answer."""
        if not self.talks_first:
            with connection.makefile("rb") as stream:
                request = read_request(stream)
            if request is not None:
                self.requests.append(request)
        if not self.pause:
            connection.sendall(self.said)
            return
        for byte in self.said:
            if self.closing.wait(self.pause):
                return
            connection.sendall(bytes([byte]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
