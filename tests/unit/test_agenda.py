"""What becomes of every tick of a schedule: done, superseded, missed, or cleaned by request."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs import cron
from jobs.agenda import Agenda, Once, Policy, Superseded
from jobs.model import Wait
from tests.builders import DUMP, INITIAL_SYNC, at, job_of, new_job, stream_of

START = at("2024-01-06T00:00:00")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BLOCKED = Wait("blocked")


def agenda_of(pattern: str = "0 6 * * *", seen: datetime = START, **policy: timedelta) -> Agenda:
    stream = stream_of()
    schedule = cron.parse(pattern, seen.tzinfo or START.tzinfo)  # type: ignore[arg-type] # aware
    return Agenda(stream, DUMP, schedule, seen, Policy(**policy))


def due(agenda: Agenda, now: datetime) -> datetime | None:
    """Return the fire time of the tick that is to be tried."""
    agenda.arrive(now)
    backlog = agenda.due(now)
    return backlog.newest.fire_time if backlog else None


def superseded(found: Superseded | None) -> tuple[int, datetime]:
    assert found is not None
    return found.count, found.since


SIX = at("2024-01-06T06:00:00")


def test_nothing_is_due_before_its_time() -> None:
    assert due(agenda_of(), SIX - timedelta(milliseconds=1)) is None


def test_a_tick_is_due_at_its_instant_and_until_it_is_settled() -> None:
    agenda = agenda_of()
    assert due(agenda, SIX) == SIX
    assert due(agenda, SIX + HOUR) == SIX
    agenda.settled(SIX)
    assert due(agenda, SIX + HOUR) is None
    assert due(agenda, SIX + DAY) == SIX + DAY


def test_what_fired_before_the_start_does_not_arrive() -> None:
    assert due(agenda_of("0 0 * * *"), START + HOUR) is None


def test_a_clock_that_goes_back_brings_no_tick_twice() -> None:
    agenda = agenda_of("0 * * * *")
    assert due(agenda, SIX) == SIX
    agenda.settled(SIX)
    assert due(agenda, SIX - HOUR) is None
    assert due(agenda, SIX) is None


def test_a_newer_tick_supersedes_an_unsettled_one() -> None:
    agenda = agenda_of("* * * * *")
    agenda.arrive(SIX)
    agenda.settled(SIX)
    agenda.arrive(SIX + MINUTE)
    assert superseded(agenda.arrive(SIX + 2 * MINUTE)) == (1, SIX + MINUTE)
    assert superseded(agenda.arrive(SIX + 4 * MINUTE)) == (2, SIX + 2 * MINUTE)
    assert agenda.backlog is not None
    assert agenda.backlog.oldest == SIX + MINUTE
    assert agenda.backlog.others == 3


def test_ticks_that_nobody_saw_arrive_are_superseded_too() -> None:
    agenda = agenda_of("* * * * *")
    assert superseded(agenda.arrive(START + 10 * MINUTE)) == (9, START + MINUTE)
    assert agenda.backlog is not None
    assert agenda.backlog.oldest == START + MINUTE


def test_a_settled_tick_supersedes_nothing() -> None:
    agenda = agenda_of("* * * * *")
    agenda.arrive(START + MINUTE)
    agenda.settled(START + MINUTE)
    assert agenda.arrive(START + 2 * MINUTE) is None


def test_each_try_that_fails_puts_the_next_one_off_for_longer_up_to_a_bound() -> None:
    agenda = agenda_of()
    agenda.arrive(now := SIX)
    pauses = []
    for _ in range(9):
        agenda.waits(now, BLOCKED)
        assert agenda.backlog is not None
        pauses.append((agenda.backlog.retry_at - now).total_seconds())
        now = agenda.backlog.retry_at
        assert due(agenda, now - timedelta(milliseconds=1)) is None
        assert due(agenda, now) == SIX
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_chance_spreads_the_tries_of_many_streams() -> None:
    agenda = agenda_of()
    agenda.arrive(SIX)
    agenda.waits(SIX, BLOCKED, chance=0)
    assert agenda.next_look() == SIX + timedelta(seconds=0.5)


def test_a_newer_tick_is_tried_at_once() -> None:
    agenda = agenda_of("* * * * *")
    agenda.arrive(SIX)
    for _ in range(8):
        agenda.waits(SIX, BLOCKED)
    assert due(agenda, SIX + MINUTE) == SIX + MINUTE


def test_nothing_is_tried_while_it_is_unknown_what_became_of_a_write() -> None:
    agenda = agenda_of("* * * * *")
    agenda.arrive(SIX)
    agenda.wrote(new_job("a"), SIX)
    assert due(agenda, SIX) is None
    assert due(agenda, SIX + MINUTE) is None


def test_a_confirmed_write_settles_its_tick_and_leaves_a_newer_one_due() -> None:
    agenda = agenda_of("* * * * *")
    agenda.arrive(SIX)
    agenda.wrote(new_job("a"), SIX)
    agenda.arrive(SIX + MINUTE)
    agenda.settled(SIX)
    assert agenda.sent is None
    assert due(agenda, SIX + MINUTE) == SIX + MINUTE


def test_a_write_is_looked_for_ever_more_rarely_until_it_can_no_longer_arrive() -> None:
    agenda = agenda_of(settle=10 * SECOND)
    agenda.arrive(now := SIX)
    agenda.wrote(new_job("a"), now)
    looks = []
    while not agenda.overdue(now):
        now = agenda.next_look() or now
        looks.append((now - SIX).total_seconds())
        agenda.look_later(now)
    assert looks == [1, 2, 4, 8, 10]


def test_a_write_that_never_arrived_makes_its_tick_due_again() -> None:
    agenda = agenda_of()
    agenda.arrive(SIX)
    agenda.wrote(new_job("a"), SIX)
    agenda.lost(SIX + MINUTE)
    assert due(agenda, SIX + MINUTE) == SIX


def test_a_write_that_never_arrived_is_superseded_by_a_newer_tick() -> None:
    agenda = agenda_of("* * * * *", seen=SIX - MINUTE)
    agenda.arrive(SIX)
    agenda.wrote(new_job("a"), SIX)
    agenda.arrive(SIX + MINUTE)
    assert superseded(agenda.lost(SIX + MINUTE)) == (1, SIX)
    assert due(agenda, SIX + MINUTE) == SIX + MINUTE
    assert agenda.backlog is not None
    assert (agenda.backlog.oldest, agenda.backlog.others) == (SIX, 1)


def test_a_job_that_a_person_made_settles_the_ticks_up_to_it() -> None:
    agenda = agenda_of("* * * * *", seen=SIX - MINUTE)
    for minute in range(5):
        agenda.arrive(SIX + minute * MINUTE)
    agenda.settled(SIX + 2.5 * MINUTE)
    assert agenda.backlog is not None
    assert agenda.backlog.newest.fire_time == SIX + 4 * MINUTE
    assert (agenda.backlog.oldest, agenda.backlog.others) == (SIX + 3 * MINUTE, 1)


def test_a_tick_is_missed_when_its_window_closes() -> None:
    agenda = agenda_of(window=HOUR)
    agenda.arrive(SIX)
    agenda.waits(SIX, why := Wait("blocked by a dump", (job_of(DUMP),)))
    assert agenda.missed(SIX + HOUR - timedelta(seconds=1)) is None
    missed = agenda.missed(SIX + HOUR)
    assert missed is not None
    assert missed.newest.fire_time == missed.oldest == SIX
    assert missed.why == why
    assert due(agenda, SIX + HOUR) is None


def test_a_short_period_does_not_hide_a_lasting_block() -> None:
    agenda = agenda_of("* * * * *", seen=SIX - MINUTE, window=HOUR)
    found = None
    for minute in range(61):
        agenda.arrive(now := SIX + minute * MINUTE)
        agenda.waits(now, BLOCKED)
        found = found or agenda.missed(now)
    assert found is not None
    assert found.oldest == SIX
    assert found.newest.fire_time == SIX + HOUR
    assert found.others == 60


def test_without_a_window_a_tick_is_tried_once() -> None:
    agenda = agenda_of(window=timedelta(0))
    agenda.arrive(SIX)
    assert agenda.due(SIX) is not None
    agenda.waits(SIX, BLOCKED)
    assert agenda.missed(SIX) is not None


def test_a_replica_takes_a_tick_up_after_its_delay() -> None:
    agenda = agenda_of(delay=90 * timedelta(seconds=1))
    assert due(agenda, SIX + timedelta(seconds=89)) is None
    assert due(agenda, SIX + timedelta(seconds=90)) == SIX
    assert agenda.next_arrival(SIX) == SIX + timedelta(seconds=90)
    assert agenda.next_arrival(SIX + timedelta(seconds=90)) == SIX + DAY + timedelta(seconds=90)


def test_a_standby_slot_takes_the_newest_tick_when_one_is_overdue() -> None:
    agenda = agenda_of("* * * * *", seen=SIX - MINUTE, delay=90 * SECOND)
    assert due(agenda, SIX + 89 * SECOND) is None
    assert due(agenda, SIX + 90 * SECOND) == SIX + MINUTE
    agenda.settled(SIX + MINUTE)
    assert due(agenda, SIX + 2 * MINUTE) is None


@pytest.mark.parametrize(
    ("last_job", "inherited"),
    [
        pytest.param(None, False, id="where no job was ever created nothing is caught up"),
        pytest.param(SIX, False, id="a tick that has its job is settled"),
        pytest.param(SIX + HOUR, False, id="a later job of a person settles it too"),
        pytest.param(SIX - MINUTE, True, id="a tick since the last job is due"),
    ],
)
def test_what_a_predecessor_left(last_job: datetime | None, *, inherited: bool) -> None:
    agenda = agenda_of(seen=SIX)
    agenda.inherit(SIX + 2 * HOUR, last_job)
    assert (agenda.backlog is not None) is inherited


def test_a_predecessors_tick_is_left_alone_while_its_write_may_still_be_applied() -> None:
    agenda = agenda_of(seen=SIX)
    agenda.inherit(now := SIX + HOUR, SIX - DAY)
    assert due(agenda, now + timedelta(seconds=59)) is None
    assert due(agenda, now + timedelta(seconds=60)) == SIX


def test_a_standby_slot_leaves_a_predecessors_tick_to_the_others_first() -> None:
    agenda = agenda_of(seen=SIX, delay=5 * MINUTE)
    agenda.inherit(now := SIX + SECOND, SIX - DAY)
    assert due(agenda, now + MINUTE) is None
    assert due(agenda, SIX + 5 * MINUTE) == SIX


def test_ticks_while_the_service_was_down_are_superseded_by_the_newest() -> None:
    agenda = agenda_of("0 * * * *", seen=SIX)
    assert superseded(agenda.inherit(SIX, SIX - 5 * HOUR)) == (4, SIX - 4 * HOUR)


def test_a_predecessors_tick_whose_window_closed_is_missed() -> None:
    agenda = agenda_of(seen=SIX, window=HOUR)
    agenda.inherit(SIX + DAY / 2, SIX - DAY)
    missed = agenda.missed(SIX + DAY / 2)
    assert missed is not None
    assert "not running, or the pattern changed" in missed.why.reason


def test_cleaning_settles_the_ticks_up_to_now() -> None:
    agenda = agenda_of("* * * * *", seen=SIX - MINUTE)
    agenda.arrive(SIX)
    agenda.wrote(new_job("a"), SIX)
    agenda.arrive(SIX + MINUTE)
    assert agenda.clean(SIX + 2 * MINUTE) == SIX + 2 * MINUTE
    assert agenda.sent is None
    assert due(agenda, SIX + 2 * MINUTE) is None
    assert due(agenda, SIX + 3 * MINUTE) == SIX + 3 * MINUTE


def test_cleaning_an_idle_schedule_settles_nothing() -> None:
    assert agenda_of().clean(START + MINUTE) is None


def test_it_says_when_to_look_again() -> None:
    agenda = agenda_of()
    assert agenda.next_look() is None
    agenda.arrive(SIX)
    assert agenda.next_look() == SIX
    agenda.wrote(new_job("a"), SIX)
    assert agenda.next_look() == SIX + timedelta(seconds=1)


def test_what_is_due_at_a_start_fires_once() -> None:
    agenda = Agenda(stream_of(), INITIAL_SYNC, Once(SIX), START, Policy())
    assert due(agenda, SIX - SECOND) is None
    assert due(agenda, SIX) == SIX
    agenda.settled(SIX)
    assert due(agenda, SIX + 1000 * DAY) is None
