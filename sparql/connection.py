"""Kept-alive connections to the store, each wait of which ends at a deadline.

http.client is used directly: urllib3's pool bounds each single wait, not all of them together, so
that a store that sends a byte now and then could hold a caller for ever.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import SplitResult

from jobs.store import Deadline
from sparql.resolver import Address, Resolver

IDLE_SECONDS = 2.0  # stores close a connection that is unused for longer; the shortest known is 5
MAX_IDLE = 16  # connections; as many calls may wait for the store at one time


class _Bounded:
    """Lets every read end at the deadline of the current exchange; a base of socket classes."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read; raise TimeoutError at the deadline."""
        if self.deadline:
            self.settimeout(_remaining(self.deadline))  # type: ignore[attr-defined]
        count: int = super().recv_into(*args, **options)  # type: ignore[misc]
        return count


class _Socket(_Bounded, socket.socket):
    """A socket without TLS."""


class _TlsSocket(_Bounded, ssl.SSLSocket):
    """A socket with TLS."""


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
    _resolver: Resolver = field(default_factory=Resolver, init=False)

    def __post_init__(self) -> None:
        """Let the connections be closed when the pool is not used any more."""
        weakref.finalize(self, _close, self._idle)

    @contextlib.contextmanager
    def connection(self, url: SplitResult, deadline: Deadline) -> Iterator[Connection]:
        """Yield a connection for one exchange; after an error it is closed, and otherwise kept.

        Raise OSError if there is none before the deadline.
        """
        server = (url.scheme, url.hostname or "", url.port)
        connection = self._take(server) or _open(server, deadline, self._resolver)
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


def _open(server: Server, deadline: Deadline, resolver: Resolver) -> Connection:
    """Connect to the first address of the server that answers."""
    scheme, host, port = server
    http = _connection_class(scheme)(f"[{host}]" if ":" in host else host, port)
    refused: OSError = OSError(f"{host} has no address")
    for address in resolver.addresses(host, http.port, deadline):
        try:
            http.sock = _connect(address, deadline)
        except OSError as error:
            refused = error
            continue
        if scheme == "https":
            http.sock = _secure(http.sock, host, deadline)
        return Connection(http)
    raise refused


def _connection_class(scheme: str) -> type[HTTPConnection]:
    """Return the class of a URL's scheme; it knows the scheme's port."""
    return HTTPSConnection if scheme == "https" else HTTPConnection


def _connect(address: Address, deadline: Deadline) -> socket.socket:
    connected = _Socket(address.family, socket.SOCK_STREAM)
    with _closed_after_failure(connected):
        connected.settimeout(_remaining(deadline))
        connected.connect(address.place)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


def _secure(connected: socket.socket, host: str, deadline: Deadline) -> ssl.SSLSocket:
    """Do the TLS handshake; its timeout bounds it as a whole."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    with _closed_after_failure(connected):
        secure = context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
    with _closed_after_failure(secure):
        secure.settimeout(_remaining(deadline))
        secure.do_handshake()
        return secure


def _remaining(deadline: Deadline) -> float:
    """Return the seconds that are left; raise TimeoutError if there are none."""
    if not deadline.remaining:
        raise TimeoutError
    return deadline.remaining


@contextlib.contextmanager
def _closed_after_failure(connected: socket.socket) -> Iterator[None]:
    with contextlib.ExitStack() as failed:
        failed.callback(connected.close)
        yield
        failed.pop_all()
