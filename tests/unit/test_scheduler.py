"""When APScheduler wakes: at ticks and retries, and often enough to notice a changed clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import Queue
from threading import Event

import pytest

from jobs import cron
from jobs.clock import LATEST, Clock
from jobs.model import Stream
from jobs.ticks.reconciler import Reconciler
from jobs.ticks.scheduler import (
    MAX_SLEEP,
    MAX_WORKERS,
    PeriodicTask,
    TickScheduler,
    TickTrigger,
    WakeUp,
)
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    SECOND,
    TestClock,
    at,
    operation,
    stream_of,
)
from tests.support.domain import Harness
from tests.support.patience import PATIENCE

START = at("2024-01-06T00:00:00")
EVERY_SECOND = "* * * * * *"


@pytest.mark.parametrize(
    ("pattern", "previous", "now", "wake"),
    [
        pytest.param("*/10 * * * * *", None, START + SECOND, START + 10 * SECOND, id="near tick"),
        pytest.param("0 6 * * *", None, START, START + MAX_SLEEP, id="far tick"),
        pytest.param("*/10 * * * * *", START, START, START + 10 * SECOND, id="after a wake-up"),
    ],
)
def test_the_schedule_wakes_at_the_next_tick_or_after_the_longest_sleep(
    pattern: str, previous: datetime | None, now: datetime, wake: datetime
) -> None:
    trigger = TickTrigger(cron.parse(pattern, UTC).next_after)
    assert trigger.get_next_fire_time(previous, now) == wake


def test_the_schedule_does_not_list_the_ticks_of_a_long_pause() -> None:
    now = START + 30 * DAY
    trigger = TickTrigger(cron.parse(EVERY_SECOND, UTC).next_after)
    wake = trigger.get_next_fire_time(START, now)
    assert now - MAX_SLEEP <= wake <= now


def test_a_wake_up_fires_once_but_never_ends() -> None:
    wake_up = WakeUp(START)
    assert wake_up.get_next_fire_time(None, START) == START
    assert wake_up.get_next_fire_time(START, START) == LATEST


def utc_now() -> datetime:
    return datetime.now(UTC)


class RealTime(TestClock):
    """The clocks of the machine; the wall clock is `ahead`."""

    ahead = timedelta(0)

    def clock(self) -> Clock:
        return replace(
            super().clock(), now=lambda: utc_now() + self.ahead, monotonic=time.monotonic
        )


class Live(Harness):
    """Streams without an initial sync that tick every second, on the real clock."""

    def __init__(self, *names: str) -> None:
        patterns = {HEALING: EVERY_SECOND, DUMP: EVERY_SECOND}
        super().__init__(
            tuple(
                stream_of(name, patterns=patterns, disabled=[INITIAL_SYNC], healing_waits=False)
                for name in names
            ),
            RealTime(utc_now()),
        )
        self.scheduler = self.domain.scheduler
        self.reconciled: Queue[str | None] = Queue()

    def watch(
        self, monkeypatch: pytest.MonkeyPatch, before: Callable[[Stream], object] = lambda _: None
    ) -> None:
        """Call `before` ahead of each reconciliation, and queue the stream's name after it."""
        reconcile = Reconciler.reconcile

        def watched(reconciler: Reconciler, stream: Stream) -> None:
            before(stream)
            reconcile(reconciler, stream)
            self.reconciled.put(stream.name)

        monkeypatch.setattr(Reconciler, "reconcile", watched)

    def await_reconciled(self, name: str, times: int) -> None:
        """Wait until a stream was reconciled several times."""
        while times:
            times -= self.reconciled.get(timeout=PATIENCE) == name


@contextmanager
def running(scheduler: TickScheduler) -> Iterator[None]:
    scheduler.start()
    try:
        yield
    finally:
        scheduler.stop()


@pytest.fixture
def release() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


@pytest.fixture
def live() -> Live:
    return Live("public")


def test_a_stream_that_hangs_delays_no_other(
    monkeypatch: pytest.MonkeyPatch, release: Event
) -> None:
    live = Live("slow", "quick")
    live.watch(monkeypatch, lambda stream: stream.name == "slow" and release.wait(PATIENCE))
    with running(live.scheduler):
        live.await_reconciled("quick", 3)
        (job,) = list(live.store.created)
    assert job.job_operation == operation(HEALING, "quick"), "it is active, so the dump waits"


