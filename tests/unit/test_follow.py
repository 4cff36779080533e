"""The progress of a job, as read from the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from commands.follow import Progress, progress
from jobs.model import Status
from tests.support.builders import DUMP, job_of, task_of

BUSY, SUCCESS, FAILED = Status.BUSY, Status.SUCCESS, Status.FAILED


@pytest.mark.parametrize(
    ("job", "tasks", "expected"),
    [
        (BUSY, [], Progress("job busy, no task")),
        (BUSY, [BUSY], Progress("job busy, task busy")),
        (BUSY, [SUCCESS], Progress("job busy, task success", succeeded=True)),
        (BUSY, [SUCCESS, BUSY], Progress("job busy, tasks success, busy")),
        (BUSY, [FAILED, BUSY], Progress("job busy, tasks failed, busy", succeeded=False)),
        (SUCCESS, [BUSY], Progress("job success, task busy", closed=True)),
        (SUCCESS, [SUCCESS], Progress("job success, task success", succeeded=True, closed=True)),
        (FAILED, [BUSY], Progress("job failed, task busy", succeeded=False, closed=True)),
        (None, [None], Progress("job of unknown status, task of unknown status")),
    ],
)
def test_progress(job: Status | None, tasks: list[Status | None], expected: Progress) -> None:
    there = [task_of(f"task-{number}", status) for number, status in enumerate(tasks)]
    assert progress(replace(job_of(DUMP), status=job, tasks=tuple(there))) == expected
