"""What becomes of every tick of a schedule: done, superseded, missed, or discarded.

The monotonic clock of these tests is 0 at `START`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs import cron
from jobs.clock import EARLIEST
from jobs.rules import Wait
from jobs.ticks.pending import PendingTicks
from jobs.ticks.policy import Once, TickPolicy
from jobs.ticks.states import Pending, Superseded
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


def ticks_of(pattern: str = DAILY, handled_until: datetime = START, **policy: Any) -> PendingTicks:
    schedule = cron.parse(pattern, UTC)
    return PendingTicks(stream_of(), DUMP, schedule, handled_until, TickPolicy(**policy))


def sent_at_six(pattern: str = DAILY, **policy: Any) -> PendingTicks:
    """Return ticks of which that of six o'clock is the first, and whose job was sent."""
    ticks = ticks_of(pattern, SIX - MINUTE, **policy)
    advance(ticks, SIX)
    ticks.mark_sent(new_job("a"), SIX, seconds(SIX))
    return ticks


def seconds(instant: datetime) -> float:
    """Return what the monotonic clock shows at an instant."""
    return (instant - START).total_seconds()


def advance(ticks: PendingTicks, now: datetime) -> Superseded | None:
    return ticks.advance(now, seconds(now))


def due(ticks: PendingTicks, now: datetime) -> datetime | None:
    """Return the fire time of the tick that is to be tried now."""
    advance(ticks, now)
    pending = ticks.due(now, seconds(now))
    return pending.newest.fire_time if pending else None


def defer(ticks: PendingTicks, now: datetime, why: Wait = BLOCKED, random: float = 1) -> None:
    """Note that a try read the store, and that the job may not be created."""
    ticks.defer(seconds(now), why, random)


def may_write(ticks: PendingTicks, now: datetime) -> bool:
    return ticks.may_write(now, seconds(now))


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


def test_a_newer_tick_supersedes_pending_ones() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX)
    advance(ticks, SIX + MINUTE)
    assert superseded(advance(ticks, SIX + 2 * MINUTE)) == (1, SIX + MINUTE)
    assert superseded(advance(ticks, SIX + 4 * MINUTE)) == (2, SIX + 2 * MINUTE)
    assert (pending_of(ticks).oldest, pending_of(ticks).others) == (SIX + MINUTE, 3)


def test_ticks_that_fired_without_a_wake_up_are_superseded_too() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    assert superseded(advance(ticks, START + 10 * MINUTE)) == (9, START + MINUTE)
    assert pending_of(ticks).oldest == START + MINUTE


def test_a_complete_tick_is_not_superseded() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    advance(ticks, START + MINUTE)
    ticks.complete(START + MINUTE)
    assert advance(ticks, START + 2 * MINUTE) is None


def test_each_failed_try_doubles_the_pause_up_to_a_limit() -> None:
    ticks = ticks_of()
    advance(ticks, now := SIX)
    pauses = []
    for _ in range(9):
        defer(ticks, now)
        pauses.append(pending_of(ticks).retry_at - seconds(now))
        retry_at = now + pauses[-1] * SECOND
        assert due(ticks, retry_at - MOMENT) is None
        assert due(ticks, retry_at) == SIX
        now = retry_at
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_random_number_spreads_the_tries_of_many_streams() -> None:
    ticks = ticks_of()
    advance(ticks, SIX)
    defer(ticks, SIX, random=0)
    assert ticks.retry_at == seconds(SIX) + 0.5


def test_a_newer_tick_is_tried_at_once() -> None:
    ticks = ticks_of(EVERY_MINUTE)
    advance(ticks, SIX)
    for _ in range(8):
        defer(ticks, SIX)
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE


def test_nothing_is_tried_while_a_sent_job_is_unconfirmed() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    assert due(ticks, SIX) is None
    assert due(ticks, SIX + MINUTE) is None
    assert ticks.retry_at is None


def test_a_confirmed_job_completes_its_tick_and_a_newer_one_is_due() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    advance(ticks, SIX + MINUTE)
    ticks.complete(SIX)
    assert ticks.unconfirmed is None
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE


def test_a_sent_job_is_checked_at_growing_intervals_until_the_settle_time_is_over() -> None:
    ticks, elapsed = sent_at_six(settle_time=10 * SECOND), seconds(SIX)
    checks = []
    while not ticks.settle_time_over(elapsed):
        assert ticks.unconfirmed is not None
        elapsed = ticks.unconfirmed.check_at
        checks.append(elapsed - seconds(SIX))
        ticks.confirm_later(elapsed)
    assert checks == [1, 2, 4, 8, 10]


