"""The real store of a run, which keeps its data while it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import TypeVar

from tests.support import servers
from tests.support.virtuoso import Virtuoso

PREFIXES = """\
PREFIX adms: <http://www.w3.org/ns/adms#>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
T = TypeVar("T")
MAX_DEADLOCKS = 5  # in a row
STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"


class DirectClient:
    """A client of the store without a proxy, for the consumer and the recorder.

    Its requests wait while the store is stopped, so that their result is always known. Only the
    service has requests of unknown result.
    """

    def __init__(self, store: servers.Store) -> None:
        self._store = store
        self._lock = Lock()

    def select(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a SELECT."""
        return self._retried(lambda: servers.select(self._store, PREFIXES + query))

    def update(self, text: str) -> None:
        """Send an update."""
        self._retried(lambda: servers.update(self._store, PREFIXES + text))

    def _retried(self, request: Callable[[], T]) -> T:
        """Repeat a request that Virtuoso rolled back because of a deadlock."""
        with self._lock:
            for _ in range(MAX_DEADLOCKS):
                try:
                    return request()
                except servers.StoreError:
                    time.sleep(0.05)
            return request()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Make all requests wait until the block ends."""
        with self._lock:
            yield


def make_store(name: str, folder: Path) -> servers.Store:
    """Return the store with that name; it keeps its data while it is stopped."""
    return Virtuoso() if name == "virtuoso" else servers.Oxigraph(folder / "oxigraph")


def outage(store: servers.Store, clients: list[DirectClient], seconds: float, over: Event) -> None:
    """Stop the store, and start it again after some seconds, or at the end of the faults."""
    with ExitStack() as stack:
        for client in clients:
            stack.enter_context(client.blocked())
        store.stop()
        over.wait(seconds)
        store.start()
