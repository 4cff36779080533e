"""Health and metrics are answered while many people wait for pages and calls."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.support.builders import stream_of
from tests.support.domain import service_of
from tests.support.fakes import FakeJobStore
from tests.support.http_server import get, serving
from tests.support.patience import PATIENCE
from tests.support.service import eventually
from web.server import MAX_VIEWS, MAX_WAITING


class SlowStore(FakeJobStore):
    """A store that answers nothing but pings until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = Event()

    def current(self, *args: Any) -> Any:
        self.calls.append("current")
        self.released.wait(PATIENCE)
        return super().current(*args)

    def state(self, *args: Any) -> Any:
        self.calls.append("state")
        self.released.wait(PATIENCE)
        return super().state(*args)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def port(store: SlowStore) -> Iterator[int]:
    names = [f"s{number}" for number in range(MAX_WAITING)]
    with serving(service_of(*map(stream_of, names), store=store).app) as port:
        yield port
        store.released.set()


def request(port: int, method: str, path: str) -> None:
    """Send a request, whatever its answer is."""
    url = f"http://127.0.0.1:{port}{path}"
    with suppress(HTTPError):
        urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENCE).close()


def refused(callers: list[Future[None]]) -> int:
    return sum(caller.done() for caller in callers)


def test_monitoring_is_answered_while_all_other_places_are_taken(
    port: int, store: SlowStore
) -> None:
    with ThreadPoolExecutor(100) as pool:
        pages = [pool.submit(request, port, "GET", "/status") for _ in range(MAX_VIEWS + 2)]
        calls = [
            pool.submit(request, port, "POST", f"/s{number % MAX_WAITING}/healing-jobs")
            for number in range(MAX_WAITING + 8)
        ]
        eventually(lambda: refused(pages) == 2, "pages beyond their limit are refused")
        eventually(lambda: refused(calls) == 8, "calls beyond their limit are refused")
        assert get(port, "/health/live") == get(port, "/health/ready") == 200
        metrics = pool.submit(get, port, "/metrics")
        store.released.set()
        assert metrics.result() == 200
