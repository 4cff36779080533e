"""Which ticks a start takes up: those that were due, and that no job did."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from jobs import cron
from jobs.events import Result
from jobs.model import JOB_BASE, Job, Status
from jobs.ticks.history import last_before, long_before, recent_jobs
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    MINUTE,
    SECOND,
    at,
    job_of,
    operation,
    stream_of,
    tick_job_of,
)
from tests.support.ticking import POLICY, START, OneStream, ticking

FOUR_THIRTY = at("2024-01-06T04:30:00")
DAILY = "30 4 * * *"
TICK = "dump of stream public: tick 2024-01-06T04:30:00+00:00"
LEFT_OVER = "was left over: it is tried in 10 s, when earlier writes have arrived"


def started(*jobs: Job, pattern: str = DAILY, configured: datetime | None = None) -> OneStream:
    """Return a stream with dumps after the start of its process, half an hour after a tick."""
    dumps = OneStream(ticking(dump=pattern), configured=configured)
    dumps.store.add(*jobs)
    dumps.reconciler.resume()
    return dumps


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_tick_of_an_earlier_process_is_resumed_after_the_settle_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dumps = started(tick_job_of(DUMP, FOUR_THIRTY - DAY))
    assert f"{TICK}: {LEFT_OVER}" in caplog.messages
    dumps.reconcile(START + 9 * SECOND)
    assert dumps.sent == []
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 04:30:00"]


@pytest.mark.parametrize("delay", [timedelta(0), 2 * HOUR], ids=["slot 0", "another slot"])
def test_a_first_start_resumes_nothing(caplog: pytest.LogCaptureFixture, delay: timedelta) -> None:
    dumps = OneStream(ticking(dump=DAILY), replace(POLICY, standby_delay=delay))
    dumps.reconciler.resume()
    for minutes in range(1, 180, 10):
        dumps.reconcile(START + minutes * MINUTE)
    assert dumps.sent == []
    assert not caplog.messages


def test_a_start_names_the_job_that_did_the_newest_tick(caplog: pytest.LogCaptureFixture) -> None:
    done = tick_job_of(DUMP, FOUR_THIRTY, Status.FAILED)
    dumps = started(done)
    assert caplog.messages == [f"{TICK}: done by job {done}"]
    (event,) = dumps.recorded
    assert (event.result, event.job) == (Result.DONE, done.uri)
    dumps.reconcile(START + HOUR / 2)
    assert dumps.sent == []


def test_a_tick_that_a_person_made_up_for_is_done(caplog: pytest.LogCaptureFixture) -> None:
    by_request = job_of(DUMP, Status.SUCCESS, created=FOUR_THIRTY + 10 * MINUTE)
    dumps = started(tick_job_of(DUMP, FOUR_THIRTY - DAY), by_request)
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == []
    assert caplog.messages[-1] == f"{TICK}: done by job {by_request}"


def test_a_tick_whose_window_closed_before_the_start_is_missed() -> None:
    dumps = started(tick_job_of(DUMP, START - 26 * HOUR), pattern="0 3 * * *")
    dumps.reconcile(START)
    assert dumps.reported() == [], "the store was not read yet"
    dumps.reconcile(START + 10 * SECOND)
    (error,) = dumps.reported()
    assert "it was left over: no process was running then" in error.message
    assert "the kind was disabled" in error.message


@pytest.mark.parametrize(
    ("changed", "missed"), [(START - 3 * HOUR, True), (START - HOUR, False), (None, True)]
)
def test_a_tick_from_before_the_configuration_was_changed_leaves_no_error(
    caplog: pytest.LogCaptureFixture, changed: datetime | None, *, missed: bool
) -> None:
    """The kind may have been disabled for months: then nothing was missed."""
    last = tick_job_of(DUMP, START - 26 * HOUR)
    dumps = started(last, pattern="0 3 * * *", configured=changed)
    dumps.reconcile(START + 10 * SECOND)
    assert bool(dumps.reported()) is missed
    text = "is not resumed: its window is over, and the configuration was changed after it"
    assert (text in caplog.text) is not missed


def test_a_tick_from_before_a_return_to_an_earlier_pattern_is_not_resumed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The dumps were at 04:30 until some days ago, then at 22:00, and now at 04:30 again."""
    other = tick_job_of(DUMP, at("2024-01-05T22:00:00"))
    dumps = started(tick_job_of(DUMP, FOUR_THIRTY - 3 * DAY), other)
    dumps.reconcile(START + 10 * SECOND)
    assert (dumps.sent, dumps.reported()) == ([], [])
    why = f"the newest job of a tick, {other}, is of another pattern"
    assert caplog.messages == [f"{TICK}: is not resumed: {why}"]


