"""A stream without a configured healing task operation goes on with that of an earlier healing."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from jobs.model import JOB_BASE, MAINTAINERS_HEALING, Job, Status, Stream
from jobs.task_operations import PLAIN_HEALING, Origin
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    NOW,
    at,
    job_of,
    stream_of,
    task_of,
    tick_job_of,
)
from tests.support.domain import Harness, service_of
from tests.support.fakes import REFUSED, FakeJobStore

OLD, OLDER = "http://example.org/task/old", "http://example.org/task/older"
LAST_TICK = at("2024-01-06T04:00")


def unset(stream: Stream, default: str = PLAIN_HEALING) -> Stream:
    """Return the stream without a configured task operation of its healing."""
    plans = [
        replace(plan, task_operation=default, task_operation_set=False)
        if plan.kind is HEALING
        else plan
        for plan in stream.plans
    ]
    return replace(stream, plans=tuple(plans))


STREAM = unset(stream_of(None, disabled=[DUMP]))


def healing(
    name: str, task_operation: str | None, stream: str | None = None, **more: object
) -> Job:
    """Return a healing that another service created, with its task."""
    tasks = (task_of(name, Status.SUCCESS, operation=task_operation),)
    fixed = {"uri": f"http://example.org/job/{name}", "created": NOW - DAY, "tasks": tasks}
    return replace(job_of(HEALING, Status.SUCCESS, stream, **fixed), **more)  # type: ignore[arg-type]


def started(*jobs: Job, streams: tuple[Stream, ...] = (STREAM,)) -> Harness:
    """Return the service after its start, with these jobs in the store."""
    harness = Harness(streams)
    harness.store.add(*jobs)
    harness.reconciler.resume()
    return harness


def task_operation_of(harness: Harness, stream: Stream = STREAM) -> str:
    """Return the task operation of a healing that a person requests."""
    freed = replace(stream, healing_waits=False)
    return harness.creator.request(freed, HEALING).task_operation


def origin(harness: Harness, stream: Stream = STREAM) -> Origin:
    return harness.creator.task_operations.origin(stream, HEALING)


def test_the_task_operation_of_an_earlier_healing_is_used_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    harness = started(healing("a", OLD))
    [record] = [one for one in caplog.records if "TASK_OPERATION" in one.getMessage()]
    assert record.levelname == "INFO"
    assert record.getMessage() == (
        f"healing of {STREAM}: HEALING_TASK_OPERATION is not set: tasks get {OLD}, as in the "
        "earlier job http://example.org/job/a"
    )
    assert task_operation_of(harness) == OLD
    assert origin(harness) is Origin.EARLIER_JOB


def test_without_an_earlier_healing_the_default_stays_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = started(job_of(DUMP, Status.SUCCESS, None, tasks=(task_of("d", operation=OLD),)))
    [warning] = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert PLAIN_HEALING in warning
    assert f"listens for {MAINTAINERS_HEALING}; set it" in warning
    assert task_operation_of(harness) == PLAIN_HEALING
    assert origin(harness) is Origin.DEFAULT


def test_the_default_for_which_the_maintainer_listens_gives_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = unset(stream_of(), MAINTAINERS_HEALING)
    harness = started(streams=(stream,))
    assert not [one for one in caplog.records if one.levelname == "WARNING"]
    assert task_operation_of(harness, stream) == MAINTAINERS_HEALING


def test_a_stream_of_the_file_names_its_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stream = unset(stream_of(), MAINTAINERS_HEALING)
    harness = started(healing("a", OLD, "public"), streams=(stream,))
    assert "healingTaskOperation is not set" in caplog.text
    assert task_operation_of(harness, stream) == OLD


def test_a_configured_task_operation_stays_and_the_past_is_not_read() -> None:
    stream = stream_of(disabled=[DUMP])
    harness = started(healing("a", OLD, "public"), streams=(stream,))
    assert not {"newest", "some_of"} & {*harness.store.calls}
    assert task_operation_of(harness, stream) == stream.plan(HEALING).task_operation
    assert origin(harness, stream) is Origin.CONFIGURATION


def test_a_disabled_healing_reads_no_past() -> None:
    harness = started(streams=(unset(stream_of(disabled=[HEALING])),))
    assert not {"newest", "some_of"} & {*harness.store.calls}


def test_each_stream_goes_on_with_its_own_task_operation() -> None:
    names = ("first", "second", "new")
    first, second, new = (unset(stream_of(name, disabled=[DUMP])) for name in names)
    jobs = healing("a", OLD, "first"), healing("b", OLDER, "second")
    harness = started(*jobs, streams=(first, second, new))
    assert [task_operation_of(harness, one) for one in (first, second, new)] == [
        OLD,
        OLDER,
        PLAIN_HEALING,
    ]
    assert harness.store.calls.count("newest") == 1


def test_the_job_of_a_late_tick_counts_before_others() -> None:
    """Its date is not compared: only ticks are known to be the latest."""
    tick = tick_job_of(HEALING, LAST_TICK - 3 * DAY, stream=None)
    tick = replace(tick, tasks=(task_of("t", Status.SUCCESS, operation=OLD),))
    harness = started(tick, healing("a", OLDER, created=NOW - HOUR))
    assert task_operation_of(harness) == OLD


def test_the_newest_tick_counts() -> None:
    found = {OLDER: LAST_TICK - 3 * DAY, OLD: LAST_TICK - DAY, "urn:oldest": LAST_TICK - 4 * DAY}
    ticks = [
        replace(
            tick_job_of(HEALING, fire_time, stream=None),
            tasks=(task_of(f"{fire_time}", Status.SUCCESS, operation=operation),),
        )
        for operation, fire_time in found.items()
    ]
    assert task_operation_of(started(*ticks)) == OLD


def test_a_job_without_a_usable_task_is_passed_over() -> None:
    jobs = [
        healing("old", OLD, created=NOW - 9 * DAY),
        healing("none", None),
        healing("bad", "no iri"),
        healing("empty", None, tasks=()),
    ]
    assert task_operation_of(started(*jobs)) == OLD


def test_a_successful_healing_counts_before_a_newer_one() -> None:
    jobs = healing("a", OLD, created=NOW - 9 * DAY), healing("b", OLDER, status=Status.FAILED)
    assert task_operation_of(started(*jobs)) == OLD


@pytest.mark.parametrize(("status", "warnings"), [(Status.SUCCESS, 0), (Status.SCHEDULED, 1)])
def test_the_warning_stays_until_a_healing_with_the_default_succeeded(
    status: Status, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A healing that no consumer picked up is no reason to keep its task operation silently."""
    started(healing("a", PLAIN_HEALING, status=status))
    assert caplog.text.count("no healing with") == warnings


