"""The addresses of a server's name, by a deadline."""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, NamedTuple

from jobs.store import Deadline

MAX_AGE = 60.0  # seconds of a lookup that callers share; some systems never end one


class Address(NamedTuple):
    """Where a server listens."""

    family: int
    place: Any


class _Lookup(NamedTuple):
    """A lookup that is under way, with the monotonic seconds of its begin."""

    addresses: Future[list[Address]]
    begun: float


@dataclass
class Resolver:
    """Resolves names in threads of their own: a lookup has no timeout and cannot be ended.

    Callers that need the same name share a lookup, but none that is older than `MAX_AGE`. A name
    server that does not answer therefore holds few threads, however many callers wait for it or
    have stopped waiting. The process does not wait for these threads at its end.
    """

    _lookups: dict[tuple[str, int], _Lookup] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """Return the addresses; raise OSError if there are none, or none by the deadline."""
        server, now = (host, port), time.monotonic()
        with self._lock:
            lookup = self._lookups.get(server)
            if lookup is None or now - lookup.begun > MAX_AGE:
                lookup = _Lookup(Future(), now)
                arguments = (server, lookup)
                Thread(target=self._resolve, args=arguments, name="resolver", daemon=True).start()
                self._lookups[server] = lookup
        return lookup.addresses.result(timeout=deadline.remaining)

    def _resolve(self, server: tuple[str, int], lookup: _Lookup) -> None:
        found: list[Address] = []
        failure: BaseException | None = None
        try:
            infos = socket.getaddrinfo(*server, type=socket.SOCK_STREAM)
            found = [Address(info[0], info[4]) for info in infos]
        except BaseException as error:  # noqa: BLE001 - raised again in the callers' threads
            failure = error
        with self._lock:
            if self._lookups.get(server) is lookup:
                del self._lookups[server]
        if failure:
            lookup.addresses.set_exception(failure)
        else:
            lookup.addresses.set_result(found)