def test_a_job_that_never_arrived_makes_its_tick_due_again() -> None:
    ticks = sent_at_six()
    assert ticks.requeue(seconds(SIX + MINUTE)) is None
    assert due(ticks, SIX + MINUTE) == SIX


def test_the_tick_of_a_job_that_never_arrived_is_superseded_by_a_newer_one() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    advance(ticks, SIX + MINUTE)
    defer(ticks, SIX + MINUTE)
    assert superseded(ticks.requeue(seconds(SIX + MINUTE))) == (1, SIX)
    assert due(ticks, SIX + MINUTE) == SIX + MINUTE
    assert (pending_of(ticks).oldest, pending_of(ticks).others) == (SIX, 1)


def test_a_tick_is_missed_when_its_window_closes() -> None:
    ticks = ticks_of(window=HOUR)
    advance(ticks, SIX)
    defer(ticks, SIX, why := Wait("blocked by a dump", (job_of(DUMP),)))
    assert ticks.expire(SIX + HOUR - SECOND) is None
    assert due(ticks, SIX + HOUR) == SIX, "one more read"
    missed = ticks.expire(SIX + HOUR)
    assert missed is not None
    assert missed.newest.fire_time == missed.oldest == SIX
    assert missed.why == why
    assert due(ticks, SIX + HOUR) is None


def test_a_short_period_does_not_hide_a_lasting_obstacle() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX - MINUTE, window=HOUR)
    for minute in range(61):
        advance(ticks, now := SIX + minute * MINUTE)
        defer(ticks, now)
        missed = ticks.expire(now)
        assert (missed is None) == (minute < 60)
    assert missed is not None
    assert (missed.oldest, missed.newest.fire_time, missed.others) == (SIX, SIX + HOUR, 60)


def test_without_a_window_a_tick_is_written_once() -> None:
    ticks = ticks_of(window=timedelta(0))
    assert due(ticks, SIX) == SIX
    assert may_write(ticks, SIX)
    ticks.mark_sent(new_job("a"), SIX, seconds(SIX))
    ticks.requeue(seconds(SIX + MINUTE))
    assert due(ticks, SIX + MINUTE) == SIX
    assert not may_write(ticks, SIX + MINUTE)
    assert ticks.expire(SIX + MINUTE) is not None


def test_without_a_window_a_tick_that_met_an_absent_store_is_read_but_not_written() -> None:
    ticks = ticks_of(window=timedelta(0))
    assert due(ticks, SIX) == SIX
    ticks.defer(seconds(SIX), BLOCKED, verified=False)
    assert ticks.expire(SIX + MINUTE) is None
    assert due(ticks, SIX + MINUTE) == SIX
    assert not may_write(ticks, SIX + MINUTE)


def test_a_window_does_not_close_without_a_read_that_shows_no_job() -> None:
    ticks = ticks_of(window=HOUR)
    advance(ticks, SIX)
    ticks.defer(seconds(SIX), BLOCKED, verified=False)
    assert ticks.expire(SIX + 2 * HOUR) is None
    defer(ticks, SIX + 2 * HOUR)
    assert ticks.expire(SIX + 2 * HOUR) is not None


def resume(ticks: PendingTicks, now: datetime, last_job: datetime) -> Superseded | None:
    return ticks.resume(now, seconds(now), last_job)


@pytest.mark.parametrize(
    ("last_job", "resumed"),
    [
        pytest.param(SIX, False, id="the tick has its job"),
        pytest.param(SIX + HOUR, False, id="a later job did the work"),
        pytest.param(SIX - MINUTE, True, id="the tick came after the last job"),
    ],
)
def test_a_start_resumes_the_newest_tick_without_a_job(
    last_job: datetime, *, resumed: bool
) -> None:
    ticks = ticks_of(handled_until=SIX)
    resume(ticks, SIX + 2 * HOUR, last_job)
    assert (ticks.pending is not None) is resumed


def test_a_resumed_tick_is_due_when_an_earlier_update_can_no_longer_arrive() -> None:
    ticks = ticks_of(handled_until=SIX, settle_time=MINUTE)
    resume(ticks, now := SIX + HOUR, SIX - DAY)
    assert due(ticks, now + MINUTE - MOMENT) is None
    assert due(ticks, now + MINUTE) == SIX


def test_a_resumed_tick_supersedes_those_that_fired_while_the_service_was_down() -> None:
    ticks = ticks_of(HOURLY, SIX)
    assert superseded(resume(ticks, SIX, SIX - 5 * HOUR)) == (4, SIX - 4 * HOUR)
    assert (pending_of(ticks).first, pending_of(ticks).others) == (SIX - 4 * HOUR, 4)


