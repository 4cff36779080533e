"""What becomes of every tick of a schedule: done, superseded, missed, or discarded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import cron
from jobs.clock import EARLIEST
from jobs.rules import Wait
from jobs.ticks.pending import Pending, PendingTicks, Superseded
from jobs.ticks.policy import Once, TickPolicy
from tests.support.builders import (
    DAY,
    DUMP,
    HOUR,
    INITIAL_SYNC,
    MINUTE,
    SECOND,
    at,
    job_of,
    new_job,
    stream_of,
)

START, SIX = at("2024-01-06T00:00:00"), at("2024-01-06T06:00:00")
MOMENT = timedelta(milliseconds=1)
BLOCKED = Wait("blocked")
DAILY, HOURLY, EVERY_MINUTE = "0 6 * * *", "0 * * * *", "* * * * *"


def ticks_of(
    pattern: str = DAILY, handled_until: datetime = START, **policy: timedelta
) -> PendingTicks:
    schedule = cron.parse(pattern, UTC)
    return PendingTicks(stream_of(), DUMP, schedule, handled_until, TickPolicy(**policy))


def sent_at_six(pattern: str = DAILY, **policy: timedelta) -> PendingTicks:
    """Return ticks of which that of six o'clock is the first, and whose job was sent."""
    ticks = ticks_of(pattern, SIX - MINUTE, **policy)
    ticks.advance(SIX)
    ticks.mark_sent(new_job("a"), SIX)
    return ticks


def due(ticks: PendingTicks, now: datetime) -> datetime | None:
    """Return the fire time of the tick that is to be tried now."""
    ticks.advance(now)
    pending = ticks.due(now)
    return pending.newest.fire_time if pending else None


def pending_of(ticks: PendingTicks) -> Pending:
    assert ticks.pending is not None
    return ticks.pending


def superseded(found: Superseded | None) -> tuple[int, datetime]:
    assert found is not None
    return found.count, found.since


def test_a_tick_is_due_from_its_fire_time_until_it_is_complete() -> None:
    ticks = ticks_of()
    assert due(ticks, SIX - MOMENT) is None
    assert due(ticks, SIX) == SIX
    assert due(ticks, SIX + HOUR) == SIX
    ticks.complete(SIX)
    assert due(ticks, SIX + HOUR) is None
    assert due(ticks, SIX + DAY) == SIX + DAY


def test_a_tick_from_before_the_start_is_not_due() -> None:
    assert due(ticks_of("0 0 * * *"), START + HOUR) is None


def test_a_clock_that_goes_back_brings_no_tick_twice() -> None:
    ticks = ticks_of(HOURLY)
    assert due(ticks, SIX) == SIX
    ticks.complete(SIX)
    assert due(ticks, SIX - HOUR) is None
    assert due(ticks, SIX) is None


def test_a_newer_tick_supersedes_pending_ones() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX)
    ticks.advance(SIX + MINUTE)
    assert superseded(ticks.advance(SIX + 2 * MINUTE)) == (1, SIX + MINUTE)
    assert superseded(ticks.advance(SIX + 4 * MINUTE)) == (2, SIX + 2 * MINUTE)
    assert (pending_of(ticks).oldest, pending_of(ticks).others) == (SIX + MINUTE, 3)


def test_ticks_that_fired_without_a_wake_up_are_superseded_too() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    assert superseded(ticks.advance(START + 10 * MINUTE)) == (9, START + MINUTE)
    assert pending_of(ticks).oldest == START + MINUTE


def test_a_complete_tick_is_not_superseded() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    ticks.advance(START + MINUTE)
    ticks.complete(START + MINUTE)
    assert ticks.advance(START + 2 * MINUTE) is None


def test_each_failed_try_doubles_the_pause_up_to_a_limit() -> None:
    ticks = ticks_of()
    ticks.advance(now := SIX)
    pauses = []
    for _ in range(9):
        ticks.defer(now, BLOCKED)
        retry_at = pending_of(ticks).retry_at
        pauses.append((retry_at - now).total_seconds())
        assert due(ticks, retry_at - MOMENT) is None
        assert due(ticks, retry_at) == SIX
        now = retry_at
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_random_number_spreads_the_tries_of_many_streams() -> None:
    ticks = ticks_of()
    ticks.advance(SIX)
    ticks.defer(SIX, BLOCKED, random=0)
    assert ticks.retry_at == SIX + SECOND / 2


def test_a_newer_tick_is_tried_at_once() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    ticks.advance(SIX)
    for _ in range(8):
        ticks.defer(SIX, BLOCKED)
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE


def test_nothing_is_tried_while_a_sent_job_is_unconfirmed() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    assert due(ticks, SIX) is None
    assert due(ticks, SIX + MINUTE) is None
    assert ticks.retry_at is None


def test_a_confirmed_job_completes_its_tick_and_a_newer_one_is_due() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    ticks.advance(SIX + MINUTE)
    ticks.complete(SIX)
    assert ticks.unconfirmed is None
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE


def test_a_sent_job_is_checked_at_growing_intervals_until_the_settle_time_is_over() -> None:
    ticks, now = sent_at_six(settle_time=10 * SECOND), SIX
    checks = []
    while not ticks.settle_time_over(now):
        assert ticks.unconfirmed is not None
        now = ticks.unconfirmed.check_at
        checks.append((now - SIX).total_seconds())
        ticks.confirm_later(now)
    assert checks == [1, 2, 4, 8, 10]


def test_a_job_that_never_arrived_makes_its_tick_due_again() -> None:
    ticks = sent_at_six()
    assert ticks.requeue(SIX + MINUTE) is None
    assert due(ticks, SIX + MINUTE) == SIX


