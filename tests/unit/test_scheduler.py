"""When APScheduler wakes: at every tick, at every retry, and often enough to notice a new clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from queue import Queue
from threading import Event
from typing import TYPE_CHECKING

import pytest

from jobs import cron
from jobs.agenda import NEVER
from jobs.scheduler import LONGEST_SLEEP, Chore, TickScheduler, TickTrigger, WakeUp
from tests.builders import DUMP, HEALING, INITIAL_SYNC, World, at, operation, stream_of
from tests.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.model import Stream

START = at("2024-01-06T00:00:00")
EVERY_SECOND = {HEALING: "* * * * * *", DUMP: "* * * * * *"}


def trigger_of(pattern: str) -> TickTrigger:
    return TickTrigger(cron.parse(pattern, UTC).next_after)


def test_it_wakes_at_a_tick_that_is_near() -> None:
    wake = trigger_of("*/10 * * * * *").get_next_fire_time(None, at("2024-01-06T00:00:01"))
    assert wake == at("2024-01-06T00:00:10")


def test_it_wakes_before_a_tick_that_is_far_to_look_at_the_clock() -> None:
    wake = trigger_of("0 6 * * *").get_next_fire_time(None, START)
    assert wake == START + LONGEST_SLEEP


def test_it_goes_on_from_the_last_wake_up() -> None:
    trigger = trigger_of("*/10 * * * * *")
    assert trigger.get_next_fire_time(START, START) == START + timedelta(seconds=10)


def test_it_does_not_list_what_a_long_sleep_missed() -> None:
    now = START + timedelta(days=30)
    wake = trigger_of("* * * * * *").get_next_fire_time(START, now)
    assert now - LONGEST_SLEEP <= wake <= now


def test_a_wake_up_comes_once_and_leaves_nothing_to_remove() -> None:
    wake_up = WakeUp(START)
    assert wake_up.get_next_fire_time(None, START) == START
    assert wake_up.get_next_fire_time(START, START) == NEVER


def now() -> datetime:
    return datetime.now(UTC)


class Live(Harness):
    """Streams without an initial sync, on the real clock."""

    def __init__(self, *streams: Stream) -> None:
        super().__init__(streams, World(now=now()))
        object.__setattr__(self.about, "now", now)
        self.looks: Queue[str | None] = Queue()

    def watch(self, monkeypatch: pytest.MonkeyPatch, around: Callable[[Stream], None]) -> None:
        look = self.settler.look

        def watched(stream: Stream) -> None:
            around(stream)
            look(stream)
            self.looks.put(stream.name)

        monkeypatch.setattr(self.settler, "look", watched)

    def scheduler(self) -> TickScheduler:
        return TickScheduler(
            self.settler,
            chores=[Chore("sweep", self.sweeper.sweep, timedelta(hours=1))],
            flush=self.reporter.flush,
            now=now,
        )


def idle(name: str) -> Stream:
    return stream_of(name, patterns=EVERY_SECOND, disabled=[INITIAL_SYNC], healing_waits=False)


def await_looks(live: Live, *names: str) -> None:
    """Wait until each of the streams was looked at, in any order."""
    missing = list(names)
    while missing:
        name = live.looks.get(timeout=10)
        if name in missing:
            missing.remove(name)


@pytest.fixture
def release() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def test_a_stream_that_hangs_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, release: Event
) -> None:
    slow, quick = idle("slow"), idle("quick")
    live = Live(slow, quick)

    def hang(stream: Stream) -> None:
        if stream is slow:
            release.wait(10)

    live.watch(monkeypatch, hang)
    scheduler = live.scheduler()
    scheduler.start()
    try:
        await_looks(live, "quick", "quick", "quick")
        made = list(live.store.created)
    finally:
        scheduler.stop()
        release.set()
    (job,) = made
    assert job.job_operation == operation(HEALING, "quick"), "it is active, so the rest waits"


def test_what_was_sent_is_confirmed_and_what_waits_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = Live(idle("public"))
    live.watch(monkeypatch, lambda _: None)
    scheduler = live.scheduler()
    scheduler.start()
    try:
        await_looks(live, *["public"] * 6)
    finally:
        scheduler.stop()
    assert "find" in live.store.calls
    assert live.store.calls.count("state") > 1


def test_after_a_stop_nothing_more_is_taken_up(
    monkeypatch: pytest.MonkeyPatch, release: Event
) -> None:
    """The look under way ends after the stop, when the next tick is due."""
    entered = Event()
    live = Live(idle("public"))

    def hold(_: Stream) -> None:
        entered.set()
        release.wait(10)

    live.watch(monkeypatch, hold)
    scheduler = live.scheduler()
    scheduler.start()
    assert entered.wait(10)
    scheduler.stop()
    workers = [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
    release.set()
    for worker in workers:
        worker.join(10)
    assert workers
    assert live.looks.qsize() == 1


def test_a_chore_does_not_wait_for_its_first_interval() -> None:
    """A process that is restarted again and again would never come to it."""
    live, swept = Live(idle("public")), Event()
    scheduler = TickScheduler(
        live.settler,
        chores=[Chore("sweep", swept.set, timedelta(hours=1))],
        flush=live.reporter.flush,
        now=now,
    )
    scheduler.start()
    try:
        assert swept.wait(10)
    finally:
        scheduler.stop()


def test_stopping_before_the_start_is_harmless() -> None:
    Live(idle("public")).scheduler().stop()


def thread_of_apscheduler() -> threading.Thread:
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "APScheduler"]
    return thread


def test_it_is_alive_before_its_start_while_it_runs_and_after_its_stop() -> None:
    scheduler = Live(idle("public")).scheduler()
    assert scheduler.alive
    scheduler.start()
    try:
        assert thread_of_apscheduler().is_alive()
        assert scheduler.alive
    finally:
        scheduler.stop()
    assert scheduler.alive


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_is_not_alive_after_its_thread_died(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a trigger kills APScheduler's thread, while its state still says RUNNING."""
    live, reached, go = Live(idle("public")), Event(), Event()

    def fail(*_: object) -> datetime:
        if threading.current_thread().name != "APScheduler":
            return now()
        reached.set()
        go.wait(10)
        raise ZeroDivisionError

    monkeypatch.setattr(live.settler, "next_arrival", fail)
    scheduler = live.scheduler()
    scheduler.start()
    try:
        assert reached.wait(10)
        thread = thread_of_apscheduler()
        assert scheduler.alive
        go.set()
        thread.join(10)
        assert not scheduler.alive
    finally:
        scheduler.stop()


def test_it_is_alive_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """APScheduler is RUNNING a moment before it has a thread: no reason for a restart."""
    seen, start = list[bool](), threading.Thread.start
    scheduler = Live(idle("public")).scheduler()

    def ask_and_start(thread: threading.Thread) -> None:
        if thread.name == "APScheduler":
            seen.append(scheduler.alive)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", ask_and_start)
    scheduler.start()
    try:
        assert seen == [True]
    finally:
        scheduler.stop()
