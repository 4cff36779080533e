"""Stuck jobs are reported after two scans, once per period, and ended where that is allowed."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.maintenance.diagnosis import Cause, StuckThresholds
from jobs.model import Job, Remedies, Status
from jobs.store import StoreError, StoreUnavailable
from sparql.errors import Rejected
from tests.support.builders import (
    DUMP,
    HEALING,
    NOW,
    TestClock,
    job_of,
    operation,
    stream_of,
    task_of,
)
from tests.support.domain import Harness
from tests.support.fakes import FakeJobStore

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PERIOD = 5 * MINUTE  # between two scans
LOST = StoreUnavailable("no answer", sent=True)


def scheduled(name: str = "a", age: timedelta = HOUR) -> Job:
    """Return a job whose task was never picked up."""
    created = NOW - age
    return job_of(
        HEALING,
        uri=f"urn:job:{name}",
        created=created,
        modified=created,
        tasks=(task_of(name, created=created, modified=created),),
    )


def finished(status: Status, name: str = "a") -> Job:
    """Return an active job whose task ended a minute ago."""
    task = task_of(name, status, created=NOW - HOUR, modified=NOW - MINUTE)
    return job_of(DUMP, uri=f"urn:job:{name}", created=NOW - HOUR, modified=NOW, tasks=(task,))


def watched(
    *jobs: Job, store: FakeJobStore | None = None, at: datetime = NOW, **remedies: Any
) -> Harness:
    """Return the domain with these jobs in the store, and with remedies for the first stream."""
    stream = stream_of(remedies=Remedies(timed_by="TIMEOUT", closed_by="CLOSE", **remedies))
    thresholds = StuckThresholds(pickup=30 * MINUTE, stuck=DAY)
    harness = Harness(
        (stream, stream_of("other")),
        TestClock(now=at),
        store or FakeJobStore(),
        thresholds=thresholds,
    )
    harness.store.add(*jobs)
    return harness


def scan(harness: Harness, times: int = 1) -> None:
    """Let the watchdog scan, each time after the period between two scans."""
    for _ in range(times):
        harness.clock.now += PERIOD
        harness.watchdog.scan()


def causes(harness: Harness) -> dict[str, Cause]:
    return {uri: stuck.cause for uri, stuck in harness.watchdog.stuck_jobs.items()}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_job_is_stuck_if_two_scans_find_the_same_cause(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched(job := scheduled())
    scan(harness)
    assert (causes(harness), harness.store.errors, warnings(caplog)) == ({}, [], [])
    scan(harness)
    assert causes(harness) == {job.uri: Cause.NOT_PICKED_UP}
    (error,) = harness.store.errors
    (warning,) = warnings(caplog)
    assert error.message == warning
    assert (error.job, error.created) == (job.uri, NOW - HOUR + 30 * MINUTE)


def test_a_scan_without_the_cause_starts_the_count_again() -> None:
    harness = watched(job := scheduled())
    scan(harness)
    del harness.store.jobs[job.uri]
    scan(harness)
    harness.store.add(job)
    scan(harness)
    assert harness.store.errors == []


def test_a_failed_scan_does_not_restart_the_count() -> None:
    harness = watched(job := scheduled())
    scan(harness)
    harness.store.failures["active"] = [LOST]
    scan(harness)
    scan(harness)
    assert causes(harness) == {job.uri: Cause.NOT_PICKED_UP}


def test_a_stuck_job_is_reported_once_per_period(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched(scheduled())
    scan(harness, DAY // PERIOD)
    assert len(harness.store.errors) == len(warnings(caplog)) == 1
    scan(harness, DAY // PERIOD)
    assert len(harness.store.errors) == len(warnings(caplog)) == 2
    first, second = harness.store.errors
    assert second.created - first.created == DAY


def test_another_cause_is_reported_at_once(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched(job := scheduled())
    scan(harness, 2)
    done = replace(job.tasks[0], status=Status.SUCCESS, modified=harness.clock.now)
    harness.store.add(replace(job, tasks=(done,)))
    scan(harness, 2)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == len(warnings(caplog)) == 2
    del harness.store.jobs[job.uri]
    scan(harness)
    assert causes(harness) == {}


@pytest.mark.parametrize("scans_before", [1, 2, 7])
def test_a_restart_reports_nothing_twice(
    caplog: pytest.LogCaptureFixture, scans_before: int
) -> None:
    before = watched(job := scheduled())
    scan(before, scans_before)
    after = watched(store=before.store, at=before.clock.now)
    scan(after, 3)
    assert causes(after) == {job.uri: Cause.NOT_PICKED_UP}
    assert len(after.store.errors) == len(warnings(caplog)) == 1


def test_two_replicas_report_it_once() -> None:
    one = watched(scheduled())
    two = watched(store=one.store, at=NOW + MINUTE)
    for _ in range(2 * DAY // PERIOD):
        scan(one)
        scan(two)
    assert [error.created for error in one.store.errors] == [
        NOW - 30 * MINUTE + days * DAY for days in range(3)
    ]


def test_two_replicas_write_the_same_error() -> None:
    errors = []
    for minutes in (0, 3):
        harness = watched(scheduled(), at=NOW + minutes * MINUTE)
        scan(harness, 2)
        errors += harness.store.errors
    assert errors[0] == errors[1]


def test_the_number_of_queries_does_not_grow_with_streams_and_jobs() -> None:
    harness = watched(*(scheduled(str(number)) for number in range(50)))
    scan(harness)
    assert harness.store.calls == ["active"]
    scan(harness)
    assert [call for call in harness.store.calls if call != "write_error"] == [
        *("active", "active"),
        *("find_errors", "find_errors", "find_errors"),  # reported before? exists? was written?
    ]
    harness.store.calls.clear()
    scan(harness)
    assert harness.store.calls == ["active"]


def test_a_job_that_is_created_late_gets_its_full_time() -> None:
    harness = watched()
    scan(harness)
    harness.store.add(scheduled(age=6 * HOUR))
    scan(harness, 6)
    assert causes(harness) == {}
    scan(harness, 2)
    assert len(causes(harness)) == 1


def test_without_remedies_no_job_is_changed() -> None:
    harness = watched(finished(Status.SUCCESS, "a"), finished(Status.FAILED, "b"), scheduled("c"))
    scan(harness, 3)
    assert "set_status" not in harness.store.calls
    assert len(causes(harness)) == 3


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILED])
def test_a_job_whose_tasks_ended_is_closed_if_that_is_allowed(
    caplog: pytest.LogCaptureFixture, status: Status
) -> None:
    caplog.set_level(logging.INFO)
    harness = watched(job := finished(status), close_finished=True)
    scan(harness)
    assert harness.store.jobs[job.uri].active, "a job-controller gets time to close it"
    scan(harness)
    assert harness.store.jobs[job.uri].status is status
    assert harness.store.errors == []
    assert causes(harness) == {}
    assert f"job {job} was set to {status.value}" in caplog.text


def test_jobs_of_a_stream_that_does_not_allow_it_are_not_closed() -> None:
    other = replace(finished(Status.SUCCESS), operation=operation(DUMP, "other"))
    harness = watched(other, close_finished=True)
    scan(harness, 2)
    assert harness.store.jobs[other.uri].active
    assert causes(harness) == {other.uri: Cause.NOT_CLOSED}


@pytest.mark.parametrize(
    "failure", [StoreError("forbidden"), LOST, Rejected(500, "parse error")], ids=str
)
def test_a_job_that_cannot_be_closed_is_reported_and_tried_again(failure: StoreError) -> None:
    harness = watched(job := finished(Status.SUCCESS), close_finished=True)
    harness.store.failures["set_status"] = [failure] * 5
    scan(harness, 6)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == 1
    scan(harness)
    assert harness.store.jobs[job.uri].status is Status.SUCCESS
    assert causes(harness) == {}


def test_a_job_counts_as_closed_only_if_a_read_shows_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    harness = watched(job := finished(Status.SUCCESS), close_finished=True)
    monkeypatch.setattr(harness.store, "set_status", lambda *_: None)
    scan(harness, 9)
    assert causes(harness) == {job.uri: Cause.NOT_CLOSED}
    assert len(harness.store.errors) == 1
    assert "was set to" not in caplog.text


def test_a_job_that_changed_between_two_scans_is_not_closed() -> None:
    harness = watched(job := finished(Status.SUCCESS), close_finished=True)
    scan(harness)
    now = harness.clock.now
    second = task_of("b", Status.SUCCESS, created=now + MINUTE, modified=now + 4 * MINUTE)
    harness.store.add(replace(job, tasks=(*job.tasks, second)))
    scan(harness)
    assert harness.store.jobs[job.uri].active
    scan(harness)
    assert not harness.store.jobs[job.uri].active


def test_two_replicas_write_the_same_final_status() -> None:
    closed = []
    for minutes in (0, 3):
        harness = watched(
            job := finished(Status.SUCCESS), at=NOW + minutes * MINUTE, close_finished=True
        )
        scan(harness, 2)
        closed.append(harness.store.jobs[job.uri])
    assert closed[0] == closed[1]


def test_an_absent_store_gets_one_request_and_not_one_per_job() -> None:
    harness = watched(
        *(finished(Status.SUCCESS, str(number)) for number in range(50)), close_finished=True
    )
    harness.store.failures["set_status"] = [StoreUnavailable("absent", sent=False)] * 50
    scan(harness, 2)
    assert harness.store.calls.count("set_status") == 1


def test_a_silent_job_is_failed_with_its_unfinished_tasks() -> None:
    tasks = (task_of("done", Status.SUCCESS), task_of("stuck", Status.BUSY))
    harness = watched(
        job := job_of(HEALING, created=NOW, modified=NOW, tasks=tasks), job_timeout=90 * MINUTE
    )
    scan(harness, 19)
    assert harness.store.jobs[job.uri].active, "it was seen for no longer than 90 minutes"
    scan(harness)
    failed = harness.store.jobs[job.uri]
    assert failed.status is Status.FAILED
    assert [task.status for task in failed.tasks] == [Status.SUCCESS, Status.FAILED]
    (error,) = harness.store.errors
    assert (error.job, error.created) == (job.uri, NOW + 90 * MINUTE)
    assert "no sign of life for 90 minutes (TIMEOUT)" in error.message
    scan(harness, 3)
    assert len(harness.store.errors) == 1


def test_the_timeout_begins_again_after_a_scan_without_the_job() -> None:
    harness = watched(job := job_of(HEALING, modified=NOW - DAY), job_timeout=90 * MINUTE)
    scan(harness, 10)
    del harness.store.jobs[job.uri]
    scan(harness)
    harness.store.add(job)
    scan(harness, 10)
    assert harness.store.jobs[job.uri].active


def test_a_job_is_reported_as_failed_only_after_a_read_shows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = job_of(HEALING, modified=NOW, tasks=(task_of("a", Status.BUSY),))
    harness = watched(job, job_timeout=90 * MINUTE)
    harness.store.failures["set_status"] = [StoreError("no permission")]
    scan(harness, 20)
    (warning,) = [line for line in warnings(caplog) if "could not be failed" in line]
    assert "could not be failed: no permission: no sign of life for 90 minutes" in warning
    assert not [line for line in warnings(caplog) if "is failed" in line]
    scan(harness)
    assert harness.store.jobs[job.uri].status is Status.FAILED
    assert len([line for line in warnings(caplog) if "is failed, and its unfinished" in line]) == 1
    texts = [error.message for error in harness.reported()]
    assert ["could not be failed" in text for text in texts] == [True, False]


def test_the_error_of_a_failed_job_waits_for_the_store() -> None:
    """After the job has failed, no scan finds it again."""
    job = job_of(HEALING, modified=NOW, tasks=(task_of("a", Status.BUSY),))
    harness = watched(job, job_timeout=90 * MINUTE)
    harness.store.failures["write_error"] = [StoreUnavailable("no room", sent=True)] * 3
    scan(harness, 25)
    assert harness.store.jobs[job.uri].status is Status.FAILED
    assert len(harness.store.errors) == 1


def test_a_silent_job_that_cannot_be_failed_is_reported_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = watched(scheduled(), job_timeout=90 * MINUTE)
    monkeypatch.setattr(harness.store, "set_status", lambda *_: None)
    scan(harness, 100)
    reported = [line for line in warnings(caplog) if "no sign of life" in line]
    assert len(reported) == 1
    assert len(causes(harness)) == 1


def test_the_error_about_a_job_without_dates_is_not_in_the_future() -> None:
    harness = watched(job_of(HEALING, tasks=(task_of("a", Status.BUSY),)), job_timeout=90 * MINUTE)
    scan(harness, 30)
    (error,) = [error for error in harness.store.errors if "no sign of life" in error.message]
    assert error.created <= harness.clock.now


@pytest.mark.parametrize(
    "date",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime(9999, 12, 31, 12, tzinfo=UTC),
        NOW + 365 * DAY,
    ],
    ids=str,
)
@pytest.mark.parametrize("timeout", [None, HOUR])
def test_an_implausible_date_hides_no_stuck_job(date: datetime, timeout: timedelta | None) -> None:
    task = task_of("odd", created=date, modified=date)
    odd = replace(scheduled("odd"), created=date, modified=date, tasks=(task,))
    harness = watched(scheduled("good"), odd, job_timeout=timeout)
    scan(harness, 3)
    assert causes(harness).keys() == {"urn:job:good", "urn:job:odd"}
    scan(harness, 12)
    assert harness.store.jobs["urn:job:odd"].active is (timeout is None)


def test_a_clock_that_is_set_back_does_not_prevent_reports() -> None:
    harness = watched(scheduled())
    harness.clock.now = NOW + 400 * DAY
    scan(harness, 3)
    harness.clock.now = NOW
    scan(harness, 2)
    assert len(harness.store.errors) == 2


def test_many_stuck_jobs_are_reported_over_several_scans(caplog: pytest.LogCaptureFixture) -> None:
    harness = watched(*(scheduled(str(number)) for number in range(1500)))
    scan(harness, 4)
    assert len({error.job for error in harness.store.errors}) == 1500
    assert "too many" not in caplog.text


def test_nothing_is_scanned_after_the_service_begins_to_stop() -> None:
    harness = watched(job := finished(Status.SUCCESS), close_finished=True)
    scan(harness)
    harness.domain.locks.close(harness.domain.clock.deadline())
    scan(harness)
    assert harness.store.jobs[job.uri].active
    assert harness.store.calls == ["active"]