def test_a_resumed_tick_whose_window_has_closed_is_missed() -> None:
    ticks = ticks_of(handled_until=SIX, window=HOUR)
    resume(ticks, now := SIX + DAY / 2, SIX - DAY)
    assert ticks.expire(now) is None, "the store was not read"
    defer(ticks, now + MINUTE, pending_of(ticks).why)
    missed = ticks.expire(now + MINUTE)
    assert missed is not None
    assert "it was left over" in missed.why.reason


def discard(ticks: PendingTicks, now: datetime) -> datetime | None:
    return ticks.discard(now, seconds(now))


def test_discarding_completes_every_tick_up_to_now() -> None:
    ticks = sent_at_six(EVERY_MINUTE)
    advance(ticks, SIX + MINUTE)
    assert discard(ticks, SIX + 2 * MINUTE) == SIX + 2 * MINUTE
    assert ticks.unconfirmed is None
    assert due(ticks, SIX + 2 * MINUTE) is None
    assert due(ticks, SIX + 3 * MINUTE) == SIX + 3 * MINUTE


def test_discarding_without_a_pending_tick_returns_nothing() -> None:
    assert discard(ticks_of(), START + MINUTE) is None


def sync_at_six() -> PendingTicks:
    """Return the tick of a start at six o'clock."""
    policy = TickPolicy(window=HOUR, settle_time=MINUTE)
    return PendingTicks(stream_of(), INITIAL_SYNC, Once(SIX), EARLIEST, policy)


def test_the_tick_of_a_start_fires_once_and_does_not_wait_for_a_clock_that_was_set_back() -> None:
    ticks = sync_at_six()
    assert not ticks.recurs
    assert ticks.step_back(SIX - HOUR) is None
    assert due(ticks, SIX - HOUR) == SIX
    ticks.complete(SIX)
    assert due(ticks, SIX + 1000 * DAY) is None


def test_the_initial_sync_stays_pending_and_is_reported_once_per_period() -> None:
    ticks = sync_at_six()
    reported = []
    for hour in range(72):
        now = SIX + hour * HOUR
        assert due(ticks, now) == SIX
        assert may_write(ticks, now)
        defer(ticks, now)
        reported += [hour] if ticks.expire(now) else []
    assert reported == [1, 25, 49]


