"""The updates of the service as operations: each finds its changes, and then they are applied.

An authorization layer runs the two halves as requests of their own; a store runs them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from jobs.model import SERVICE, Job, NewJob, Status
from jobs.store import ErrorResource
from tests.simulation.triples import Change, Triples

Operation: TypeAlias = Callable[[Triples], list[Change]]
PROGRESS = ("scheduled", "busy", "failed", "canceled", "success")


def create(job: NewJob, *, guarded: bool) -> tuple[Operation, ...]:
    """Return the two operations of a new job; guarded ones do nothing if their subject exists."""

    def insert_job(triples: Triples) -> list[Change]:
        return [] if guarded and triples.is_job(job.uri) else _job(job)

    def insert_task(triples: Triples) -> list[Change]:
        there = guarded and "Task" in triples.values(job.task_uri, "type")
        return [] if there else _task(job)

    return insert_job, insert_task


def add_task(job: NewJob) -> tuple[Operation, ...]:
    def insert(triples: Triples) -> list[Change]:
        wanted = triples.active(job.uri) and not triples.tasks.get(job.uri)
        return _task(job) if wanted else []

    return (insert,)


def set_status(job: Job, status: Status, at: datetime) -> tuple[Operation, ...]:
    seen = [job.uri, *(task.uri for task in job.unfinished)]

    def end(triples: Triples) -> list[Change]:
        if any(triples.active(task) for task in triples.tasks.get(job.uri, ()) if task not in seen):
            return []
        subjects = [uri for uri in seen if triples.active(uri)]
        return [change for uri in subjects for change in _ended(triples, uri, status, at)]

    return (end,)


def repair(subjects: Sequence[str]) -> tuple[Operation, ...]:
    """Return three operations: each leaves one value of a property."""

    def one_date(name: str, best: Callable[[Iterable[datetime]], datetime]) -> Operation:
        def reduce(triples: Triples) -> list[Change]:
            changes = []
            for uri in subjects:
                values = triples.values(uri, name)
                changes += [_remove(uri, name, one) for one in values if one != best(values)]
            return changes

        return reduce

    def one_status(triples: Triples) -> list[Change]:
        changes = []
        for uri in subjects:
            known = [one for one in triples.values(uri, "status") if one in PROGRESS]
            best = max(known, key=PROGRESS.index, default=None)
            changes += [_remove(uri, "status", one) for one in known if one != best]
        return changes

    return one_date("created", min), one_date("modified", max), one_status


def write_error(error: ErrorResource) -> tuple[Operation, ...]:
    def insert(triples: Triples) -> list[Change]:
        if triples.values(error.uri, "type"):
            return []
        pairs = {"type": "Error", "created": error.created, "message": error.message}
        references = {"references": error.job} if error.job else {}
        return [_add(error.uri, name, value) for name, value in (pairs | references).items()]

    return (insert,)


def delete(jobs: Sequence[Job]) -> tuple[Operation, ...]:
    """Return three operations: errors, tasks and jobs are removed one after the other."""
    uris = [job.uri for job in jobs]

    def errors(triples: Triples) -> list[Change]:
        return _gone(triples, (error for uri in uris for error in triples.errors.get(uri, ())))

    def tasks(triples: Triples) -> list[Change]:
        return _gone(triples, (task for uri in uris for task in triples.tasks.get(uri, ())))

    def themselves(triples: Triples) -> list[Change]:
        return _gone(triples, uris)

    return errors, tasks, themselves


def delete_error(error: str) -> tuple[Operation, ...]:
    return (lambda triples: _gone(triples, [error]),)


def delete_orphans(tasks: Sequence[str]) -> tuple[Operation, ...]:
    """Return the removal of tasks that are still scheduled and without a job."""

    def remove(triples: Triples) -> list[Change]:
        left = [
            task
            for task in tasks
            if "scheduled" in triples.values(task, "status")
            and not any(triples.is_job(job) for job in triples.values(task, "job"))
        ]
        return _gone(triples, left)

    return (remove,)


def _gone(triples: Triples, uris: Iterable[str]) -> list[Change]:
    return [change for uri in uris for change in triples.everything_of(uri)]


def _ended(triples: Triples, uri: str, status: Status, at: datetime) -> Iterator[Change]:
    for old in triples.values(uri, "status"):
        if old in ("busy", "scheduled"):
            yield _remove(uri, "status", old)
    for date in triples.values(uri, "modified"):
        yield _remove(uri, "modified", date)
    yield _add(uri, "status", status.value)
    yield _add(uri, "modified", at)


def _job(job: NewJob) -> list[Change]:
    return [
        _add(job.uri, "type", "Job"),
        _add(job.uri, "uuid", job.job_id),
        _add(job.uri, "graph", job.graph),
        _add(job.uri, "creator", SERVICE),
        _add(job.uri, "operation", job.job_operation),
        _add(job.uri, "status", "busy"),
        _add(job.uri, "created", job.created),
        _add(job.uri, "modified", job.created),
    ]


def _task(job: NewJob) -> list[Change]:
    return [
        _add(job.task_uri, "type", "Task"),
        _add(job.task_uri, "operation", job.task_operation),
        _add(job.task_uri, "job", job.uri),
        _add(job.task_uri, "created", job.created),
        _add(job.task_uri, "modified", job.created),
        _add(job.task_uri, "status", "scheduled"),
    ]


def _add(uri: str, name: str, value: object) -> Change:
    return Change(add=True, uri=uri, name=name, value=value)


def _remove(uri: str, name: str, value: object) -> Change:
    return Change(add=False, uri=uri, name=name, value=value)
