"""When APScheduler wakes: at every tick, and often enough to notice a changed clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from queue import Queue
from threading import Event
from threading import enumerate as enumerate_threads

from jobs.agenda import Agenda
from jobs.model import Tick
from jobs.scheduler import LONGEST_SLEEP, TickScheduler, TickTrigger
from tests.builders import DUMP, HEALING, at, stream_of

START = at("2024-01-06T00:00:00")


def trigger_of(pattern: str) -> TickTrigger:
    return TickTrigger(Agenda(stream_of(patterns={DUMP: pattern}), since=START))


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
    assert wake is not None
    assert now - LONGEST_SLEEP <= wake <= now


def test_it_never_wakes_where_nothing_is_scheduled() -> None:
    agenda = Agenda(stream_of(patterns={}), since=START)
    assert TickTrigger(agenda).get_next_fire_time(None, START) is None


def now() -> datetime:
    return datetime.now(UTC)


def test_ticks_of_two_streams_are_settled_side_by_side() -> None:
    """One second of real time: a stream that hangs must not hold up another."""
    patterns = {HEALING: "* * * * * *", DUMP: "* * * * * *"}
    slow, quick = stream_of("slow", patterns=patterns), stream_of("quick", patterns=patterns)
    release, settled = Event(), Queue[Tick]()

    def settle(tick: Tick) -> None:
        if tick.stream is slow:
            release.wait(10)
        settled.put(tick)

    scheduler = TickScheduler([Agenda(slow, now()), Agenda(quick, now())], settle, now)
    scheduler.start()
    try:
        first, second = settled.get(timeout=10), settled.get(timeout=10)
    finally:
        scheduler.stop()
        release.set()
    assert (first.stream, second.stream) == (quick, quick)
    assert (first.kind, second.kind) == (HEALING, DUMP)
    assert first.fire_time == second.fire_time


def test_after_a_stop_the_next_tick_is_not_settled() -> None:
    """The tick under way ends after the stop, at a time when the next one is due."""
    settled, go_on = Queue[Tick](), Event()
    stream = stream_of(patterns={DUMP: "* * * * * *"})
    ahead = timedelta(0)

    def settle(tick: Tick) -> None:
        settled.put(tick)
        go_on.wait(10)

    scheduler = TickScheduler([Agenda(stream, now())], settle, lambda: now() + ahead)
    scheduler.start()
    settled.get(timeout=10)
    scheduler.stop()
    ahead = timedelta(hours=1)
    workers = [thread for thread in enumerate_threads() if "ThreadPool" in thread.name]
    go_on.set()
    for worker in workers:
        worker.join(10)
    assert workers
    assert settled.empty()


def test_stopping_before_the_start_is_harmless() -> None:
    TickScheduler([], print, now).stop()
