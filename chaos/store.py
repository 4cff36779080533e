"""The real store of a run: it is stopped and started, and keeps its data."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from tests import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from threading import Event

PREFIXES = """\
PREFIX adms: <http://www.w3.org/ns/adms#>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
T = TypeVar("T")
DEADLOCKS = 5  # in a row, at most
STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"


class Direct:
    """The store without a proxy, for one of those who play the other services or look on.

    They are kept waiting while the store is away: what they did, they did. Only the service has
    to live with a request of unknown outcome.
    """

    def __init__(self, store: servers.Store) -> None:
        self._store = store
        self._lock = Lock()

    def select(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a SELECT."""
        return self._insist(lambda: servers.select(self._store, PREFIXES + query))

    def update(self, text: str) -> None:
        """Send an update."""
        self._insist(lambda: servers.update(self._store, PREFIXES + text))

    def _insist(self, request: Callable[[], T]) -> T:
        """Ask again where Virtuoso says that the request gave way to another: it did nothing."""
        with self._lock:
            for _ in range(DEADLOCKS):
                try:
                    return request()
                except servers.StoreError:
                    time.sleep(0.05)
            return request()

    @contextmanager
    def kept_waiting(self) -> Iterator[None]:
        """Let no request through in this block."""
        with self._lock:
            yield


def make_store(name: str, folder: Path) -> servers.Store:
    """Return the store of that name, which keeps its data while it is stopped."""
    return servers.Virtuoso() if name == "virtuoso" else servers.Oxigraph(folder / "oxigraph")


def outage(store: servers.Store, users: list[Direct], seconds: float, over: Event) -> None:
    """Stop the store, and start it again after some seconds, or at the end of the run."""
    with ExitStack() as stack:
        for user in users:
            stack.enter_context(user.kept_waiting())
        store.stop()
        over.wait(seconds)
        store.start()
