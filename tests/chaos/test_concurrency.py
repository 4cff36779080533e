"""The auditor finds jobs that were created too early, beside others or not at all."""

from __future__ import annotations

import pytest

from tests.chaos.history_builder import (
    STREAM_WITH_HEALING,
    HistoryBuilder,
    clean_run,
    span,
    synced_run,
)
from tests.chaos.streams import Kind


def test_an_initial_sync_then_a_healing_then_a_dump() -> None:
    run = synced_run()
    run.job(10, kind=Kind.HEALING, seen=11)
    assert run.audit().clean


@pytest.mark.parametrize(("synced", "early"), [(9, 0), (11.0, 0), (13, 1)])
def test_a_healing_before_an_initial_sync_is_a_violation(synced: float, early: int) -> None:
    run = synced_run()
    run.history.records[0].succeeded = [span(synced - 0.2, synced, 200, None)]
    run.history.records[0].active = [span(3, 3.2, 5, 6)]
    run.job(10, kind=Kind.HEALING, seen=11)
    assert run.violations().get("healing before the initial sync", 0) == early


def test_a_sync_may_be_deleted_while_the_healing_is_being_written() -> None:
    run = synced_run()
    run.history.records[0].succeeded = [span(8.9, 9, 9.8, 10)]
    run.job(10, kind=Kind.HEALING, seen=13.5, sent=10.1, applied=13.4)
    assert run.audit().clean


def test_a_second_initial_sync_after_a_success_is_a_violation() -> None:
    run = synced_run()
    run.job(10, kind=Kind.HEALING)
    run.job(12.3, kind=Kind.SYNC)
    assert run.violations()["duplicated"] == 1


def beside(*, sent: float, process: int = 0, busy_until: float = 12) -> HistoryBuilder:
    """Return a run with a dump of second 5 that stays busy, and a healing beside or after it."""
    run = HistoryBuilder(STREAM_WITH_HEALING, horizon=14)
    run.process_run(ready=0)
    run.process_run(process=1)
    run.job(1.5, kind=Kind.SYNC, done=3)
    run.job(5, seen=9.1, done=busy_until, sent=9, applied=9.05)
    run.job(10, kind=Kind.HEALING, seen=sent + 0.2, sent=sent, process=process)
    run.log(14, "tick {14} supersedes 1 earlier ones since {0}")
    return run


@pytest.mark.parametrize("process", [0, 1])
def test_a_job_beside_an_active_one_is_a_violation(process: int) -> None:
    assert beside(sent=11, process=process).violations() == {"two active jobs of a stream": 1}


def test_a_job_that_was_finished_in_the_meantime_prevents_nothing() -> None:
    assert beside(sent=11, busy_until=10.8).audit().clean


def test_jobs_of_two_processes_in_one_second_are_a_known_limit() -> None:
    run = beside(sent=10, process=1)
    assert run.audit().clean
    assert len(run.audit().known_limits["two active jobs, by a race"]) == 1


def test_a_process_knows_the_job_that_it_just_created() -> None:
    assert beside(sent=10).violations() == {"two active jobs of a stream": 1}


def test_a_process_knows_the_job_that_it_sent_without_an_answer() -> None:
    run = beside(sent=10)
    run.history.attempts[1].applied = run.history.attempts[2].sent + 1
    assert run.violations() == {"two active jobs of a stream": 1}


def test_a_job_that_was_created_again_later_was_not_known_before() -> None:
    """A DELETE call removed the initial sync, and the next start made it anew, with its URI."""
    run = synced_run()
    sync = run.history.records[0]
    sync.active = [span(3.4, 3.5, 5, 6), span(15, 15.2, 18, 19)]
    run.process_run(ready=14.5)
    run.job(10, kind=Kind.HEALING, seen=15.4, sent=10, applied=15.3, done=17)
    assert "two active jobs of a stream" not in run.violations()


def test_a_job_by_request_prevents_others_but_does_not_wait() -> None:
    run = beside(sent=11)
    run.log(11, f"created job {run.history.records[4].uri} by request", kind=Kind.HEALING)
    assert "two active jobs of a stream" not in run.violations()
    run = beside(sent=11)
    run.log(9, f"created job {run.history.records[2].uri} by request")
    assert run.violations()["two active jobs of a stream"] == 1


def test_a_tick_without_a_job_and_without_a_cause_is_reported() -> None:
    run = clean_run(50)
    run.log(60, "tick {60} supersedes 1 earlier ones since {50}")
    assert len(run.audit().known_limits["not created though nothing prevented it"]) == 1
    run.call("POST", 50.5)
    assert not run.audit().known_limits["not created though nothing prevented it"]


@pytest.mark.parametrize(
    ("ready", "active", "early"),
    [(5, None, 0), (14, None, 1), (5, (6, 8), 0), (5, (10, 20), 1)],
    ids=["it waited", "it had just started", "a short job before", "a long job until just before"],
)
def test_a_standby_replica_must_see_a_job_missing_for_its_delay(
    ready: float, active: tuple[float, float] | None, early: int
) -> None:
    run = clean_run(20)
    run.process_run(process=1, slot=1, ready=ready)
    run.job(20, sent=20.1, process=1)
    if active:
        run.history.records[0].active = [span(active[0] - 0.1, *active, active[1] + 0.1)]
    found = run.violations()
    assert found.get("created too early by a standby replica", 0) == early
