"""Work that is late or hangs is noticed, and the health check fails for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from threading import Event, Thread

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.store import Inspection
from jobs.ticks.monitor import MonitoredStore, WorkMonitor
from jobs.ticks.scheduler import MAX_SLEEP
from tests.support.builders import TestClock, stream_of
from tests.support.domain import Harness
from tests.support.fakes import FakeJobStore
from tests.support.patience import PATIENCE
from tests.support.service import eventually
from tests.support.web import WebHarness, error_detail

MINUTE = timedelta(minutes=1)
GRACE = 100.0  # seconds


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def monitor(clock: TestClock) -> WorkMonitor:
    return WorkMonitor(clock.clock().monotonic, GRACE, queue=0)


def test_work_is_overdue_when_it_has_not_begun_after_its_period_and_the_grace(
    monitor: WorkMonitor, clock: TestClock
) -> None:
    monitor.expect("sweep", MINUTE)
    monitor.expect("watchdog", 2 * MINUTE)
    clock.elapsed += 160
    assert monitor.overdue() is None
    clock.elapsed += 5
    assert monitor.overdue() == "sweep: overdue by 105 s; if it lasts, restart the service"


def test_work_is_expected_again_one_period_after_its_end(
    monitor: WorkMonitor, clock: TestClock
) -> None:
    with monitor.running("sweep", MINUTE):
        clock.elapsed += 90
    clock.elapsed += 155
    assert monitor.overdue() is None
    clock.elapsed += 10
    assert monitor.overdue() is not None


def test_work_may_wait_for_a_worker_before_it_begins_but_not_after_that(clock: TestClock) -> None:
    """A store that hangs holds each worker for its time, and many streams share the workers."""
    monitor = WorkMonitor(clock.clock().monotonic, GRACE, queue=500)
    monitor.expect("ticks", MINUTE)
    clock.elapsed += 655
    assert monitor.overdue() is None
    with monitor.running("ticks", MINUTE):
        clock.elapsed += 105
        assert monitor.overdue() is not None


@pytest.mark.parametrize(("number", "minutes"), [(1, 4), (4, 4), (40, 22)])
def test_the_more_streams_there_are_the_longer_work_may_wait(number: int, minutes: int) -> None:
    """With 40 of them, each of the 8 workers has 10 pieces of work of at most 2 minutes."""
    harness = Harness(tuple(stream_of(f"stream-{one}") for one in range(number)))
    harness.domain.monitor.expect("ticks", timedelta(0))
    harness.clock.elapsed = (minutes - 1) * 60 - 1
    assert harness.domain.monitor.overdue() is None
    harness.clock.elapsed = minutes * 60
    assert harness.domain.monitor.overdue() is not None


@pytest.mark.parametrize("period", [MINUTE, None])
def test_work_that_makes_no_progress_is_overdue(
    monitor: WorkMonitor, clock: TestClock, period: timedelta | None
) -> None:
    store = MonitoredStore(FakeJobStore(), monitor.progress)
    with monitor.running("sweep", period):
        for _ in range(10):
            clock.elapsed += 90
            assert monitor.overdue() is None, "it is slow, but it goes on"
            store.within(clock.clock().deadline())
        clock.elapsed += 101
        assert monitor.overdue() == "sweep: overdue by 101 s; if it lasts, restart the service"
    assert monitor.overdue() is None


def test_requests_of_other_threads_are_no_progress(monitor: WorkMonitor, clock: TestClock) -> None:
    with monitor.running("sweep", None):
        clock.elapsed += 101
        other = Thread(target=monitor.progress)
        other.start()
        other.join()
        assert monitor.overdue() is not None


def test_work_that_is_not_repeated_is_forgotten_at_its_end(
    monitor: WorkMonitor, clock: TestClock
) -> None:
    with pytest.raises(ZeroDivisionError), monitor.running("confirmation", None):
        raise ZeroDivisionError
    clock.elapsed += 1_000_000
    assert monitor.overdue() is None


class HangingStore(FakeJobStore):
    """A store whose reads of the sweep hang until they are released."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs, self.released = Event(), Event()

    def inspect(
        self, operations: Sequence[str], task_operations: Sequence[str], known: Sequence[str]
    ) -> Inspection:
        self.hangs.set()
        self.released.wait(PATIENCE)
        return super().inspect(operations, task_operations, known)


@pytest.fixture
def hanging() -> Iterator[HangingStore]:
    store = HangingStore()
    yield store
    store.released.set()


def test_a_sweep_that_hangs_is_overdue_until_it_goes_on(
    clock: TestClock, hanging: HangingStore
) -> None:
    domain = Harness((stream_of(),), clock, hanging).domain
    domain.scheduler.start()
    try:
        assert hanging.hangs.wait(PATIENCE)
        clock.elapsed += domain.monitor.grace + MAX_SLEEP.total_seconds() / 2
        overdue = domain.monitor.overdue  # ticks may be under way too, but they soon end
        eventually(lambda: (overdue() or "").startswith("sweep: overdue by "), "a late sweep")
        hanging.released.set()
        eventually(lambda: domain.monitor.overdue() is None, "the end of the sweep")
    finally:
        domain.scheduler.stop()


def test_each_periodic_work_is_expected_from_the_start_on(
    clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if APScheduler never begins it."""
    monkeypatch.setattr(BackgroundScheduler, "start", lambda _: None)
    domain = Harness((stream_of("a"), stream_of("b")), clock).domain
    domain.scheduler.start()
    late = set()
    clock.elapsed += 1_000_000
    while problem := domain.monitor.overdue():
        name = problem.partition(":")[0]
        late.add(name)
        with domain.monitor.running(name, None):
            pass
    assert late == {"ticks of stream a", "ticks of stream b", "sweep", "watchdog"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_overdue_work_fails_the_health_checks(path: str) -> None:
    harness = WebHarness()
    harness.domain.monitor.expect("sweep", MINUTE)
    assert harness.client.get(path).status_code == 200
    harness.clock.elapsed += 100_000
    detail = error_detail(harness.client.get(path), 503, "Service Unavailable")
    assert detail.startswith("sweep: overdue by ")
    assert "restart the service" in detail


def test_overdue_work_does_not_refuse_the_calls_of_people() -> None:
    harness = WebHarness()
    harness.domain.monitor.expect("sweep", MINUTE)
    harness.clock.elapsed += 100_000
    assert harness.client.post("/public/dump-publication-graph-jobs").status_code == 200
