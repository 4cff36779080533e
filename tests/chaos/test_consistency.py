"""The auditor finds wrong jobs and tasks, and tasks that ran twice, in a history."""

from __future__ import annotations

import pytest

from tests.chaos.history_builder import HistoryBuilder, clean_run, synced_run
from tests.chaos.streams import Kind


def test_two_jobs_of_one_tick_are_duplicates() -> None:
    run = clean_run()
    run.job(50, uri="http://j/second", sent=50)
    assert run.violations() == {"duplicated": 1, "two active jobs of a stream": 1}


def test_two_tasks_of_one_job_are_duplicates() -> None:
    run = clean_run(50)
    run.job(50, tasks=2)
    assert run.violations() == {"duplicated": 1}


def test_a_job_without_a_cause_is_a_violation() -> None:
    run = clean_run()
    run.job(53.25)
    assert run.violations() == {"jobs without a tick or a call": 1}


def test_the_log_explains_a_job_by_request() -> None:
    run = clean_run()
    record = run.job(53.25)
    run.log(53.3, f"created job {record.uri} by request")
    assert run.audit().clean


def test_a_call_whose_answer_was_lost_explains_one_job() -> None:
    run = clean_run()
    run.call("POST", 53, status=503)
    run.job(53.25)
    assert run.audit().clean
    run.job(53.3)
    assert run.violations() == {"jobs without a tick or a call": 1}


def test_nothing_is_caught_up_in_an_empty_store() -> None:
    run = clean_run()
    run.job(0, seen=6)
    assert run.violations() == {"jobs without a tick or a call": 1}


def test_an_initial_sync_by_a_call_without_an_answer_needs_no_wait() -> None:
    run = synced_run()
    run.job(10, kind=Kind.HEALING)
    run.job(12.3, kind=Kind.SYNC)
    assert "duplicated" in run.violations()
    run.call("POST", 12.2, Kind.SYNC, status=503)
    assert run.audit().clean


def test_a_job_without_a_task_at_the_end_is_a_violation() -> None:
    run = clean_run(50)
    record = run.job(50, tasks=0)
    assert run.violations() == {"jobs without a task": 1}
    record.final = None
    assert run.audit().clean


@pytest.mark.parametrize(("faults", "violations"), [((), 1), ((60, 70, 80, 90, 100), 0)])
def test_a_job_without_a_task_until_its_deletion_had_to_be_repaired_in_quiet_times(
    faults: tuple[int, ...], violations: int
) -> None:
    run = clean_run(50)
    record = run.job(50, tasks=0, done=110)
    record.final = None
    for second in faults:
        run.disruption(second)
    assert run.violations().get("jobs without a task", 0) == violations


def test_a_job_without_a_task_may_fail_with_an_error() -> None:
    run = clean_run(50)
    record = run.job(50, tasks=0)
    assert record.final is not None
    record.final["status"] = [record.final["status"][0].replace("success", "failed")]
    assert run.violations() == {"jobs without a task": 1}
    run.error("it had no task", job=record.uri)
    assert run.audit().clean


@pytest.mark.parametrize(("repaired", "found"), [(60, 0), (95, 1)])
def test_a_job_without_a_task_must_be_repaired_in_time(repaired: float, found: int) -> None:
    run = clean_run(50)
    record = run.job(50, tasks=0, done=98)
    run.task(record.uri, repaired)
    assert run.violations().get("jobs without a task", 0) == found


def test_a_job_without_a_task_until_it_was_deleted_is_a_violation() -> None:
    run = clean_run(50)
    run.job(50, tasks=0, done=120).final = None
    assert run.violations()["jobs without a task"] == 1


def test_a_task_without_its_job_is_a_violation() -> None:
    run = clean_run(50)
    run.job(50).final = None
    assert run.violations() == {"jobs without a task": 1}


def test_duplicate_values_at_the_end_are_a_violation() -> None:
    run = clean_run(50)
    record = run.job(50)
    assert record.final is not None
    record.final["modified"] = ["2027-01-15T08:00:50.000Z", "2027-01-15T08:00:52.000Z"]
    assert run.violations() == {"duplicate values": 1}


def test_errors_have_two_types_but_reference_one_job() -> None:
    run = clean_run()
    run.error("something", job="http://j/1")
    assert run.audit().clean
    run.history.records[-1].values["references"].append("http://j/2")
    assert run.violations() == {"duplicate values": 1}


def rerun(*, process: int, sent: float, applied: float) -> HistoryBuilder:
    """Return a run in which the job of tick 50 is written again and its task run again."""
    run = clean_run()
    job, task = (f"http://redpencil.data.gift/id/{what}/DUMP-50" for what in ("job", "task"))
    run.attempt([job, f"{task}-0"], sent, applied, process)
    run.task_runs(f"{task}-0", 51.2, 55)
    run.process_run(process=1)
    return run


def test_a_task_that_was_run_twice_is_a_violation() -> None:
    assert rerun(process=0, sent=53, applied=53.1).violations() == {"run twice": 1}


def test_a_task_that_was_written_once_and_run_twice_is_a_violation() -> None:
    run = clean_run()
    run.task_runs("http://redpencil.data.gift/id/task/DUMP-50-0", 51.2, 55)
    assert run.violations() == {"run twice": 1}


def test_a_race_on_a_slow_store_is_a_known_limit() -> None:
    run = rerun(process=1, sent=50.1, applied=53)
    assert run.audit().clean
    assert len(run.audit().known_limits["run twice, by a race on a slow store"]) == 1


@pytest.mark.parametrize(("sent", "applied"), [(50.1, 51.0), (52.5, 54)])
def test_a_race_on_a_fast_store_or_a_late_write_is_a_violation(sent: float, applied: float) -> None:
    run = rerun(process=1, sent=sent, applied=applied)
    run.history.task_runs[0].at -= 0.3
    assert run.violations() == {"run twice": 1}


def test_any_race_with_an_adversarial_consumer_is_a_known_limit() -> None:
    run = rerun(process=1, sent=50.1, applied=50.3)
    run.history.task_runs[0].at -= 1.1
    assert run.violations() == {"run twice": 1}
    run.history.adversarial = True
    assert run.audit().clean


@pytest.mark.parametrize(("process", "violations"), [(0, {}), (1, {"run twice": 1})])
def test_a_job_may_return_that_a_call_to_another_process_deleted(
    process: int, violations: dict[str, int]
) -> None:
    run = rerun(process=1, sent=54, applied=54.1)
    run.call("DELETE", 53, process=process)
    assert run.violations() == violations


def test_a_later_start_may_sync_again_after_a_delete_call() -> None:
    run = synced_run()
    run.job(10, kind=Kind.HEALING, seen=11)
    job, task = (f"http://redpencil.data.gift/id/{what}/SYNC-3.5" for what in ("job", "task"))
    run.attempt([job, f"{task}-0"], sent=14, applied=14.1)
    run.task_runs(f"{task}-0", 4.5, 15.2)
    assert run.violations() == {"run twice": 1}
    run.call("DELETE", 12, Kind.SYNC)
    assert run.audit().clean