def test_a_tick_from_before_an_hourly_pattern_became_daily_is_not_resumed() -> None:
    hourly = [tick_job_of(DUMP, FOUR_THIRTY - DAY + hours * HOUR) for hours in range(6)]
    dumps = started(*hourly)
    dumps.reconcile(START + 10 * SECOND)
    assert (dumps.sent, dumps.reported()) == ([], [])


@pytest.mark.parametrize(
    "other",
    [
        job_of(DUMP, uri=f"{JOB_BASE}{UUID(int=4, version=4)}", created=FOUR_THIRTY - HOUR),
        job_of(DUMP, uri="urn:job:of:another:service", created=FOUR_THIRTY - HOUR),
        tick_job_of(HEALING, FOUR_THIRTY - HOUR),
        replace(tick_job_of(DUMP, FOUR_THIRTY - 2 * DAY), created=FOUR_THIRTY - HOUR),
    ],
    ids=["by request", "of another service", "of another kind", "a late one"],
)
def test_other_jobs_show_no_other_pattern(other: Job) -> None:
    ended = replace(other, status=Status.SUCCESS)
    dumps = started(tick_job_of(DUMP, FOUR_THIRTY - DAY), ended)
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 04:30:00"]


def test_a_tick_within_its_window_is_resumed_although_the_configuration_was_changed() -> None:
    dumps = started(tick_job_of(DUMP, FOUR_THIRTY - DAY), configured=START - MINUTE)
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 04:30:00"]


def test_ticks_that_fired_while_the_service_was_down_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    started(tick_job_of(DUMP, START - HOUR), pattern="*/10 * * * *")
    tick, since = "2024-01-06T05:00:00+00:00", "2024-01-06T04:10:00+00:00"
    text = f"dump of stream public: tick {tick} supersedes 5 earlier ones since {since}"
    assert text in caplog.messages


def test_a_time_before_a_pattern_was_used_is_no_tick(caplog: pytest.LogCaptureFixture) -> None:
    """The pattern was changed from two to half past four after the last half past four."""
    dumps = started(*(tick_job_of(DUMP, START - 3 * HOUR - days * DAY) for days in range(20)))
    dumps.reconcile(START + HOUR / 2)
    assert dumps.sent == []
    newest = tick_job_of(DUMP, START - 3 * HOUR)
    why = f"the newest job of a tick, {newest}, is of another pattern"
    assert caplog.messages == [f"{TICK}: is not resumed: {why}"]


def test_jobs_that_no_tick_made_show_no_pattern(caplog: pytest.LogCaptureFixture) -> None:
    dumps = started(job_of(DUMP, Status.SUCCESS, created=START - DAY))
    dumps.reconcile(START + HOUR / 2)
    assert dumps.sent == []
    why = "no job shows that its pattern was used, and its operation has other jobs"
    assert caplog.messages == [f"{TICK}: is not resumed: {why}"]


@pytest.mark.parametrize("ago", range(1, 61))
def test_the_only_job_of_a_tick_shows_the_pattern_whichever_tick_it_is(
    caplog: pytest.LogCaptureFixture, ago: int
) -> None:
    """A store may lose the writes of some minutes, which are many ticks of such a pattern."""
    started(tick_job_of(DUMP, START - ago * 10 * SECOND), pattern="*/10 * * * * *")
    assert LEFT_OVER in caplog.messages[0]