def test_of_several_tasks_the_one_with_index_0_counts() -> None:
    tasks = (
        task_of("a", Status.SUCCESS, operation=OLDER, index="1"),
        task_of("b", Status.SUCCESS, operation=OLD, index="0"),
    )
    assert task_operation_of(started(healing("a", None, tasks=tasks))) == OLD


@pytest.mark.parametrize("step", ["find", "newest"])
def test_a_start_whose_read_fails_is_tried_again(
    step: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness = Harness((STREAM,))
    harness.store.add(healing("a", OLD))
    harness.store.failures[step] = [REFUSED]
    with pytest.raises(type(REFUSED)):
        harness.reconciler.resume()
    assert not harness.store.created
    harness.reconciler.resume()
    assert task_operation_of(harness) == OLD


def test_a_start_that_fails_later_logs_and_reads_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    harness = Harness((STREAM,))
    harness.store.add(healing("a", OLD))
    harness.store.failures["in_use"] = [REFUSED]
    with pytest.raises(type(REFUSED)):
        harness.reconciler.resume()
    harness.reconciler.resume()
    assert caplog.text.count("as in the earlier job") == 1
    assert harness.store.calls.count("newest") == 1


def test_the_task_of_a_tick_gets_the_earlier_operation() -> None:
    harness = started(
        healing("a", OLD), job_of(INITIAL_SYNC, Status.SUCCESS, None, created=NOW - DAY)
    )
    harness.clock.move_to(LAST_TICK + DAY)
    harness.reconciler.reconcile(STREAM)
    assert [job.task_operation for job in harness.store.created] == [OLD]


def test_the_sweep_gives_a_missing_task_the_earlier_operation() -> None:
    harness = started(healing("a", OLD), streams=(replace(STREAM, healing_waits=False),))
    half = healing("half", None, uri=JOB_BASE + "half", created=NOW, tasks=())
    harness.store.add(replace(half, status=Status.BUSY))
    harness.sweeper.sweep()
    harness.clock.move_to(NOW + HOUR / 10)
    harness.sweeper.sweep()
    [task] = harness.store.jobs[half.uri].tasks
    assert task.operation == OLD


def test_the_sweep_looks_for_tasks_of_both_operations() -> None:
    harness = started(healing("a", OLD))
    assert {OLD, PLAIN_HEALING} <= set(harness.creator.task_operations.all)


def test_the_status_shows_where_the_task_operation_comes_from() -> None:
    """Before the start has read the store, it is the default."""
    store = FakeJobStore()
    store.add(healing("a", OLD))
    service = service_of(STREAM, store=store)
    [before] = service.status.report().streams
    service.domain.reconciler.resume()
    [after] = service.status.report().streams
    shown = [
        [(kind.task_operation, kind.task_operation_from) for kind in report.kinds[1:]]
        for report in (before, after)
    ]
    dump = (STREAM.plan(DUMP).task_operation, "configuration")
    assert shown == [[(PLAIN_HEALING, "default"), dump], [(OLD, "earlier job"), dump]]
