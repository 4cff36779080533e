"""The sweeper repairs what crashes and second processes leave behind."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs import ids
from jobs.error_reports import ErrorReport
from jobs.model import JOB_BASE, TASK_BASE, Job, Status
from jobs.store import Inspection, StoreError, TaskWithoutJob
from jobs.ticks.policy import TickPolicy
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    TestClock,
    job_of,
    stream_of,
    task_of,
)
from tests.support.domain import Harness
from tests.support.fakes import LOST

STREAM = stream_of()
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
JOB = f"{JOB_BASE}a"
ORPHAN = TaskWithoutJob(TASK_BASE + ids.first_task("a"), JOB)
WAIT = MINUTE + TestClock().clock().timeout * SECOND  # until an update has certainly arrived
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


def test_a_job_gets_its_task_when_no_update_can_be_under_way_any_more(harness: Harness) -> None:
    harness.store.add(job_without_task())
    sweep(harness, 0 * MINUTE, WAIT - SECOND)
    assert tasks(harness) == []
    sweep(harness, WAIT)
    assert tasks(harness) == [TASK_BASE + ids.first_task("a")]
    assert harness.reported() == []


def test_the_wait_begins_again_after_a_sweep_without_the_job(harness: Harness) -> None:
    harness.store.add(job_without_task())
    sweep(harness, 0 * MINUTE)
    harness.store.jobs.clear()
    sweep(harness, WAIT)
    harness.store.add(job_without_task())
    sweep(harness, 2 * WAIT)
    assert tasks(harness) == []


def test_a_job_that_is_older_than_the_window_is_failed_with_an_error(harness: Harness) -> None:
    harness.store.add(job_without_task(age=2 * HOUR))
    sweep(harness, 0 * MINUTE, WAIT)
    assert harness.store.jobs[JOB].status is Status.FAILED
    (error,) = harness.reported()
    assert (error.job, error.created) == (JOB, NOW - HOUR)
    assert error.message == (
        f"dump of stream public: job {JOB} is failed, and its unfinished tasks with it: "
        "it has no task and is too old to get one"
    )


@pytest.mark.parametrize("applied", [True, False])
def test_a_failure_in_doubt_is_reported_as_a_read_shows_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, *, applied: bool
) -> None:
    """If the update was applied after all, no sweep finds the job again."""
    harness.store.add(job_without_task(age=2 * HOUR))
    set_status = harness.store.set_status

    def fail(job: Job, status: Status, at: datetime) -> None:
        if applied:
            set_status(job, status, at)
        raise LOST

    monkeypatch.setattr(harness.store, "set_status", fail)
    sweep(harness, 0 * MINUTE, WAIT)
    (error,) = harness.reported()
    outcome = "is failed" if applied else f"could not be failed: {LOST}"
    assert error.message.startswith(f"dump of stream public: job {JOB} {outcome}")


def test_a_job_that_the_rules_do_not_allow_now_gets_no_task(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    harness.store.add(job_without_task(), blocking := job_of(INITIAL_SYNC, tasks=(task_of("b"),)))
    sweep(harness, 0 * MINUTE, WAIT)
    assert tasks(harness) == []
    line = f"dump of stream public: job {JOB} has no task and can't get one now: "
    assert f"{line}active: {blocking} (busy)" in caplog.messages


def test_a_healing_without_an_initial_sync_gets_no_task(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    harness.store.add(job_of(HEALING, uri=JOB, created=NOW))
    sweep(harness, 0 * MINUTE, WAIT)
    assert tasks(harness) == []
    line = f"healing of stream public: job {JOB} has no task and can't get one now: "
    assert f"{line}no initial sync has succeeded yet" in caplog.messages


@pytest.mark.parametrize("call", ["inspect", "add_task"])
def test_what_the_store_refuses_is_tried_again_by_the_next_sweep(
    harness: Harness, call: str
) -> None:
    harness.store.add(job_without_task())
    harness.store.failures[call] = [StoreError("no")]
    sweep(harness, 0 * MINUTE, WAIT, 2 * WAIT)
    assert len(tasks(harness)) == 1


def test_jobs_without_a_task_do_not_block_each_other(harness: Harness) -> None:
    older = job_of(HEALING, uri=f"{JOB_BASE}b", created=NOW - MINUTE)
    harness.store.add(job_without_task(), older, job_of(INITIAL_SYNC, Status.SUCCESS))
    sweep(harness, 0 * MINUTE, WAIT)
    assert (len(harness.store.jobs[older.uri].tasks), tasks(harness)) == (1, [])
    harness.store.add(replace(older, status=Status.SUCCESS, tasks=(task_of("b"),)))
    sweep(harness, 2 * WAIT)
    assert len(tasks(harness)) == 1


def test_an_initial_sync_by_request_gets_its_task_although_one_succeeded_before(
    harness: Harness,
) -> None:
    earlier = job_of(INITIAL_SYNC, Status.SUCCESS, created=NOW - HOUR)
    harness.store.add(earlier, job_of(INITIAL_SYNC, uri=JOB, created=NOW))
    sweep(harness, 0 * MINUTE, WAIT)
    assert len(tasks(harness)) == 1


def test_an_initial_sync_that_is_not_needed_any_more_is_failed(harness: Harness) -> None:
    later = job_of(INITIAL_SYNC, Status.SUCCESS, created=NOW + SECOND)
    harness.store.add(later, job_of(INITIAL_SYNC, uri=JOB, created=NOW))
    sweep(harness, 0 * MINUTE, WAIT)
    assert harness.store.jobs[JOB].status is Status.FAILED
    (error,) = harness.reported()
    assert error.message.endswith(f"it has no task and needs none any more: done by job {later}")


def test_a_success_that_is_dated_in_the_future_does_not_count(harness: Harness) -> None:
    later = job_of(INITIAL_SYNC, Status.SUCCESS, created=NOW + 24 * 365 * HOUR)
    harness.store.add(later, job_of(INITIAL_SYNC, uri=JOB, created=NOW))
    sweep(harness, 0 * MINUTE, WAIT)
    assert len(tasks(harness)) == 1


def test_a_sweep_adds_one_task_to_a_stream(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that was just added may not be in the next read yet."""
    other = job_of(DUMP, uri=f"{JOB_BASE}b", created=NOW + SECOND)
    harness.store.add(job_without_task(), other)
    sent: list[str] = []
    monkeypatch.setattr(harness.store, "add_task", lambda job: sent.append(job.uri))
    sweep(harness, 0 * MINUTE, WAIT)
    assert sent == [JOB]


