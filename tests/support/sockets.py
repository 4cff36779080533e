"""Free ports, ports that open and close on request, and connections that end abruptly."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable

POLL_INTERVAL = 0.02  # seconds

# Below Linux' range for outgoing connections (32768 and up), so that no connection takes the port
# of a store between its stop and its next start. Test runs beside each other use other parts of it:
# one took the port of a service that the other had killed and started again.
PARTS = 8
PORTS = range(20000, 32000)[os.getpid() % PARTS :: PARTS]


def free_port() -> int:
    """Return a port of 127.0.0.1 on which no process listens."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Listener:
    """An open port of 127.0.0.1; `close` returns when the port is closed."""

    def __init__(self, port: int, accepted: Callable[[socket.socket], None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self._socket.settimeout(POLL_INTERVAL)
        self._accepted = accepted
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="fault-proxy-listener")
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            self._accepted(client)


def reset(connection: socket.socket) -> None:
    """Close a connection with RST instead of FIN: a linger time of zero drops it at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())


def interrupt(connection: socket.socket) -> None:
    """Wake the threads that wait for a connection, which may be closed already."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