def test_many_streams_share_few_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"stream-{number}" for number in range(50)]
    live = Live(*names)
    live.watch(monkeypatch)
    with running(live.scheduler):
        waiting = set(names)
        while waiting:
            waiting.discard(live.reconciled.get(timeout=PATIENCE) or "")
        workers = [one for one in threading.enumerate() if "ThreadPool" in one.name]
    assert len(workers) <= MAX_WORKERS + len(live.domain.scheduler.periodic_tasks) + 1


def test_sent_jobs_are_confirmed_and_waiting_ticks_are_tried_again(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.watch(monkeypatch)
    with running(live.scheduler):
        live.await_reconciled("public", 6)
    assert "find" in live.store.calls
    assert live.store.calls.count("state") > 1


def test_no_work_begins_after_a_stop(
    live: Live, monkeypatch: pytest.MonkeyPatch, release: Event
) -> None:
    """The running reconciliation ends after the stop, when the next tick is due."""
    entered = Event()

    def hold(_: Stream) -> None:
        entered.set()
        release.wait(PATIENCE)

    live.watch(monkeypatch, hold)
    with running(live.scheduler):
        assert entered.wait(PATIENCE)
    workers = [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
    release.set()
    for worker in workers:
        worker.join(PATIENCE)
    assert workers
    assert live.reconciled.qsize() == 1


def test_a_periodic_task_does_not_wait_for_its_first_period(live: Live) -> None:
    """A process that is restarted again and again would never run it."""
    swept = Event()
    tasks = [PeriodicTask("sweep", swept.set, HOUR)]
    scheduler = replace(live.domain.scheduler, periodic_tasks=tasks)
    with running(scheduler):
        assert swept.wait(PATIENCE)


@pytest.mark.parametrize(
    ("ahead", "direction"),
    [(HOUR, "back"), (-HOUR, "forwards")],
    ids=["set back", "set forwards"],
)
def test_a_clock_that_is_set_makes_the_scheduler_wake_everything_at_once(
    live: Live,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ahead: timedelta,
    direction: str,
) -> None:
    """APScheduler itself would wait for an hour on a clock that was set back by an hour."""
    monkeypatch.setattr(live.clock, "ahead", ahead)
    live.watch(monkeypatch)
    with running(live.scheduler):
        if ahead > timedelta(0):
            assert live.reconciled.empty()
        monkeypatch.setattr(live.clock, "ahead", timedelta(0))
        live.scheduler.check_clock()
        live.await_reconciled("public", 3)
    assert f"the clock was set {direction} by 3600 s" in caplog.text


def test_a_clock_that_runs_steadily_wakes_nothing_anew(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live.watch(monkeypatch)
    with running(live.scheduler):
        live.scheduler.check_clock()
        live.await_reconciled("public", 3)
    assert "the clock was set" not in caplog.text


def test_a_stop_before_the_start_is_harmless(live: Live) -> None:
    live.scheduler.stop()


def thread_of_apscheduler() -> threading.Thread:
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "APScheduler"]
    return thread


def test_the_scheduler_is_alive_before_its_start_while_it_runs_and_after_its_stop(
    live: Live,
) -> None:
    assert live.scheduler.alive
    with running(live.scheduler):
        assert thread_of_apscheduler().is_alive()
        assert live.scheduler.alive
    assert live.scheduler.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_scheduler_is_not_alive_after_its_thread_died(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in a trigger ends APScheduler's thread, while its state is still RUNNING."""
    reached, go = Event(), Event()

    def fail(*_: object) -> datetime:
        if threading.current_thread().name != "APScheduler":
            return utc_now()
        reached.set()
        go.wait(PATIENCE)
        raise ZeroDivisionError

    monkeypatch.setattr(Reconciler, "next_due", fail)
    with running(live.scheduler):
        assert reached.wait(PATIENCE)
        thread = thread_of_apscheduler()
        assert live.scheduler.alive
        go.set()
        thread.join(PATIENCE)
        assert not live.scheduler.alive


def test_the_scheduler_is_alive_while_it_starts(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler is RUNNING a moment before it has a thread, which is no reason to restart."""
    seen, start = list[bool](), threading.Thread.start

    def check_and_start(thread: threading.Thread) -> None:
        if thread.name == "APScheduler":
            seen.append(live.scheduler.alive)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", check_and_start)
    with running(live.scheduler):
        assert seen == [True]
