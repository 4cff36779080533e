"""The addresses of a server's name, by a deadline."""

from __future__ import annotations

import socket
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, NamedTuple

from jobs.store import Deadline


class Address(NamedTuple):
    """Where a server listens."""

    family: int
    place: Any


@dataclass
class Resolver:
    """Resolves names in threads of their own: a lookup has no timeout and cannot be ended.

    Callers that need the same name share a lookup. A name server that does not answer therefore
    holds one thread, however many callers wait for it or have stopped waiting. The process does not
    wait for that thread at its end.
    """

    _lookups: dict[tuple[str, int], Future[list[Address]]] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """Return the addresses; raise OSError if there are none, or none by the deadline."""
        server = (host, port)
        with self._lock:
            lookup = self._lookups.get(server)
            if lookup is None:
                Thread(target=self._resolve, args=(server,), name="resolver", daemon=True).start()
                lookup = self._lookups[server] = Future()
        return lookup.result(timeout=deadline.remaining)

    def _resolve(self, server: tuple[str, int]) -> None:
        found: list[Address] = []
        failure: BaseException | None = None
        try:
            infos = socket.getaddrinfo(*server, type=socket.SOCK_STREAM)
            found = [Address(info[0], info[4]) for info in infos]
        except BaseException as error:  # noqa: BLE001 - raised again in the callers' threads
            failure = error
        with self._lock:
            lookup = self._lookups.pop(server)
        if failure:
            lookup.set_exception(failure)
        else:
            lookup.set_result(found)
