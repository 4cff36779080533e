"""The sweeper repairs what crashes and second processes leave behind."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from jobs import ids
from jobs.error_reports import ErrorReport
from jobs.model import JOB_BASE, TASK_BASE, Job, Status
from jobs.store import StoreError, StoreUnavailable
from jobs.ticks.policy import TickPolicy
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, NOW, job_of, stream_of
from tests.support.domain import Harness

STREAM = stream_of()
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
JOB = f"{JOB_BASE}a"
NOT_OLD = timedelta(0)


@pytest.fixture
def harness() -> Harness:
    return Harness((STREAM,), policy=TickPolicy(settle_time=MINUTE, window=HOUR))


def job_without_task(age: timedelta = NOT_OLD) -> Job:
    return job_of(DUMP, uri=JOB, created=NOW - age)


def sweep(harness: Harness, *times: timedelta) -> None:
    """Sweep at each of these times after the begin of the test."""
    for time in times:
        harness.clock.now = NOW + time
        harness.clock.elapsed = time.total_seconds()
        harness.sweeper.sweep()


def tasks(harness: Harness) -> list[str]:
    return [task.uri for task in harness.store.jobs[JOB].tasks]


def test_a_job_that_has_no_task_for_the_settle_time_gets_one(harness: Harness) -> None:
    harness.store.add(job_without_task())
    sweep(harness, 0 * MINUTE, MINUTE - SECOND)
    assert tasks(harness) == []
    sweep(harness, MINUTE)
    assert tasks(harness) == [TASK_BASE + ids.first_task("a")]
    assert harness.reported() == []


def test_the_settle_time_begins_again_after_a_sweep_without_the_job(harness: Harness) -> None:
    harness.store.add(job_without_task())
    sweep(harness, 0 * MINUTE)
    harness.store.jobs.clear()
    sweep(harness, MINUTE)
    harness.store.add(job_without_task())
    sweep(harness, 2 * MINUTE)
    assert tasks(harness) == []


def test_a_job_that_is_older_than_the_window_is_failed_with_an_error(harness: Harness) -> None:
    harness.store.add(job_without_task(age=2 * HOUR))
    sweep(harness, 0 * MINUTE, MINUTE)
    assert harness.store.jobs[JOB].status is Status.FAILED
    (error,) = harness.reported()
    assert (error.job, error.created) == (JOB, NOW - HOUR)
    assert error.message == (
        f"dump of stream public: job {JOB} has no task and is too old to get one: "
        "it was set to failed"
    )


@pytest.mark.parametrize(
    ("failure", "errors"),
    [
        pytest.param(StoreUnavailable("no answer", sent=True), 1, id="in doubt"),
        pytest.param(StoreUnavailable("absent", sent=False), 0, id="certain"),
    ],
)
def test_a_failure_that_leaves_a_doubt_is_reported_too(
    harness: Harness, caplog: pytest.LogCaptureFixture, failure: StoreError, errors: int
) -> None:
    """If the update was applied after all, no sweep finds the job again."""
    caplog.set_level(logging.INFO)
    harness.store.add(job_without_task(age=2 * HOUR))
    harness.store.failures["set_status"] = [failure]
    sweep(harness, 0 * MINUTE, MINUTE)
    assert len(harness.reported()) == errors
    assert f"job {JOB}, which has no task, was not repaired: {failure}" in caplog.text


def test_a_job_that_the_rules_do_not_allow_now_gets_no_task(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    harness.store.add(job_without_task(), blocking := job_of(INITIAL_SYNC))
    sweep(harness, 0 * MINUTE, MINUTE)
    assert tasks(harness) == []
    line = f"dump of stream public: job {JOB} has no task and can't get one now: "
    assert f"{line}active: {blocking} (busy)" in caplog.messages


def test_a_healing_without_an_initial_sync_gets_no_task(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    harness.store.add(job_of(HEALING, uri=JOB, created=NOW))
    sweep(harness, 0 * MINUTE, MINUTE)
    assert tasks(harness) == []
    line = f"healing of stream public: job {JOB} has no task and can't get one now: "
    assert f"{line}no initial sync has succeeded yet" in caplog.messages


@pytest.mark.parametrize("call", ["jobs_without_task", "add_task"])
def test_what_the_store_refuses_is_tried_again_by_the_next_sweep(
    harness: Harness, call: str
) -> None:
    harness.store.add(job_without_task())
    harness.store.failures[call] = [StoreError("no")]
    sweep(harness, 0 * MINUTE, MINUTE, 2 * MINUTE)
    assert len(tasks(harness)) == 1


def test_duplicate_values_are_logged(
    harness: Harness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.store, "repair_duplicate_values", lambda _: (JOB,))
    sweep(harness, 0 * MINUTE)
    assert caplog.messages == [f"removed a duplicate value from {JOB}"]


def test_a_sweep_stores_the_errors_that_wait(harness: Harness) -> None:
    report = ErrorReport(
        stream=STREAM, kind=DUMP, subject="urn:a", cause="broken", at=NOW, message="why"
    )
    harness.reporter.report(report)
    sweep(harness, 0 * MINUTE)
    assert [error.message for error in harness.store.errors] == ["dump of stream public: why"]


def test_nothing_is_swept_after_the_service_begins_to_stop(harness: Harness) -> None:
    harness.domain.locks.close(harness.domain.clock.deadline())
    sweep(harness, 0 * MINUTE)
    assert harness.store.calls == []
