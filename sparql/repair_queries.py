"""The statements with which the sweep finds and repairs what is incomplete."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.model import ACTIVE, NewJob, Status
from sparql.queries import rows_of, statement, status_iri
from sparql.terms import date_time, fill, iri, row, rows, string

_ACTIVE_ROWS = rows(status_iri(status) for status in ACTIVE)
# An end that a consumer reported goes before one that was only assumed of a silent job.
_PROGRESS = {
    Status.SCHEDULED: 0,
    Status.BUSY: 1,
    Status.FAILED: 2,
    Status.CANCELED: 3,
    Status.SUCCESS: 4,
}
_ADVANCES = [
    row(status_iri(value), status_iri(better))
    for value in _PROGRESS
    for better in _PROGRESS
    if _PROGRESS[value] < _PROGRESS[better]
]


def add_task(job: NewJob) -> str:
    """Return the update that gives an active job its task, if it has none."""
    return fill(
        statement("add_task.ru"),
        graph=iri(job.graph),
        job=iri(job.uri),
        task=iri(job.task_uri),
        task_id=string(job.task_id),
        task_status=status_iri(Status.SCHEDULED),
        task_operation=iri(job.task_operation),
        created=date_time(job.created),
        active=_ACTIVE_ROWS,
    )


def repair_duplicate_values(subjects: Sequence[str]) -> str:
    """Return the update that leaves one value each on these jobs and tasks."""
    one, advances = statement("repair_duplicate_values.ru"), rows(_ADVANCES)
    return " ;\n".join(fill(one, subject=iri(each), advances=advances) for each in subjects)


def delete_tasks_without_job(tasks: Sequence[str]) -> str:
    """Return the update that removes these tasks, where their job does not exist."""
    return fill(
        statement("delete_tasks_without_job.ru"),
        tasks=rows_of(tasks),
        scheduled=status_iri(Status.SCHEDULED),
    )
