"""The diagnosis of an active job depends on its dates, its tasks and the configuration."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from jobs.maintenance.diagnosis import (
    Cause,
    StuckJob,
    StuckThresholds,
    diagnose,
    timed_out,
)
from jobs.model import MAINTAINERS_HEALING, Job, JobKind, Remedies, Status
from jobs.task_operations import PLAIN_HEALING
from tests.support.builders import DUMP, HEALING, NOW, at, job_of, stream_of, task_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
THRESHOLDS = StuckThresholds(pickup=30 * MINUTE, stuck=DAY)
REMEDIES = Remedies(timed_by="JOB_TIMEOUT_MINUTES", closed_by="CLOSE_FINISHED_JOBS=true")
STREAM = stream_of(remedies=REMEDIES)


def job_with(*statuses: Status | None, kind: JobKind = HEALING, operation: str = "urn:op") -> Job:
    """Return a busy job, created now, whose tasks have these statuses."""
    tasks = tuple(
        task_of(f"{number}", status, created=NOW, modified=NOW, operation=operation)
        for number, status in enumerate(statuses)
    )
    return job_of(kind, created=NOW, modified=NOW, tasks=tasks)


def stuck_after(job: Job, time: timedelta) -> StuckJob:
    stuck = diagnose(job, STREAM, THRESHOLDS, NOW + time)
    assert stuck is not None
    return stuck


def cause_after(job: Job, time: timedelta) -> Cause | None:
    stuck = diagnose(job, STREAM, THRESHOLDS, NOW + time)
    return stuck.cause if stuck else None


SCHEDULED, BUSY, SUCCESS = Status.SCHEDULED, Status.BUSY, Status.SUCCESS
FAILED, CANCELED = Status.FAILED, Status.CANCELED


@pytest.mark.parametrize(
    ("statuses", "limit", "cause"),
    [
        pytest.param((), 30 * MINUTE, Cause.NO_TASK, id="no task"),
        pytest.param((SCHEDULED,), 30 * MINUTE, Cause.NOT_PICKED_UP, id="scheduled"),
        pytest.param(
            (SUCCESS, SCHEDULED), 30 * MINUTE, Cause.NOT_PICKED_UP, id="the second one scheduled"
        ),
        pytest.param((BUSY,), DAY, Cause.RUNNING_LONG, id="busy"),
        pytest.param((SCHEDULED, BUSY), DAY, Cause.RUNNING_LONG, id="one of them busy"),
        pytest.param((FAILED, BUSY), DAY, Cause.RUNNING_LONG, id="one failed, another busy"),
        pytest.param((None,), DAY, Cause.RUNNING_LONG, id="a status of another service"),
        pytest.param((SUCCESS, SUCCESS), 0 * DAY, Cause.NOT_CLOSED, id="all succeeded"),
        pytest.param((SUCCESS, FAILED), 0 * DAY, Cause.FAILED_NOT_CLOSED, id="one failed"),
        pytest.param((CANCELED,), 0 * DAY, Cause.FAILED_NOT_CLOSED, id="canceled"),
    ],
)
def test_a_job_is_stuck_after_the_time_of_its_cause(
    statuses: tuple[Status | None, ...], limit: timedelta, cause: Cause
) -> None:
    job = job_with(*statuses)
    if limit:
        assert cause_after(job, limit - timedelta(seconds=1)) is None
    assert cause_after(job, limit) is cause
    assert cause_after(job, 100 * DAY) is cause


def test_a_modified_task_is_a_sign_of_life() -> None:
    job = job_of(HEALING, created=NOW, tasks=(task_of("a", BUSY, modified=NOW + 20 * HOUR),))
    assert cause_after(job, DAY) is None
    assert cause_after(job, DAY + 20 * HOUR) is Cause.RUNNING_LONG


def test_a_second_task_gets_its_own_time_to_be_picked_up() -> None:
    tasks = (task_of("a", SUCCESS, created=NOW), task_of("b", SCHEDULED, created=NOW + HOUR))
    job = job_of(HEALING, created=NOW, tasks=tasks)
    assert cause_after(job, HOUR + 29 * MINUTE) is None
    assert cause_after(job, HOUR + 30 * MINUTE) is Cause.NOT_PICKED_UP


def test_the_time_of_a_job_begins_when_it_was_first_seen() -> None:
    """The job of a tick has its fire time as its date: this one was created five hours later."""
    seen = NOW + 5 * HOUR
    assert diagnose(job_with(SCHEDULED), STREAM, THRESHOLDS, seen + 29 * MINUTE, seen) is None
    late = diagnose(job_with(SCHEDULED), STREAM, THRESHOLDS, seen + 30 * MINUTE, seen)
    assert late == stuck_after(job_with(SCHEDULED), 30 * MINUTE), "two processes agree"


def test_a_job_without_any_date_is_stuck_at_once() -> None:
    for status, text in (
        (SCHEDULED, "is scheduled, and no date shows since when"),
        (BUSY, "is busy, and no date shows since when"),
        (SUCCESS, "is success, and no date shows since when"),
        (None, "is active, and no date shows since when"),
    ):
        stuck = stuck_after(job_of(DUMP, tasks=(task_of("a", status),)), timedelta(0))
        assert text in str(stuck)
        assert "sign of life" not in stuck.problem
        assert not stuck.dated
    bare = stuck_after(job_of(DUMP), timedelta(0))
    assert "created without a task, or lost it; it has no date" in str(bare)
    assert stuck_after(job_with(SCHEDULED), 30 * MINUTE).dated


def test_a_job_is_stuck_since_the_end_of_its_time() -> None:
    assert stuck_after(job_with(SCHEDULED), DAY).since == NOW + 30 * MINUTE


def message(
    *statuses: Status | None,
    operation: str = "urn:op",
    name: str | None = "public",
    kind: JobKind = HEALING,
) -> str:
    """Return the message about a stuck job of a stream whose tasks have these statuses."""
    stream = stream_of(name, remedies=REMEDIES)
    job = job_with(*statuses, operation=operation, kind=kind)
    stuck = diagnose(replace(job, operation=stream.operation(kind)), stream, THRESHOLDS, NOW + DAY)
    return str(stuck)


def test_a_message_names_job_cause_task_and_date() -> None:
    task = task_of("0").uri
    assert message(SCHEDULED).startswith(
        f"job {job_with()}: task never picked up: "
        f"task {task} is scheduled since 2024-01-06T06:00:00+00:00; "
    )


@pytest.mark.parametrize("uri", ["b0", "jobs/1", "http://example.org/a b"])
def test_a_job_that_no_update_can_name_is_stuck_at_once_and_named_with_its_graph(uri: str) -> None:
    job = job_of(DUMP, uri=uri, created=NOW, graph="urn:graph", tasks=(task_of("a", BUSY),))
    assert str(stuck_after(job, timedelta(0))) == (
        f"job {uri}: no update can name the job: it is in graph urn:graph, and its URI is a blank "
        "node or a relative IRI; it blocks its stream, and neither this service nor a DELETE call "
        "can change it: remove the triples of such a job in the store itself"
    )


@pytest.mark.parametrize("statuses", [(), (SCHEDULED,), (BUSY,)], ids=["none", "scheduled", "busy"])
@pytest.mark.parametrize("kind", JobKind)
def test_a_remedy_names_the_calls_that_start_again(
    statuses: tuple[Status, ...], kind: JobKind
) -> None:
    for name, path in (("public", f"/public/{kind.path}"), (None, f"/{kind.path}")):
        text = message(*statuses, name=name, kind=kind)
        assert f"set JOB_TIMEOUT_MINUTES, which fails such jobs, and POST {path}; or DELETE" in text
        assert f"; or DELETE {path} (it removes all jobs of the kind, active ones too" in text
        warned = "until a new one succeeds, the publication-graph-maintainer skips deltas" in text
        assert warned == (kind is JobKind.INITIAL_SYNC)


def test_the_remedy_of_a_scheduled_task_names_its_operation() -> None:
    text = message(SCHEDULED)
    assert "check that a service runs that listens for task operation urn:op" in text
    assert "a restart alone does not help" in text
    assert "publication-graph-maintainer" not in text


@pytest.mark.parametrize(
    ("name", "setting"), [(None, "HEALING_TASK_OPERATION"), ("public", "healingTaskOperation")]
)
def test_the_remedy_of_the_default_healing_names_the_maintainers_operation(
    name: str | None, setting: str
) -> None:
    text = message(SCHEDULED, operation=PLAIN_HEALING, name=name)
    fact = f"the publication-graph-maintainer listens for {MAINTAINERS_HEALING}"
    assert f"{fact}: set {setting} to that" in text


@pytest.mark.parametrize("status", [SUCCESS, FAILED])
def test_the_remedy_of_an_unclosed_job_names_controller_operation_and_setting(
    status: Status,
) -> None:
    text = message(status)
    assert f"is {status.value}, the last change is 2024-01-06T06:00:00+00:00" in text
    operation = STREAM.operation(HEALING)
    assert f"no job-controller runs, or its configuration lacks job operation {operation}" in text
    assert "CLOSE_FINISHED_JOBS=true" in text


@pytest.mark.parametrize(
    ("job", "first_seen", "silent"),
    [
        pytest.param(
            job_of(DUMP, modified=at("2024-01-06T04:59:59")),
            at("2024-01-06T04:00"),
            True,
            id="modified longer ago",
        ),
        pytest.param(
            job_of(DUMP, modified=at("2024-01-06T05:00")),
            at("2024-01-06T04:00"),
            False,
            id="modified exactly that long ago",
        ),
        pytest.param(
            job_of(DUMP, modified=at("2020-01-01T00:00")),
            at("2024-01-06T05:30"),
            False,
            id="an old job that was first seen lately",
        ),
        pytest.param(
            job_of(
                DUMP,
                modified=at("2024-01-06T01:00"),
                tasks=(
                    task_of("a", modified=at("2024-01-06T05:30")),
                    task_of("b", modified=at("2024-01-06T02:00")),
                ),
            ),
            at("2024-01-06T00:00"),
            False,
            id="a task modified lately",
        ),
        pytest.param(
            job_of(DUMP),
            at("2024-01-06T04:00"),
            True,
            id="without any date, first seen long ago",
        ),
    ],
)
def test_a_job_times_out_after_long_silence(
    job: Job, first_seen: datetime, *, silent: bool
) -> None:
    assert timed_out(job, HOUR, NOW, first_seen) is silent
