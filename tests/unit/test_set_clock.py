"""A wall clock that is set, or was wrong at the start, costs no tick and repeats none."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from jobs.model import Job, Status
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    MINUTE,
    SECOND,
    TestClock,
    at,
    job_of,
    tick_job_of,
)
from tests.support.fakes import LOST, REFUSED
from tests.support.ticking import DUMP_AT_SIX, SIX, SIX_DAILY, START, OneStream, syncing, ticking

HOURLY = "0 * * * *"
FOUR_THIRTY = at("2024-01-06T04:30:00")
steps = pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forwards", "back"])


@steps
def test_a_lost_answer_settles_on_the_monotonic_clock(step: timedelta) -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.store.failures["create"] = [LOST]
    dumps.reconcile(SIX)
    dumps.clock.now += step
    dumps.reconcile_often(dumps.clock.now + 9 * SECOND)
    assert dumps.store.calls.count("create") == 1
    dumps.reconcile_often(SIX + 2 * HOUR, 5 * SECOND)
    assert len(dumps.sent) <= 1


@steps
def test_a_sent_job_is_confirmed_soon_after_the_clock_was_set(step: timedelta) -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.reconcile(SIX)
    dumps.clock.now += step
    dumps.reconcile(dumps.clock.now + SECOND)
    assert dumps.recorded[-1].job == dumps.store.created[0].uri


@steps
def test_a_tick_is_tried_again_soon_after_the_clock_was_set(step: timedelta) -> None:
    sync = OneStream(syncing())
    sync.store.failures["state"] = [REFUSED]
    sync.reconcile(START)
    sync.clock.now += step
    sync.reconcile(sync.clock.now + 2 * SECOND)
    assert len(sync.sent) == 1


def test_a_process_that_started_on_a_clock_that_was_ahead_goes_on_with_the_next_tick(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dumps = OneStream(ticking(dump=HOURLY), clock=TestClock(now=START + 9 * HOUR + MINUTE))
    dumps.reconcile(START + 9 * HOUR + 2 * MINUTE)
    dumps.clock.now = START + 2 * MINUTE
    dumps.reconcile_often(SIX + MINUTE, MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]
    text = "dump of stream public: the clock was set back: it is 32220 s behind the newest tick"
    assert caplog.messages.count(text) == 1


def test_a_clock_that_was_ahead_for_half_a_minute_costs_no_tick() -> None:
    dumps = OneStream(ticking(dump="*/5 * * * *"))
    dumps.clock.now = START + HOUR
    dumps.reconcile(START + HOUR + SECOND)
    dumps.reconcile(START + HOUR + 30 * SECOND)
    dumps.finish_jobs()
    dumps.clock.now = START + 31 * SECOND
    for minute in range(1, 50):
        dumps.reconcile(START + minute * MINUTE)
        dumps.reconcile(START + minute * MINUTE + 5 * SECOND)
        dumps.finish_jobs()
    fire_times = [job.created for job in dumps.store.created[1:]]
    assert fire_times == [START + minutes * MINUTE for minutes in range(5, 50, 5)]


def be_ahead_for_twelve_minutes(dumps: OneStream) -> None:
    """Let the clock be an hour ahead, which brings a tick, and then correct it."""
    dumps.clock.now = START + HOUR
    dumps.reconcile(START + HOUR + SECOND)
    dumps.reconcile(START + HOUR + 2 * SECOND)
    dumps.finish_jobs()
    dumps.clock.now = START + 12 * MINUTE
    dumps.clock.elapsed += 12 * 60


@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param([], id="of a new operation"),
        pytest.param(
            [job_of(DUMP, Status.SUCCESS, uri="urn:old", created=START - DAY)], id="known"
        ),
    ],
)
def test_a_tick_that_came_while_the_clock_was_ahead_is_taken_up_when_it_is_corrected(
    caplog: pytest.LogCaptureFixture, jobs: list[Job]
) -> None:
    caplog.set_level(logging.INFO)
    dumps = OneStream(ticking(dump="*/5 * * * *"))
    dumps.store.add(*jobs)
    be_ahead_for_twelve_minutes(dumps)
    dumps.reconcile_often(START + 14 * MINUTE, 5 * SECOND)
    assert dumps.store.created[-1].created == START + 10 * MINUTE
    assert "supersedes" in caplog.text


def test_a_tick_that_a_delete_call_ended_does_not_come_again_when_the_clock_is_corrected() -> None:
    dumps = OneStream(ticking(dump=HOURLY))
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + SECOND)
    dumps.clock.move_to(SIX + MINUTE)
    dumps.reconciler.delete(dumps.stream, DUMP)
    dumps.clock.now += 5 * HOUR
    dumps.reconcile(dumps.clock.now + SECOND)
    dumps.reconcile(dumps.clock.now + SECOND)
    dumps.finish_jobs()
    dumps.clock.now -= 5 * HOUR
    dumps.reconcile_often(SIX + 10 * MINUTE, MINUTE)
    assert dumps.sent.count(DUMP_AT_SIX) == 1


def test_an_absent_store_costs_no_tick_when_the_clock_is_corrected() -> None:
    dumps = OneStream(ticking(dump="*/5 * * * *"))
    be_ahead_for_twelve_minutes(dumps)
    dumps.store.failures["newest"] = [REFUSED]
    dumps.reconcile_often(START + 14 * MINUTE, 5 * SECOND)
    assert dumps.store.created[-1].created == START + 10 * MINUTE


def test_a_clock_that_is_set_back_brings_no_tick_twice() -> None:
    dumps = OneStream(ticking(dump=SIX_DAILY))
    dumps.reconcile(SIX)
    dumps.reconcile(SIX + SECOND)
    dumps.finish_jobs()
    dumps.clock.now = SIX - HOUR
    dumps.reconcile_often(SIX + HOUR, MINUTE)
    assert dumps.sent == [DUMP_AT_SIX]


def test_a_job_that_is_dated_later_than_now_supersedes_no_resumed_tick() -> None:
    dumps = OneStream(ticking(dump="30 4 * * *"))
    dumps.store.add(
        tick_job_of(DUMP, FOUR_THIRTY - DAY),
        job_of(DUMP, Status.FAILED, uri="urn:ahead", created=START + HOUR),
    )
    dumps.reconciler.resume()
    dumps.reconcile(START + 10 * SECOND)
    assert [job.created for job in dumps.store.created] == [FOUR_THIRTY]


def test_a_job_that_is_dated_a_little_later_than_now_completes_no_later_tick(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The clock of another service is four minutes ahead."""
    caplog.set_level(logging.INFO)
    dumps = OneStream(ticking(dump=SIX_DAILY, healing="2 6 * * *"))
    dumps.store.add(job_of(DUMP, Status.SUCCESS, created=SIX + 4 * MINUTE))
    dumps.reconcile(SIX + 2 * SECOND)
    dumps.reconcile(SIX + 2 * MINUTE)
    assert [job.job_operation for job in dumps.store.created] == [dumps.stream.operation(HEALING)]
