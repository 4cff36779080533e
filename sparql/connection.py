"""Kept-alive connections to the store, each wait of which ends at a deadline.

http.client is used directly: urllib3's pool bounds each single wait, not all of them together, so
that a store that sends a byte now and then could hold a caller for ever.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import SplitResult

from jobs.store import Deadline

IDLE_SECONDS = 2.0  # stores close a connection that is unused for longer; the shortest known is 5
MAX_IDLE = 16  # connections; as many calls may wait for the store at one time


class _Bounded:
    """Lets every read end at the deadline of the current exchange; a base of socket classes."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read; raise TimeoutError at the deadline."""
        if self.deadline:
            remaining = self.deadline.remaining
            if not remaining:
                raise TimeoutError
            self.settimeout(remaining)  # type: ignore[attr-defined]
        count: int = super().recv_into(*args, **options)  # type: ignore[misc]
        return count


class _Socket(_Bounded, socket.socket):
    """A socket without TLS."""


class _TlsSocket(_Bounded, ssl.SSLSocket):
    """A socket with TLS."""


class Abort:
    """Lets one thread end the connecting of another thread.

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
        """Forget the connection; the thread that connected calls this at its end."""
        with self._lock:
            if self._socket:
                self._socket.close()
            self._socket = None


class _Plain(HTTPConnection):
    """A connection whose connecting can be ended, and whose reads are bounded."""

    abort: Abort

    def connect(self) -> None:
        """Connect; raise TimeoutError if the end was requested meanwhile."""
        super().connect()
        timeout = self.sock.gettimeout()
        self.sock = _Socket(fileno=self.sock.detach())
        self.sock.settimeout(timeout)
        self.abort.watch(self.sock)


class _Tls(HTTPSConnection, _Plain):
    """The same with TLS. The bases' order lets `_Plain` connect before the handshake begins."""


@dataclass
class Connection:
    """A connection to one server."""

    http: HTTPConnection
    idle_since: float = 0.0

    def bound(self, deadline: Deadline) -> None:
        """Let every wait from now on end at a deadline."""
        connected: Any = self.http.sock
        connected.deadline = deadline
        connected.settimeout(max(deadline.remaining, 0.001))  # sending is bounded as a whole

    @property
    def usable(self) -> bool:
        """Whether a request can be sent: the server has not closed it, and has sent nothing."""
        if time.monotonic() - self.idle_since > IDLE_SECONDS:
            return False
        poll = select.poll()
        poll.register(self.http.sock, select.POLLIN)
        return not poll.poll(0)


Server: TypeAlias = tuple[str, str, int | None]


@dataclass
class ConnectionPool:
    """The connections of a client that wait for their next request, by server."""

    _idle: dict[Server, list[Connection]] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Let the connections be closed when the pool is not used any more."""
        weakref.finalize(self, _close, self._idle)

    @contextlib.contextmanager
    def connection(self, url: SplitResult, deadline: Deadline) -> Iterator[Connection]:
        """Yield a connection for one exchange; after an error it is closed, and otherwise kept.

        Raise OSError if there is none before the deadline.
        """
        server = (url.scheme, url.hostname or "", url.port)
        connection = self._take(server) or _connected(server, deadline)
        try:
            connection.bound(deadline)
            yield connection
        except BaseException:
            connection.http.close()
            raise
        self._put_back(server, connection)

    def _take(self, server: Server) -> Connection | None:
        """Return the connection that was used last; close those that cannot be used any more."""
        while True:
            with self._lock:
                idle = self._idle.get(server)
                if not idle:
                    return None
                connection = idle.pop()
            if connection.usable:
                return connection
            connection.http.close()

    def _put_back(self, server: Server, connection: Connection) -> None:
        if connection.http.sock is None:  # the server closes it after this answer
            return
        connection.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(server, [])
            if len(idle) < MAX_IDLE:
                idle.append(connection)
                return
        connection.http.close()


def _close(idle: dict[Server, list[Connection]]) -> None:
    for connections in idle.values():
        for connection in connections:
            connection.http.close()


def _connected(server: Server, deadline: Deadline) -> Connection:
    """Connect in a thread of its own, and abort that at the deadline.

    A socket's timeout bounds only each single wait: a slow name server, or a handshake that comes
    byte by byte, can take longer in total. Only a name server that does not answer can hold the
    thread longer, for as long as the system allows. The process would have to wait for a pool's
    thread at its end, but not for this one.
    """
    scheme, host, port = server
    http = _tls(host, port) if scheme == "https" else _Plain(host, port)
    http.timeout = deadline.remaining
    http.abort = Abort()
    return _within(deadline, lambda: _connect(http), http.abort)


def _tls(host: str, port: int | None) -> _Tls:
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return _Tls(host, port, context=context)


def _connect(http: _Plain) -> Connection:
    with contextlib.ExitStack() as failed:
        failed.callback(http.close)
        try:
            http.connect()
        finally:
            http.abort.close()
        failed.pop_all()
    return Connection(http)


def _within(deadline: Deadline, work: Callable[[], Connection], abort: Abort) -> Connection:
    """Return what `work` returns, or abort it and raise TimeoutError at the deadline."""
    outcome: Future[Connection] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)

    threading.Thread(target=run, name="sparql", daemon=True).start()
    try:
        return outcome.result(timeout=deadline.remaining)
    except TimeoutError:
        abort.request()
        outcome.add_done_callback(_close_late)
        raise


def _close_late(outcome: Future[Connection]) -> None:
    """Close a connection that came too late."""
    if not outcome.exception():
        outcome.result().http.close()
