"""The connections of clients, with limits on how long they may occupy a place.

waitress closes only connections on which nothing happens. A client that sends a byte now and then
would keep its place for ever, and many of them would leave no place for anyone else.
"""

from __future__ import annotations

import socket
import time
from threading import Lock
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel

REQUEST_SECONDS = 10  # for a whole request, from the connection or the last answer on
ANSWER_SECONDS = 60  # for a client to read its whole answer
MAX_CONNECTIONS = 500  # below the 1024 open files that a process often may have


class Channel(HTTPChannel):
    """A connection that is closed if its client is slow.

    At `MAX_CONNECTIONS` the one that has waited longest for its client is closed. A client that
    sends its request at once is therefore served, however many slow clients there are.
    """

    requests_lock: Lock

    def __init__(
        self,
        server: Any,
        sock: socket.socket,
        addr: tuple[str, int],
        adj: Adjustments,
        map: Any = None,  # noqa: A002 - the base class's
    ) -> None:
        # Since when it waits for its client, on the monotonic clock; None while a request is served
        self._waiting_since: float | None = time.monotonic()
        self.gives_way = False  # to a newer connection
        super().__init__(server, sock, addr, adj, map)
        if len(server.active_channels) > MAX_CONNECTIONS:
            longest = max(server.active_channels.values(), key=lambda channel: channel.waited)
            longest.gives_way = True

    @property
    def waited(self) -> float:
        """How many seconds it has waited for its client to send a request or read an answer."""
        since = self._waiting_since
        return 0.0 if since is None or self.requests else time.monotonic() - since

    def readable(self) -> bool:
        """Return whether to read from the client; waitress asks at least once a second.

        A slow connection is closed here. waitress would close it only when its client accepts data.
        """
        limit = ANSWER_SECONDS if self.total_outbufs_len else REQUEST_SECONDS
        if self.waited > limit or (self.waited and self.gives_way):
            self.close_when_flushed = False  # waitress must not wait for events of it any more
            self.handle_close()
            return False
        return bool(super().readable())

    def service(self) -> None:
        """Serve a request; a thread of the server calls this."""
        self._waiting_since = None
        super().service()
        with self.requests_lock:
            if not self.requests:  # Otherwise another thread may serve the next one already
                self._waiting_since = time.monotonic()