def test_each_write_for_one_tick_comes_after_a_longer_pause() -> None:
    ticks, now = sync_at_six(), SIX
    advance(ticks, now)
    pauses = []
    for _ in range(12):
        ticks.mark_sent(new_job("a"), now, seconds(now))
        ticks.requeue(seconds(now) + 60)
        retry_at = pending_of(ticks).retry_at
        pauses.append(round(retry_at - seconds(now)) // 60)
        now = START + retry_at * SECOND
    assert pauses == [1, 2, 4, 8, 16, 32, 61, 61, 61, 61, 61, 61]


# -- a clock that is set ------------------------------------------------------------------------


def test_settle_times_and_pauses_do_not_follow_the_wall_clock() -> None:
    ticks, moment = sent_at_six(HOURLY), seconds(SIX)
    for step in (HOUR, -HOUR):
        ticks.step_back(SIX + step)
        ticks.advance(SIX + step, moment)
        assert not ticks.settle_time_over(moment + 59)
        assert ticks.settle_time_over(moment + 60)


def test_ticks_go_on_from_now_after_a_clock_that_was_ahead_is_set_back() -> None:
    ticks = ticks_of(HOURLY, SIX + 9 * HOUR)
    assert ticks.step_back(SIX + MINUTE) == 9 * HOUR - MINUTE
    assert ticks.step_back(SIX + MINUTE) is None, "it is logged once"
    assert due(ticks, SIX + 2 * MINUTE) is None
    assert due(ticks, SIX + HOUR) == SIX + HOUR


def test_a_small_correction_of_the_clock_brings_no_tick_back() -> None:
    ticks = sent_at_six()
    assert ticks.step_back(SIX - 10 * MOMENT) is None
    ticks.complete(SIX)
    assert due(ticks, SIX) is None


def test_pending_ticks_from_before_a_clock_that_was_ahead_are_kept() -> None:
    ticks = ticks_of(HOURLY, SIX - MINUTE)
    advance(ticks, SIX)
    defer(ticks, SIX)
    ticks.advance(SIX + 5 * HOUR, seconds(SIX) + 60)
    ticks.step_back(SIX + HOUR + MINUTE)
    pending = pending_of(ticks)
    assert (pending.first, pending.newest.fire_time, pending.others) == (SIX, SIX + HOUR, 1)


def test_the_job_of_a_tick_that_comes_later_completes_no_tick_before_it() -> None:
    """It was sent on a clock that was ahead, and is confirmed on the corrected one."""
    ticks = sent_at_six(HOURLY)
    ticks.step_back(SIX - 90 * MINUTE)
    advance(ticks, SIX - HOUR)
    sent = ticks.unconfirmed
    assert sent is not None
    ticks.complete(sent.pending.newest.fire_time)
    assert due(ticks, SIX - HOUR) == SIX - HOUR
    ticks.complete(SIX - HOUR)
    assert due(ticks, SIX) == SIX


# -- a standby replica --------------------------------------------------------------------------

DELAY = 180 * SECOND


def stands_by(ticks: PendingTicks, now: datetime) -> bool:
    """Note that a try found the job creatable and absent."""
    advance(ticks, now)
    return ticks.stand_by(seconds(now))


def watch(ticks: PendingTicks, start: datetime, end: datetime) -> None:
    """Let all reads from `start` to `end` find the job creatable and absent."""
    now = start
    while now <= end and stands_by(ticks, now):
        now = START + pending_of(ticks).retry_at * SECOND


def test_a_standby_replica_writes_after_it_has_seen_the_job_absent_for_its_delay() -> None:
    ticks, late = ticks_of(standby_delay=DELAY), SIX + HOUR
    assert due(ticks, late) == SIX, "it did not run at six o'clock"
    assert not may_write(ticks, late)
    watch(ticks, late, late + DELAY - MOMENT)
    assert not may_write(ticks, late + DELAY - MOMENT)
    assert due(ticks, late + DELAY) == SIX
    assert may_write(ticks, late + DELAY)
    assert not stands_by(ticks, late + DELAY)


def test_a_pause_of_the_process_begins_the_delay_anew() -> None:
    """During the pause the replica saw nothing, and another one can have sent the job."""
    ticks = ticks_of(standby_delay=DELAY)
    watch(ticks, SIX, SIX + DELAY / 2)
    assert not may_write(ticks, SIX + DELAY + MINUTE)
    assert stands_by(ticks, SIX + DELAY + MINUTE)
    assert not may_write(ticks, SIX + 2 * DELAY)


def test_a_standby_replica_reads_several_times_in_its_delay() -> None:
    ticks, now = ticks_of(standby_delay=DELAY), SIX
    reads = []
    while stands_by(ticks, now):
        now = START + pending_of(ticks).retry_at * SECOND
        reads.append((now - SIX) / SECOND)
    assert reads == [45, 90, 135, 180]


def test_a_job_of_another_replica_begins_the_delay_anew() -> None:
    ticks = ticks_of(EVERY_MINUTE, SIX - MINUTE, standby_delay=DELAY)
    watch(ticks, SIX, SIX + 2 * MINUTE)
    ticks.complete(SIX + MINUTE)
    watch(ticks, SIX + 3 * MINUTE, SIX + 6 * MINUTE - MOMENT)
    assert not may_write(ticks, SIX + 6 * MINUTE - MOMENT)
    assert may_write(ticks, SIX + 6 * MINUTE)


@pytest.mark.parametrize("verified", [True, False], ids=["a block", "an absent store"])
def test_an_obstacle_begins_the_delay_anew(*, verified: bool) -> None:
    ticks = ticks_of(standby_delay=DELAY)
    watch(ticks, SIX, SIX + DELAY - MOMENT)
    ticks.defer(seconds(SIX + DELAY), BLOCKED, verified=verified)
    assert not may_write(ticks, SIX + DELAY)
    assert stands_by(ticks, SIX + DELAY + MINUTE)


def test_a_tick_that_follows_pending_ones_does_not_begin_the_delay_anew() -> None:
    """Otherwise a period shorter than the delay would keep a standby replica from its work."""
    ticks = ticks_of(EVERY_MINUTE, SIX - MINUTE, standby_delay=DELAY)
    watch(ticks, SIX, SIX + 3 * MINUTE - MOMENT)
    advance(ticks, SIX + 3 * MINUTE)
    assert may_write(ticks, SIX + 3 * MINUTE)


def test_the_delay_of_discarded_ticks_does_not_count_for_later_ones() -> None:
    ticks = ticks_of(HOURLY, SIX - MINUTE, standby_delay=DELAY)
    stands_by(ticks, SIX)
    discard(ticks, SIX + MINUTE)
    advance(ticks, SIX + HOUR)
    assert not may_write(ticks, SIX + HOUR)


def test_a_resumed_tick_waits_for_the_last_update_of_a_killed_process() -> None:
    """It was sent just before the kill, could take a request's time, and arrive late after that."""
    ticks = ticks_of(handled_until=SIX, settle_time=MINUTE, request_time=2 * MINUTE)
    resume(ticks, SIX, SIX - DAY)
    assert pending_of(ticks).retry_at == seconds(SIX + 3 * MINUTE)
