"""Fixtures that several kinds of test share: real stores, and a check for leftover threads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.patience import PATIENCE
from tests.support.requirements import require
from tests.support.servers import Oxigraph, Store, clear
from tests.support.shared_data import left_out
from tests.support.virtuoso import Virtuoso, virtuoso_available

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=1000, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")

# A shell ignores SIGINT for what it runs in the background. The processes of the tests would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

OURS = ("APScheduler", "clock", "startup", "http", "ThreadPoolExecutor")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were left out in a clone without the shared data."""
    if line := left_out(terminalreporter.getreports("skipped")):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread of the service running."""
    before = set(threading.enumerate())
    yield
    new = (thread for thread in threading.enumerate() if thread not in before)
    left = [thread for thread in new if thread.name.startswith(OURS)]
    for thread in left:
        thread.join(PATIENCE)
    assert not [thread.name for thread in left if thread.is_alive()]


@pytest.fixture(scope="session")
def oxigraph() -> Iterator[Store]:
    """One Oxigraph for all tests."""
    with Oxigraph() as store:
        yield store


@pytest.fixture(scope="session")
def virtuoso() -> Iterator[Store]:
    """One Virtuoso for all tests: it takes seconds to start."""
    problem = "virtuoso-t is not on PATH; install it (Debian: virtuoso-opensource-7)"
    require(virtuoso_available(), problem)
    with Virtuoso() as store:
        yield store


@pytest.fixture(
    params=["oxigraph", pytest.param("virtuoso", marks=pytest.mark.virtuoso)],
)
def triplestore(request: pytest.FixtureRequest) -> Store:
    """A real store of each kind, empty."""
    store: Store = request.getfixturevalue(request.param)
    clear(store)
    return store


@pytest.fixture
def embedded(oxigraph: Store) -> Store:
    """The default store, empty."""
    clear(oxigraph)
    return oxigraph