def test_a_tick_is_resumed_if_only_the_jobs_of_its_operation_were_removed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A retention service removes jobs; a stream that has any is not new."""
    dumps = started(job_of(INITIAL_SYNC, Status.SUCCESS, created=START - 9 * DAY))
    assert caplog.messages == [f"{TICK}: {LEFT_OVER}"]
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 04:30:00"]


def test_a_tick_from_before_the_first_job_of_a_stream_is_not_resumed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second start, soon after the first one, finds the initial sync of the first one."""
    dumps = started(job_of(INITIAL_SYNC, Status.SUCCESS, created=FOUR_THIRTY + MINUTE))
    dumps.reconcile(START + HOUR / 2)
    assert dumps.sent == []
    why = "no job shows that its pattern was used, and the stream's first jobs are newer"
    assert caplog.messages == [f"{TICK}: is not resumed: {why}"]


def test_a_tick_without_any_proof_leaves_no_error_when_its_window_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dumps = started(job_of(INITIAL_SYNC, Status.SUCCESS), pattern="0 3 * * *")
    dumps.reconcile(START + HOUR / 2)
    assert (dumps.sent, dumps.reported()) == ([], [])
    assert caplog.messages[0].endswith("was used, and its window is over")


@pytest.mark.parametrize("age", [HOUR, DAY, 7 * DAY, 60 * DAY])
def test_a_job_of_long_ago_shows_that_the_pattern_was_used(age: timedelta) -> None:
    dumps = OneStream(ticking(dump="* * * * *"))
    jobs = [tick_job_of(DUMP, START - age - number * MINUTE) for number in range(10_000)]
    dumps.store.add(*jobs[: int(age / MINUTE) + 1])
    dumps.reconciler.resume()
    dumps.reconcile(START + 10 * SECOND)
    assert dumps.sent == [f"{operation(DUMP)} 05:00:00"]


def test_the_last_fire_times_are_all_looked_up_and_earlier_ones_the_fewer_the_older() -> None:
    schedule = cron.parse("* * * * *", UTC)
    last, before = (
        [(START - one) / MINUTE for one in found(schedule, START)]
        for found in (last_before, long_before)
    )
    assert last == list(range(1, 16))
    steps = [after / age for age, after in pairwise([15, *before])]
    assert 1 < min(steps) <= max(steps) < 1.2
    assert before[-1] > 400 * 24 * 60
    assert len(before) < 120


@pytest.mark.parametrize("pattern", ["0 0 29 2 *", "0 0 1 1 *"])
def test_fire_times_of_rare_patterns_are_looked_up(pattern: str) -> None:
    schedule = cron.parse(pattern, UTC)
    newest = schedule.latest(START)
    assert [*last_before(schedule, newest)] == sorted({*last_before(schedule, newest)})[::-1]
    assert [*long_before(schedule, newest)] == []


def test_the_jobs_of_the_last_day_are_inspected_by_a_sweep() -> None:
    stream = stream_of(patterns={DUMP: "0 */2 * * *", HEALING: "0 3 * * 0"})
    ticks = OneStream(stream).reconciler.ticks[stream.name]
    found = recent_jobs(ticks, START)
    hours = [START - number * HOUR for number in range(1, 25, 2)]
    assert found == [tick_job_of(DUMP, hour).uri for hour in hours]


def test_a_sweep_inspects_no_more_jobs_than_a_store_answers_at_once() -> None:
    streams = [replace(ticking(dump="* * * * * *"), name=f"s{number}") for number in range(200)]
    schedules = [one for s in streams for one in OneStream(s).reconciler.ticks[s.name]]
    assert len(recent_jobs(schedules, START)) == 2000
    assert len(recent_jobs(schedules[:1], START)) == 100