def test_an_outcome_that_no_read_shows_is_reported_as_unknown(harness: Harness) -> None:
    harness.store.add(job_without_task(age=2 * HOUR))
    sweep(harness, 0 * MINUTE)
    harness.store.failures["find"] = [LOST]
    sweep(harness, WAIT)
    (error,) = harness.reported()
    assert f"was to be failed, but its state could not be read after that: {LOST}" in error.message


def test_a_job_whose_repair_fails_does_not_keep_others_from_theirs(harness: Harness) -> None:
    other = stream_of("other")
    harness = Harness((STREAM, other), policy=harness.policy)
    sound = job_of(DUMP, uri=f"{JOB_BASE}b", stream="other", created=NOW)
    harness.store.add(job_without_task(), sound)
    harness.store.failures["add_task"] = [StoreError("no")]
    sweep(harness, 0 * MINUTE, WAIT)
    assert (len(tasks(harness)), len(harness.store.jobs[sound.uri].tasks)) == (0, 1)


@pytest.mark.parametrize("call", ["repair_duplicate_values", "jobs_without_task"])
def test_a_refused_step_does_not_keep_the_sweep_from_the_others(
    harness: Harness, call: str
) -> None:
    harness.store.orphans = [ORPHAN]
    harness.store.failures[call] = [StoreError("no")] * 2
    sweep(harness, 0 * MINUTE, WAIT)
    assert harness.store.orphans == []


def test_a_task_without_a_job_is_removed_when_no_update_can_be_under_way_any_more(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.store.orphans = [ORPHAN]
    sweep(harness, 0 * MINUTE, WAIT - SECOND)
    assert harness.store.orphans == [ORPHAN]
    sweep(harness, WAIT)
    assert harness.store.orphans == []
    assert caplog.messages == [f"removed task {ORPHAN.task}: its job {JOB} does not exist"]


def test_a_task_of_another_service_is_never_removed(harness: Harness) -> None:
    harness.store.orphans = [foreign := TaskWithoutJob(f"{TASK_BASE}b", JOB)]
    sweep(harness, 0 * MINUTE, WAIT)
    assert harness.store.orphans == [foreign]


def test_duplicate_values_are_repaired_and_logged(
    harness: Harness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Inspection(duplicates=(JOB,))
    monkeypatch.setattr(harness.store, "inspect", lambda *_: found)
    sweep(harness, 0 * MINUTE)
    assert harness.store.calls == ["repair"]
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
