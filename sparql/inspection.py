"""What a sweep looks for among jobs and tasks that were read."""

from __future__ import annotations

from collections.abc import Collection

from jobs.model import SERVICE, Status
from jobs.store import Inspection, JobWithoutTask, TaskWithoutJob
from sparql.facts import Subjects, jobs_of
from sparql.terms import is_iri


def inspection_of(
    subjects: Subjects, operations: Collection[str], tasks: Collection[TaskWithoutJob]
) -> Inspection:
    """Return what is incomplete; what no update can name is left out.

    `tasks` are scheduled tasks, whose jobs are among the subjects if they exist.
    """
    jobs = jobs_without_task(subjects, operations)
    return Inspection(
        jobs_without_task=tuple(one for one in jobs if is_iri(one.job.uri)),
        tasks_without_job=tuple(one for one in tasks if _has_no_job(one, subjects)),
        duplicates=tuple(filter(is_iri, duplicate_values(subjects, operations))),
    )


def _has_no_job(found: TaskWithoutJob, subjects: Subjects) -> bool:
    """Return whether a task's job does not exist, and an update can name both."""
    job = subjects.get(found.job)
    return not (job and job.is_job) and is_iri(found.task) and is_iri(found.job)


def jobs_without_task(
    subjects: Subjects, operations: Collection[str]
) -> tuple[JobWithoutTask, ...]:
    """Return this service's active jobs of these operations to which no task belongs."""
    with_task = {job for subject in subjects.values() for job in subject.all("job")}
    return tuple(
        JobWithoutTask(job=job, graph=job.graph, job_id=job_id)
        for job in jobs_of(subjects, operations)
        if job.active and job.graph and job.uri not in with_task
        if SERVICE in subjects[job.uri].all("creator")
        if (job_id := subjects[job.uri].first("id"))
    )


def scheduled_tasks(subjects: Subjects, operations: Collection[str]) -> tuple[TaskWithoutJob, ...]:
    """Return the scheduled tasks with these operations, each with its job."""
    return tuple(
        TaskWithoutJob(task=subject.uri, job=job)
        for subject in subjects.values()
        if subject.is_task and subject.status is Status.SCHEDULED
        if any(operation in operations for operation in subject.all("operation"))
        for job in subject.all("job")
    )


def duplicate_values(subjects: Subjects, operations: Collection[str]) -> tuple[str, ...]:
    """Return this service's jobs of these operations, and their tasks, that have duplicate values.

    Finished ones count too: a second value that came late would stay for ever.
    """
    own = {
        uri
        for uri, subject in subjects.items()
        if subject.is_job and SERVICE in subject.all("creator")
        if any(operation in operations for operation in subject.all("operation"))
    }
    return tuple(
        sorted(
            uri
            for uri, subject in subjects.items()
            if subject.has_duplicate_values and (uri in own or own.intersection(subject.all("job")))
        )
    )
