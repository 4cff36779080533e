"""What is wrong with an active job: a function of its dates, its tasks and the configuration."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.diagnosis import PLAIN_HEALING, Cause, Patience, Trouble, diagnose, timed_out
from jobs.model import MAINTAINERS_HEALING, Job, JobKind, Remedies, Status
from tests.builders import DUMP, HEALING, NOW, at, job_of, stream_of, task_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PATIENCE = Patience(pickup=30 * MINUTE, stuck=DAY)
REMEDIES = Remedies(timed_by="JOB_TIMEOUT_MINUTES", closed_by="CLOSE_FINISHED_JOBS=true")
STREAM = stream_of(remedies=REMEDIES)


def job_with(*statuses: Status | None, kind: JobKind = HEALING, operation: str = "urn:op") -> Job:
    """Return a busy job, created now, whose tasks have these statuses."""
    tasks = tuple(
        task_of(f"{number}", status, created=NOW, modified=NOW, operation=operation)
        for number, status in enumerate(statuses)
    )
    return job_of(kind, created=NOW, modified=NOW, tasks=tasks)


def after(job: Job, time: timedelta) -> Trouble | None:
    return diagnose(job, STREAM, PATIENCE, NOW + time)


def cause_after(job: Job, time: timedelta) -> Cause | None:
    trouble = after(job, time)
    return trouble.cause if trouble else None


SCHEDULED, BUSY, SUCCESS = Status.SCHEDULED, Status.BUSY, Status.SUCCESS
FAILED, CANCELED = Status.FAILED, Status.CANCELED


@pytest.mark.parametrize(
    ("statuses", "limit", "cause"),
    [
        pytest.param((), 30 * MINUTE, Cause.NO_TASK, id="no task"),
        pytest.param((SCHEDULED,), 30 * MINUTE, Cause.NOT_PICKED_UP, id="scheduled"),
        pytest.param((SUCCESS, SCHEDULED), 30 * MINUTE, Cause.NOT_PICKED_UP, id="the next one"),
        pytest.param((BUSY,), DAY, Cause.RUNNING_LONG, id="busy"),
        pytest.param((SCHEDULED, BUSY), DAY, Cause.RUNNING_LONG, id="one of them busy"),
        pytest.param((FAILED, BUSY), DAY, Cause.RUNNING_LONG, id="one failed, another busy"),
        pytest.param((None,), DAY, Cause.RUNNING_LONG, id="a status of somebody's own"),
        pytest.param((SUCCESS, SUCCESS), 0 * DAY, Cause.NOT_CLOSED, id="all succeeded"),
        pytest.param((SUCCESS, FAILED), 0 * DAY, Cause.FAILED_NOT_CLOSED, id="one failed"),
        pytest.param((CANCELED,), 0 * DAY, Cause.FAILED_NOT_CLOSED, id="canceled"),
    ],
)
def test_each_cause_needs_its_time(
    statuses: tuple[Status | None, ...], limit: timedelta, cause: Cause
) -> None:
    job = job_with(*statuses)
    if limit:
        assert cause_after(job, limit - timedelta(seconds=1)) is None
    assert cause_after(job, limit) is cause
    assert cause_after(job, 100 * DAY) is cause


def test_a_task_that_is_moved_on_gives_a_sign_of_life() -> None:
    job = job_of(HEALING, created=NOW, tasks=(task_of("a", BUSY, modified=NOW + 20 * HOUR),))
    assert cause_after(job, DAY) is None
    assert cause_after(job, DAY + 20 * HOUR) is Cause.RUNNING_LONG


def test_a_next_task_has_its_own_time_to_be_picked_up() -> None:
    tasks = (task_of("a", SUCCESS, created=NOW), task_of("b", SCHEDULED, created=NOW + HOUR))
    job = job_of(HEALING, created=NOW, tasks=tasks)
    assert cause_after(job, HOUR + 29 * MINUTE) is None
    assert cause_after(job, HOUR + 30 * MINUTE) is Cause.NOT_PICKED_UP


def test_a_job_that_came_late_is_given_its_time_from_when_it_came() -> None:
    """A tick's job is dated at its fire time: this one was created five hours later."""
    seen = NOW + 5 * HOUR
    assert diagnose(job_with(SCHEDULED), STREAM, PATIENCE, seen + 29 * MINUTE, seen) is None
    late = diagnose(job_with(SCHEDULED), STREAM, PATIENCE, seen + 30 * MINUTE, seen)
    on_time = after(job_with(SCHEDULED), 30 * MINUTE)
    assert late == on_time, "two processes say the same, whenever they saw it"


