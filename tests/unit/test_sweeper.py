"""What crashes and twins leave behind is mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs import identity
from jobs.agenda import Policy
from jobs.model import JOB_BASE, Job, Status
from jobs.reporter import Report
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, HEALING, INITIAL_SYNC, NOW, World, job_of, stream_of
from tests.harness import Harness

STREAM = stream_of()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def harness() -> Harness:
    policy = Policy(settle=MINUTE, window=HOUR)
    return Harness((STREAM,), World(now=NOW, policy=policy))


def half(created: timedelta = timedelta(0)) -> Job:
    return job_of(DUMP, uri=f"{JOB_BASE}half", created=NOW + created)


def sweep(harness: Harness, after: timedelta) -> None:
    harness.world.now = NOW + after
    harness.sweeper.sweep()


def tasks(harness: Harness) -> list[str]:
    return [task.uri for task in harness.store.jobs[f"{JOB_BASE}half"].tasks]


def test_a_job_without_a_task_gets_it_after_two_looks(harness: Harness) -> None:
    harness.store.add(half())
    sweep(harness, timedelta(0))
    assert tasks(harness) == []
    sweep(harness, MINUTE / 2)
    assert tasks(harness) == []
    sweep(harness, MINUTE)
    task = identity.first_task("half")
    assert tasks(harness) == [f"http://redpencil.data.gift/id/task/{task}"]
    assert harness.store.errors == []


def test_a_job_whose_task_was_on_its_way_is_left_alone(harness: Harness) -> None:
    harness.store.add(half())
    sweep(harness, timedelta(0))
    harness.store.jobs.clear()
    sweep(harness, MINUTE)
    harness.store.add(half())
    sweep(harness, 2 * MINUTE)
    assert tasks(harness) == []


def test_a_job_that_is_too_old_is_failed_with_an_error(harness: Harness) -> None:
    harness.store.add(half(-2 * HOUR))
    sweep(harness, timedelta(0))
    sweep(harness, MINUTE)
    assert harness.store.jobs[f"{JOB_BASE}half"].status is Status.FAILED
    (error,) = harness.reported()
    assert error.job == f"{JOB_BASE}half"
    assert "no task" in error.message


def test_a_job_that_may_have_been_failed_is_reported_all_the_same(harness: Harness) -> None:
    """Nobody sees it again if it was."""
    harness.store.add(half(-2 * HOUR))
    harness.store.failures["end"] = [StoreUnavailable("no answer", sent=True)]
    sweep(harness, timedelta(0))
    sweep(harness, MINUTE)
    assert len(harness.reported()) == 1


def test_a_job_that_the_rules_do_not_allow_now_gets_no_task(harness: Harness) -> None:
    harness.store.add(half(), job_of(HEALING, tasks=()))
    sweep(harness, timedelta(0))
    harness.store.add(job_of(INITIAL_SYNC))
    sweep(harness, MINUTE)
    assert tasks(harness) == []


def test_what_the_store_refuses_is_tried_at_the_next_look(harness: Harness) -> None:
    harness.store.add(half())
    harness.store.failures["half_jobs"] = [StoreError("no")]
    sweep(harness, timedelta(0))
    sweep(harness, MINUTE)
    sweep(harness, 2 * MINUTE)
    assert len(tasks(harness)) == 1


def test_errors_that_wait_are_stored(harness: Harness) -> None:
    harness.reporter.report(
        Report(stream=STREAM, thing="urn:a", what="broken", at=NOW, message="why")
    )
    sweep(harness, timedelta(0))
    assert [error.message for error in harness.store.errors] == ["why"]
