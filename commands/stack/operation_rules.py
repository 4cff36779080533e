"""The rules about operations: each job is controlled, and each task is done by a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from commands.stack.spelling import similar
from commands.stack.values import (
    Assignment,
    Consumer,
    Finding,
    Result,
    Right,
    StackConfiguration,
)
from jobs.model import JobKind
from jobs.task_operations import takes_earlier


def job_operations(stack: StackConfiguration) -> Iterator[Result]:
    """Check that job-controller, which ends a job after its last task, knows each job."""
    known = {operation: one for one in stack.controllers for operation in one.tasks}
    places = {operation: one.file for operation, one in known.items()}
    for job in stack.assignments() if stack.controllers else ():
        controller = known.get(job.operation)
        task = job.plan.task_operation
        if controller is None:
            if not job.stream.remedies.close_finished:
                problem = f"no entry for the job operation of the {job}, so such jobs stay busy"
                fix = f'add an entry with "nextOperation": "{task}"'
                absent = Finding(stack.controllers[0].file, job.operation, problem, fix)
                yield _spelled(stack, job, absent, places)
        elif task in controller.tasks[job.operation]:
            yield Right(
                controller.file, "has an entry for the job operation and its task", str(job)
            )
        else:
            problem = f"the entry for the {job} lacks the operation of its task, so jobs stay busy"
            fix = f'write "nextOperation": "{task}", or change the task operation in {job.place}'
            yield Finding(controller.file, list(controller.tasks[job.operation]), problem, fix)


def task_operations(stack: StackConfiguration) -> Iterator[Result]:
    """Check that the service that does such tasks listens for their operation."""
    for job in stack.assignments():
        consumers = stack.consumers(job.plan.kind)
        heard = {one.tasks[job.plan.kind]: one for one in consumers}
        task = job.plan.task_operation
        if task in heard:
            yield Right(heard[task].file, "listens for the task operation", str(job))
        elif consumers and (_lists(consumers, job) or not _others_know(stack, job)):
            problem = f"no service listens for this task operation of the {job}"
            if job.plan.kind is JobKind.HEALING and takes_earlier(job.stream):
                problem += ", which a start replaces by that of an earlier healing, if there is one"
            usual = consumers[0]
            fix = f"write {usual.tasks[job.plan.kind]}, as the service of {usual.file} expects"
            yield Finding(job.place, task, problem, fix)


def _lists(consumers: Iterable[Consumer], job: Assignment) -> bool:
    return any(job.operation in one.listed[job.plan.kind] for one in consumers)


def _others_know(stack: StackConfiguration, job: Assignment) -> bool:
    """Return whether job-controller names the task, so that another service may listen for it."""
    named = (one.tasks.get(job.operation, ()) for one in stack.controllers)
    return any(job.plan.task_operation in tasks for tasks in named)


def keys(stack: StackConfiguration) -> Iterator[Result]:
    """Check that each consumer lists the job's operation, without which it does no task of it.

    job-controller can add a dump to a job of another kind, often to the initial sync. The
    dump-file-publisher then needs that job's operation too.
    """
    for job in stack.assignments():
        kinds = {job.plan.kind} | ({JobKind.DUMP} if _adds_dump(stack, job) else set())
        for kind in sorted(kinds, key=list(JobKind).index):
            consumers = stack.consumers(kind)
            task = job.plan.task_operation if kind is job.plan.kind else None
            if consumers and (task is None or task in {one.tasks[kind] for one in consumers}):
                yield _key(stack, job, kind, consumers)


def _adds_dump(stack: StackConfiguration, job: Assignment) -> bool:
    tasks = {task for one in stack.controllers for task in one.tasks.get(job.operation, ())}
    return any(one.tasks[JobKind.DUMP] in tasks for one in stack.publishers)


def _key(
    stack: StackConfiguration, job: Assignment, kind: JobKind, consumers: tuple[Consumer, ...]
) -> Result:
    places = {key: one.file for one in consumers for key in one.listed[kind] if key}
    if job.operation in places:
        return Right(places[job.operation], "lists the job operation", str(job))
    problem = f"the job operation of the {job} is not listed, so its {kind.value} task is not done"
    absent = Finding(consumers[0].file, job.operation, problem, "add it with its settings")
    return _spelled(stack, job, absent, places)


def _spelled(
    stack: StackConfiguration, job: Assignment, absent: Finding, places: Mapping[str, str]
) -> Finding:
    """Return the finding that an operation is absent, or that it is there in another spelling.

    `places` has the file of each operation that the neighbour knows. One that belongs to another
    job of this service is not meant.
    """
    ours = {one.operation for one in stack.assignments()}
    close = similar(job.operation, [known for known in places if known not in ours])
    if close is None:
        return absent
    problem = f"differs in spelling from the job operation of the {job}"
    fix = f"write {job.operation}, or change it in {job.place}"
    return replace(absent, file=places[close], value=close, problem=problem, fix=fix)