def test_the_tick_of_a_job_that_never_arrived_is_superseded_by_a_newer_one() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    ticks.advance(SIX + MINUTE)
    ticks.defer(SIX + MINUTE, BLOCKED)
    assert superseded(ticks.requeue(SIX + MINUTE)) == (1, SIX)
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE
    assert (pending_of(ticks).oldest, pending_of(ticks).others) == (SIX, 1)


def test_a_tick_is_missed_when_its_window_closes() -> None:
    ticks = ticks_of(window=HOUR)
    ticks.advance(SIX)
    ticks.defer(SIX, why := Wait("blocked by a dump", (job_of(DUMP),)))
    assert ticks.expire(SIX + HOUR - SECOND) is None
    missed = ticks.expire(SIX + HOUR)
    assert missed is not None
    assert missed.newest.fire_time == missed.oldest == SIX
    assert missed.why == why
    assert due(ticks, SIX + HOUR) is None


def test_a_short_period_does_not_hide_a_lasting_obstacle() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX - MINUTE, window=HOUR)
    for minute in range(61):
        ticks.advance(now := SIX + minute * MINUTE)
        ticks.defer(now, BLOCKED)
        missed = ticks.expire(now)
        assert (missed is None) == (minute < 60)
    assert missed is not None
    assert (missed.oldest, missed.newest.fire_time, missed.others) == (SIX, SIX + HOUR, 60)


def test_without_a_window_a_tick_is_tried_once() -> None:
    ticks = ticks_of(window=timedelta(0))
    assert due(ticks, SIX) == SIX
    ticks.defer(SIX, BLOCKED)
    assert ticks.expire(SIX) is not None


def test_a_standby_slot_handles_a_tick_after_its_delay() -> None:
    delay = 90 * SECOND
    ticks = ticks_of(standby_delay=delay)
    assert ticks.next_due(SIX) == SIX + delay
    assert ticks.next_due(SIX + delay) == SIX + DAY + delay
    assert due(ticks, SIX + delay - MOMENT) is None
    assert due(ticks, SIX + delay) == SIX


def test_a_standby_slot_handles_the_newest_tick_as_soon_as_one_is_late() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX - MINUTE, standby_delay=90 * SECOND)
    assert due(ticks, SIX + 89 * SECOND) is None
    assert due(ticks, SIX + 90 * SECOND) == SIX + MINUTE
    ticks.complete(SIX + MINUTE)
    assert due(ticks, SIX + 2 * MINUTE) is None


@pytest.mark.parametrize(
    ("last_job", "resumed"),
    [
        pytest.param(None, False, id="no job exists, so nothing is resumed"),
        pytest.param(SIX, False, id="the tick has its job"),
        pytest.param(SIX + HOUR, False, id="a later job did the work"),
        pytest.param(SIX - MINUTE, True, id="the tick came after the last job"),
    ],
)
def test_a_start_resumes_the_newest_tick_without_a_job(
    last_job: datetime | None, *, resumed: bool
) -> None:
    ticks = ticks_of(handled_until=SIX)
    ticks.resume(SIX + 2 * HOUR, last_job)
    assert (ticks.pending is not None) is resumed


def test_a_resumed_tick_is_due_when_an_earlier_update_can_no_longer_arrive() -> None:
    ticks = ticks_of(handled_until=SIX, settle_time=MINUTE)
    ticks.resume(now := SIX + HOUR, SIX - DAY)
    assert due(ticks, now + MINUTE - MOMENT) is None
    assert due(ticks, now + MINUTE) == SIX


def test_a_resumed_tick_is_due_at_a_standby_slot_after_its_delay() -> None:
    ticks = ticks_of(handled_until=SIX, standby_delay=5 * MINUTE)
    ticks.resume(now := SIX + SECOND, SIX - DAY)
    assert due(ticks, now + MINUTE) is None
    assert due(ticks, SIX + 5 * MINUTE) == SIX


def test_a_resumed_tick_supersedes_those_that_fired_while_the_service_was_down() -> None:
    ticks = ticks_of(HOURLY, SIX)
    assert superseded(ticks.resume(SIX, SIX - 5 * HOUR)) == (4, SIX - 4 * HOUR)


def test_a_resumed_tick_whose_window_has_closed_is_missed() -> None:
    ticks = ticks_of(handled_until=SIX, window=HOUR)
    ticks.resume(now := SIX + DAY / 2, SIX - DAY)
    missed = ticks.expire(now)
    assert missed is not None
    assert "not running, or the pattern changed" in missed.why.reason


def test_discarding_completes_every_tick_up_to_now() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    ticks.advance(SIX + MINUTE)
    assert ticks.discard(SIX + 2 * MINUTE) == SIX + 2 * MINUTE
    assert ticks.unconfirmed is None
    assert due(ticks, SIX + 2 * MINUTE) is None
    assert due(ticks, SIX + 3 * MINUTE) == SIX + 3 * MINUTE


def test_discarding_without_a_pending_tick_returns_nothing() -> None:
    assert ticks_of().discard(START + MINUTE) is None


def test_the_tick_of_a_start_fires_once() -> None:
    ticks = PendingTicks(stream_of(), INITIAL_SYNC, Once(SIX), EARLIEST, TickPolicy())
    assert not ticks.recurs
    assert due(ticks, SIX - SECOND) is None
    assert due(ticks, SIX) == SIX
    ticks.complete(SIX)
    assert due(ticks, SIX + 1000 * DAY) is None
