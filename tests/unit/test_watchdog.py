"""Stuck jobs are seen at two looks, told once in a while, and set free where that is allowed."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs.diagnosis import Cause, Patience
from jobs.model import Job, Remedies, Status
from jobs.store import StoreError, StoreUnavailable
from sparql.client import Rejected
from tests.builders import DUMP, HEALING, NOW, World, job_of, stream_of, task_of
from tests.fakes import FakeJobStore
from tests.harness import Harness

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY = 5 * MINUTE
LOST = StoreUnavailable("no answer", sent=True)


def waiting(name: str = "a", age: timedelta = HOUR) -> Job:
    """Return a job whose task nobody picked up."""
    created = NOW - age
    return job_of(
        HEALING,
        uri=f"urn:job:{name}",
        created=created,
        modified=created,
        tasks=(task_of(name, created=created, modified=created),),
    )


def ended(status: Status, name: str = "a") -> Job:
    """Return a job whose task ended a minute ago, and which nobody closes."""
    task = task_of(name, status, created=NOW - HOUR, modified=NOW - MINUTE)
    return job_of(DUMP, uri=f"urn:job:{name}", created=NOW - HOUR, modified=NOW, tasks=(task,))


def watched(
    store: FakeJobStore | None = None, *, at: datetime = NOW, **remedies: object
) -> Harness:
    stream = stream_of(remedies=Remedies(timed_by="TIMEOUT", closed_by="CLOSE", **remedies))  # type: ignore[arg-type] # by name
    world = World(now=at, patience=Patience(pickup=30 * MINUTE, stuck=DAY))
    return Harness((stream, stream_of("other")), world, store or FakeJobStore())


def look(harness: Harness, times: int = 1) -> None:
    """Let the watchdog look, with its pause before each look."""
    for _ in range(times):
        harness.world.now += EVERY
        harness.watchdog.look()


def causes(harness: Harness) -> dict[str, Cause]:
    return {uri: trouble.cause for uri, trouble in harness.watchdog.troubles.items()}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_cause_counts_when_two_looks_see_it(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched()
    harness.store.add(job := waiting())
    look(harness)
    assert (causes(harness), harness.store.errors, warnings(caplog)) == ({}, [], [])
    look(harness)
    assert causes(harness) == {job.uri: Cause.NOT_PICKED_UP}
    (error,) = harness.store.errors
    (warning,) = warnings(caplog)
    assert error.message == warning
    assert (error.job, error.created) == (job.uri, NOW - HOUR + 30 * MINUTE)


def test_a_cause_that_was_gone_at_one_look_begins_anew() -> None:
    harness = watched()
    harness.store.add(job := waiting())
    look(harness)
    del harness.store.jobs[job.uri]
    look(harness)
    harness.store.add(job)
    look(harness)
    assert harness.store.errors == []


def test_a_look_that_fails_forgets_nothing() -> None:
    harness = watched()
    harness.store.add(job := waiting())
    look(harness)
    harness.store.failures["active"] = [LOST]
    look(harness)
    look(harness)
    assert causes(harness) == {job.uri: Cause.NOT_PICKED_UP}


def test_it_is_not_told_again_before_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched()
    harness.store.add(waiting())
    look(harness, DAY // EVERY)
    assert len(harness.store.errors) == len(warnings(caplog)) == 1
    look(harness, DAY // EVERY)
    assert len(harness.store.errors) == len(warnings(caplog)) == 2
    first, second = harness.store.errors
    assert second.created - first.created == DAY


def test_another_cause_is_told_at_once_and_the_state_follows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = watched()
    harness.store.add(job := waiting())
    look(harness, 2)
    done = replace(job.tasks[0], status=Status.SUCCESS, modified=harness.world.now)
    harness.store.add(replace(job, tasks=(done,)))
    look(harness, 2)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == len(warnings(caplog)) == 2
    del harness.store.jobs[job.uri]
    look(harness)
    assert causes(harness) == {}


@pytest.mark.parametrize("looks_before", [1, 2, 7])
def test_a_restart_tells_nothing_twice(caplog: pytest.LogCaptureFixture, looks_before: int) -> None:
    before = watched()
    before.store.add(job := waiting())
    look(before, looks_before)
    after = watched(before.store, at=before.world.now)
    look(after, 3)
    assert causes(after) == {job.uri: Cause.NOT_PICKED_UP}
    assert len(after.store.errors) == len(warnings(caplog)) == 1


def test_two_replicas_tell_it_once() -> None:
    one = watched()
    two = watched(one.store, at=NOW + MINUTE)
    one.store.add(waiting())
    for _ in range(2 * DAY // EVERY):
        look(one)
        look(two)
    assert [error.created for error in one.store.errors] == [
        NOW - 30 * MINUTE + days * DAY for days in range(3)
    ]


def test_replicas_that_write_at_the_same_instant_write_the_same() -> None:
    errors = []
    for minutes in (0, 3):
        harness = watched(at=NOW + minutes * MINUTE)
        harness.store.add(waiting())
        look(harness, 2)
        errors += harness.store.errors
    assert errors[0] == errors[1]


def test_the_number_of_queries_does_not_grow_with_streams_and_jobs() -> None:
    harness = watched()
    harness.store.add(*(waiting(str(number)) for number in range(50)))
    look(harness)
    assert harness.store.calls == ["active"]
    look(harness)
    assert [call for call in harness.store.calls if call != "record"] == [
        *("active", "active"),
        *("recorded", "recorded", "recorded"),  # told before? there already? written?
    ]
    harness.store.calls.clear()
    look(harness)
    assert harness.store.calls == ["active"]


def test_a_job_that_came_up_late_gets_its_time() -> None:
    harness = watched()
    look(harness)
    harness.store.add(waiting(age=6 * HOUR))
    look(harness, 6)
    assert causes(harness) == {}
    look(harness, 2)
    assert len(causes(harness)) == 1


def test_without_a_remedy_nothing_is_changed() -> None:
    harness = watched()
    harness.store.add(ended(Status.SUCCESS, "a"), ended(Status.FAILED, "b"), waiting("c"))
    look(harness, 3)
    assert "end" not in harness.store.calls
    assert len(causes(harness)) == 3


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILED])
def test_a_job_whose_tasks_ended_is_closed_where_that_is_allowed(
    caplog: pytest.LogCaptureFixture, status: Status
) -> None:
    caplog.set_level(logging.INFO)
    harness = watched(close_finished=True)
    harness.store.add(job := ended(status))
    look(harness)
    assert harness.store.jobs[job.uri].active, "a job-controller has its time"
    look(harness)
    assert harness.store.jobs[job.uri].status is status
    assert harness.store.errors == []
    assert causes(harness) == {}
    assert f"job {job} was set to {status.value}" in caplog.text


def test_only_the_stream_that_allows_it_is_set_free() -> None:
    harness = watched(close_finished=True)
    other = replace(ended(Status.SUCCESS), operation=harness.streams[1].operation(DUMP))
    harness.store.add(other)
    look(harness, 2)
    assert harness.store.jobs[other.uri].active
    assert causes(harness) == {other.uri: Cause.NOT_CLOSED}


@pytest.mark.parametrize(
    "failure", [StoreError("forbidden"), LOST, Rejected(500, "parse error")], ids=str
)
def test_a_job_that_can_not_be_closed_is_told_and_tried_again(failure: StoreError) -> None:
    harness = watched(close_finished=True)
    harness.store.add(job := ended(Status.SUCCESS))
    harness.store.failures["end"] = [failure] * 5
    look(harness, 6)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == 1
    look(harness)
    assert harness.store.jobs[job.uri].status is Status.SUCCESS
    assert causes(harness) == {}


def test_a_store_that_only_says_it_closed_a_job_is_found_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    harness = watched(close_finished=True)
    harness.store.add(job := ended(Status.SUCCESS))
    monkeypatch.setattr(harness.store, "end", lambda *_: None)
    look(harness, 9)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == 1
    assert "was set to" not in caplog.text


def test_a_job_that_moved_on_between_two_looks_is_not_closed() -> None:
    harness = watched(close_finished=True)
    harness.store.add(job := ended(Status.SUCCESS))
    look(harness)
    now = harness.world.now
    second = task_of("b", Status.SUCCESS, created=now + MINUTE, modified=now + 4 * MINUTE)
    harness.store.add(replace(job, tasks=(*job.tasks, second)))
    look(harness)
    assert harness.store.jobs[job.uri].active
    look(harness)
    assert not harness.store.jobs[job.uri].active


def test_replicas_that_end_a_job_at_the_same_instant_write_the_same() -> None:
    closed = []
    for minutes in (0, 3):
        harness = watched(at=NOW + minutes * MINUTE, close_finished=True)
        harness.store.add(job := ended(Status.SUCCESS))
        look(harness, 2)
        closed.append(harness.store.jobs[job.uri])
    assert closed[0] == closed[1]


def test_a_store_that_is_away_is_not_asked_for_each_job() -> None:
    harness = watched(close_finished=True)
    harness.store.add(*(ended(Status.SUCCESS, str(number)) for number in range(50)))
    harness.store.failures["end"] = [StoreUnavailable("away", sent=False)] * 50
    look(harness, 2)
    assert harness.store.calls.count("end") == 1


def test_a_silent_job_is_failed_with_its_unfinished_tasks() -> None:
    tasks = (task_of("done", Status.SUCCESS), task_of("stuck", Status.BUSY))
    harness = watched(job_timeout=90 * MINUTE)
    harness.store.add(job := job_of(HEALING, created=NOW, modified=NOW, tasks=tasks))
    look(harness, 19)
    assert harness.store.jobs[job.uri].active, "it was seen for 90 minutes, not longer"
    look(harness)
    failed = harness.store.jobs[job.uri]
    assert failed.status is Status.FAILED
    assert [task.status for task in failed.tasks] == [Status.SUCCESS, Status.FAILED]
    (error,) = harness.store.errors
    assert (error.job, error.created) == (job.uri, NOW + 90 * MINUTE)
    assert "no sign of life for 90 minutes (TIMEOUT)" in error.message
    look(harness, 3)
    assert len(harness.store.errors) == 1


def test_a_job_that_was_idle_in_between_is_a_new_sight() -> None:
    harness = watched(job_timeout=90 * MINUTE)
    harness.store.add(job := job_of(HEALING, modified=NOW - DAY))
    look(harness, 10)
    del harness.store.jobs[job.uri]
    look(harness)
    harness.store.add(job)
    look(harness, 10)
    assert harness.store.jobs[job.uri].active


def test_a_job_is_not_failed_before_its_error_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    """Once it is failed nobody would know what to report, least of all after a restart."""
    harness = watched(job_timeout=90 * MINUTE)
    tasks = (task_of("a", Status.BUSY),)
    harness.store.add(job := job_of(HEALING, modified=NOW, tasks=tasks))
    harness.store.failures["record"] = [StoreUnavailable("no room", sent=True)] * 100
    look(harness, 25)
    assert harness.store.jobs[job.uri].active
    assert len([line for line in warnings(caplog) if "no sign of life" in line]) == 1
    harness.store.failures.clear()
    look(harness)
    assert harness.store.jobs[job.uri].status is Status.FAILED
    assert len(harness.store.errors) == 1


def test_a_silent_job_that_can_not_be_failed_is_told_once_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = watched(job_timeout=90 * MINUTE)
    harness.store.add(waiting())
    monkeypatch.setattr(harness.store, "end", lambda *_: None)
    look(harness, 100)
    told = [line for line in warnings(caplog) if "no sign of life" in line]
    assert len(told) == 1
    assert len(causes(harness)) == 1


def test_an_undated_job_that_times_out_is_not_dated_in_the_future() -> None:
    harness = watched(job_timeout=90 * MINUTE)
    harness.store.add(job_of(HEALING, tasks=(task_of("a", Status.BUSY),)))
    look(harness, 30)
    (error,) = [error for error in harness.store.errors if "no sign of life" in error.message]
    assert error.created <= harness.world.now


ODD_DATES = [datetime.max, datetime.min, datetime(9999, 12, 31, 12), NOW + 365 * DAY]  # noqa: DTZ001, DTZ901 - UTC is added


@pytest.mark.parametrize("date", ODD_DATES, ids=str)
@pytest.mark.parametrize("timeout", [None, HOUR])
def test_a_date_that_can_not_be_believed_hides_nothing(
    date: datetime, timeout: timedelta | None
) -> None:
    date = date.replace(tzinfo=UTC)
    harness = watched(job_timeout=timeout)
    task = task_of("odd", created=date, modified=date)
    odd = replace(waiting("odd"), created=date, modified=date, tasks=(task,))
    harness.store.add(waiting("good"), odd)
    look(harness, 3)
    assert causes(harness).keys() == {"urn:job:good", "urn:job:odd"}
    look(harness, 12)
    assert harness.store.jobs["urn:job:odd"].active is (timeout is None)


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    harness = watched()
    harness.store.add(waiting())
    harness.world.now = NOW + 400 * DAY
    look(harness, 3)
    harness.world.now = NOW
    look(harness, 2)
    assert len(harness.store.errors) == 2


def test_many_stuck_jobs_are_told_over_several_looks(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched()
    harness.store.add(*(waiting(str(number)) for number in range(1500)))
    look(harness, 4)
    assert len({error.job for error in harness.store.errors}) == 1500
    assert "too many" not in caplog.text


def test_a_service_that_stops_looks_no_more() -> None:
    harness = watched(close_finished=True)
    harness.store.add(job := ended(Status.SUCCESS))
    look(harness)
    harness.initiator.close(1)
    look(harness)
    assert harness.store.jobs[job.uri].active
    assert harness.store.calls == ["active"]