def test_a_job_without_any_date_is_told_too() -> None:
    trouble = diagnose(job_of(DUMP, tasks=(task_of("a"),)), STREAM, PATIENCE, NOW)
    assert trouble is not None
    assert "without a date" in str(trouble)


def test_a_trouble_is_counted_from_when_the_time_was_over() -> None:
    trouble = after(job_with(SCHEDULED), DAY)
    assert trouble is not None
    assert trouble.since == NOW + 30 * MINUTE


def said(*statuses: Status | None, operation: str = "urn:op", name: str | None = "public") -> str:
    stream = stream_of(name, remedies=REMEDIES)
    job = job_with(*statuses, operation=operation)
    job = Job(**(vars(job) | {"operation": stream.operation(HEALING)}))
    trouble = diagnose(job, stream, PATIENCE, NOW + DAY)
    assert trouble is not None
    return str(trouble)


def test_a_message_names_kind_stream_job_cause_and_when() -> None:
    text = said(SCHEDULED)
    job = job_with()
    assert text.startswith(f"healing of stream public: job {job}: task never picked up: task http")
    assert "is scheduled since 2024-01-06T06:00:00+00:00" in text


@pytest.mark.parametrize("statuses", [(), (SCHEDULED,), (BUSY,)], ids=["none", "waits", "busy"])
def test_a_remedy_names_the_calls_to_begin_anew(statuses: tuple[Status, ...]) -> None:
    assert "DELETE /public/healing-jobs" in said(*statuses)
    assert "POST /public/healing-jobs" in said(*statuses)
    assert "DELETE /healing-jobs" in said(*statuses, name=None)


def test_a_task_that_nobody_takes_names_the_operation_that_nobody_listens_for() -> None:
    text = (
        "start the service that listens for task operation urn:op: it was down when the task came"
    )
    assert text in said(SCHEDULED)
    assert "publication-graph-maintainer" not in said(SCHEDULED)


@pytest.mark.parametrize(
    ("name", "setting"), [(None, "HEALING_TASK_OPERATION"), ("public", "healingTaskOperation")]
)
def test_the_default_healing_operation_is_told_from_the_maintainers(
    name: str | None, setting: str
) -> None:
    text = said(SCHEDULED, operation=PLAIN_HEALING, name=name)
    fact = f"the publication-graph-maintainer listens for {MAINTAINERS_HEALING}"
    assert f"{fact}: set {setting} to that" in text


def test_a_job_that_nobody_closes_names_controller_operation_and_switch() -> None:
    for status in (SUCCESS, FAILED):
        text = said(status)
        assert "no job-controller runs, or its configuration lacks job operation http" in text
        assert "CLOSE_FINISHED_JOBS=true" in text
        assert f"is {status.value}" in text


def test_a_task_that_runs_long_names_the_timeout() -> None:
    assert "JOB_TIMEOUT_MINUTES fails such jobs" in said(BUSY)


@pytest.mark.parametrize("kind", JobKind)
def test_every_kind_can_be_told(kind: JobKind) -> None:
    trouble = diagnose(job_with(kind=kind), STREAM, PATIENCE, NOW + DAY)
    assert str(trouble).startswith(f"{kind.value} of stream public: ")


@pytest.mark.parametrize(
    ("job", "first_seen", "silent"),
    [
        pytest.param(
            job_of(DUMP, modified=at("2024-01-06T04:59:59")),
            at("2024-01-06T04:00"),
            True,
            id="a job that was modified longer ago",
        ),
        pytest.param(
            job_of(DUMP, modified=at("2024-01-06T05:00")),
            at("2024-01-06T04:00"),
            False,
            id="a job whose time ends only now",
        ),
        pytest.param(
            job_of(DUMP, modified=at("2020-01-01T00:00")),
            at("2024-01-06T05:30"),
            False,
            id="an old job that was first seen a moment ago",
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
            id="a job whose task was modified lately",
        ),
        pytest.param(
            job_of(DUMP),
            at("2024-01-06T04:00"),
            True,
            id="a job without any date, seen long ago",
        ),
    ],
)
def test_only_long_silence_times_a_job_out(job: Job, first_seen: datetime, *, silent: bool) -> None:
    assert timed_out(job, HOUR, NOW, first_seen) is silent
