"""What the queries of the service answer, with the same rules as `sparql.answers`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any

from jobs.clock import EARLIEST
from jobs.model import SERVICE, Job, JobKind, Status, Stream, StreamState, Task
from jobs.store import CurrentJobs, Inspection, JobWithoutTask, TaskWithoutJob
from sparql.queries import MAX_DELETED
from sparql.terms import is_iri
from tests.simulation.triples import Properties, Triples

ACTIVE = ("busy", "scheduled")
STATUSES = {status.value: status for status in Status}
MAX_ROWS = 5000
FEW = 10
GRAPH = "http://mu.semte.ch/graphs/jobs"


def find_job(triples: Triples, uri: str) -> Job | None:
    """Return a job that a query finds: it has a type, an operation and a status."""
    known = triples.jobs.get(uri)
    if known:
        return known
    properties = triples.subjects.get(uri, {})
    if not (triples.is_job(uri) and properties.get("status") and properties.get("operation")):
        return None
    job = Job(
        uri=uri,
        operation=properties["operation"][0],
        status=_prevailing(properties),
        created=_date(properties, "created"),
        modified=_newest(properties),
        tasks=tuple(_tasks(triples, uri)),
    )
    triples.jobs[uri] = job
    return job


def state(triples: Triples, stream: Stream, known: Sequence[str]) -> StreamState:
    initial_sync = stream.plan(JobKind.INITIAL_SYNC).job_operation
    active_ones = _by_age(triples, _active(triples, stream.operations))
    synced = _by_age(triples, triples.by_status.get((initial_sync or "", "success"), ()))
    named = [job for job in find(triples, known) if job.operation in stream.operations]
    return StreamState(active=active_ones, synced=synced, recent=(*active_ones, *synced, *named))


def one_successful(triples: Triples, operation: str) -> tuple[Job, ...]:
    return _by_age(triples, list(triples.by_status.get((operation, "success"), ()))[:1])


def active(triples: Triples, operations: Sequence[str]) -> tuple[Job, ...]:
    return _by_age(triples, _active(triples, operations))[:MAX_ROWS]


def recent(triples: Triples, operations: Sequence[str], since: datetime) -> tuple[Job, ...]:
    return _by_age(triples, _since(triples, operations, since))[::-1][:MAX_ROWS]


def current(triples: Triples, operations: Sequence[str], since: datetime) -> CurrentJobs:
    uris = [*_active(triples, operations), *_since(triples, operations, since)]
    jobs = tuple(replace(job, tasks=()) for job in _by_age(triples, uris))
    return CurrentJobs(jobs, complete=True)


def newest(triples: Triples, operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
    found: dict[tuple[str, bool], tuple[datetime, str, str]] = {}
    for operation in operations:
        for date, uri in triples.by_date.get(operation, ()):
            if date <= until:
                for status in triples.values(uri, "status"):
                    found[operation, status == "success"] = (date, uri, status)
    jobs = {
        Job(uri=uri, operation=key[0], status=STATUSES.get(status), created=_plausible(date))
        for key, (date, uri, status) in found.items()
    }
    return tuple(sorted(jobs, key=lambda job: (job.created or EARLIEST, job.uri)))


def find(triples: Triples, uris: Sequence[str]) -> tuple[Job, ...]:
    return _by_age(triples, [uri for uri in uris if is_iri(uri)])


def of_operations(triples: Triples, operations: Sequence[str]) -> tuple[Job, ...]:
    return _by_age(
        triples, [uri for one in operations for uri in triples.by_operation.get(one, ())]
    )


def some_of(triples: Triples, operations: Sequence[str]) -> tuple[Job, ...]:
    found = [list(triples.by_operation.get(one, ()))[:FEW] for one in operations]
    return _by_age(triples, [uri for uris in found for uri in uris])


def in_use(triples: Triples, operations: Sequence[str]) -> frozenset[str]:
    return frozenset(one for one in operations if triples.by_operation.get(one))


def inspect(
    triples: Triples,
    operations: Sequence[str],
    task_operations: Sequence[str],
    known: Sequence[str],
) -> Inspection:
    return Inspection(
        jobs_without_task=_jobs_without_task(triples, operations),
        tasks_without_job=_tasks_without_job(triples, task_operations),
        duplicates=_duplicates(triples, operations, known),
    )


def _jobs_without_task(triples: Triples, operations: Sequence[str]) -> tuple[JobWithoutTask, ...]:
    found = []
    for uri in _own_active(triples, operations):
        job = find_job(triples, uri)
        if job and is_iri(uri) and not triples.tasks.get(uri):
            (graph,), (job_id,) = triples.values(uri, "graph"), triples.values(uri, "uuid")
            found.append(JobWithoutTask(job, graph, job_id))
    return tuple(sorted(found, key=lambda one: one.job.uri))


def _duplicates(
    triples: Triples, operations: Sequence[str], known: Sequence[str]
) -> tuple[str, ...]:
    """Return this service's jobs and tasks with a property twice, active or known ones."""
    found = []
    for uri in triples.duplicates:
        owners = triples.values(uri, "job") or [uri]
        own = any(
            SERVICE in triples.values(owner, "creator")
            and any(one in operations for one in triples.values(owner, "operation"))
            for owner in owners
        )
        seen = triples.active(uri) or any(
            triples.active(owner) or owner in known for owner in owners
        )
        if own and seen:
            found.append(uri)
    return tuple(sorted(found))


def deletable(triples: Triples, operation: str) -> tuple[Job, ...]:
    uris = sorted(uri for uri in triples.by_operation.get(operation, ()) if is_iri(uri))
    return tuple(
        Job(uri=uri, operation=operation, status=_prevailing(triples.subjects[uri]))
        for uri in uris[:MAX_DELETED]
        if triples.is_job(uri)
    )


def undeletable(triples: Triples, operation: str) -> tuple[Job, ...]:
    uris = sorted(uri for uri in triples.by_operation.get(operation, ()) if not is_iri(uri))
    return tuple(
        Job(uri=uri, operation=operation, status=_prevailing(triples.subjects[uri]), graph=GRAPH)
        for uri in uris
        if triples.is_job(uri)
    )


def _tasks_without_job(triples: Triples, operations: Sequence[str]) -> tuple[TaskWithoutJob, ...]:
    found = []
    for operation in operations:
        for uri in triples.by_status.get((operation, "scheduled"), ()):
            jobs = triples.values(uri, "job")
            if jobs and not triples.is_job(jobs[0]):
                found.append(TaskWithoutJob(uri, jobs[0]))
    return tuple(sorted(found, key=lambda one: one.task))


def _own_active(triples: Triples, operations: Sequence[str]) -> Iterator[str]:
    for uri in _active(triples, operations):
        if SERVICE in triples.values(uri, "creator"):
            yield uri


def _active(triples: Triples, operations: Iterable[str]) -> Iterator[str]:
    for operation in operations:
        for status in ACTIVE:
            yield from triples.by_status.get((operation, status), ())


def _since(triples: Triples, operations: Iterable[str], since: datetime) -> Iterator[str]:
    for operation in operations:
        dated = triples.by_date.get(operation, [])
        for index in range(bisect_left(dated, (since, "")), len(dated)):
            yield dated[index][1]


def _by_age(triples: Triples, uris: Iterable[str]) -> tuple[Job, ...]:
    jobs = [job for uri in dict.fromkeys(uris) if (job := find_job(triples, uri))]
    if len(jobs) > 1:
        jobs.sort(key=lambda job: (job.created or EARLIEST, job.uri))
    return tuple(jobs)


def _tasks(triples: Triples, job: str) -> Iterator[Task]:
    for uri in triples.tasks.get(job, ()):
        properties = triples.subjects[uri]
        if "status" in properties:
            operations = properties.get("operation")
            yield Task(
                uri=uri,
                status=_prevailing(properties),
                operation=operations[0] if operations else None,
                created=_date(properties, "created"),
                modified=_newest(properties),
            )


def _prevailing(properties: Properties) -> Status | None:
    statuses = properties.get("status", [])
    active_ones = [one for one in statuses if one in ACTIVE]
    return STATUSES.get(next(iter(active_ones or statuses), ""))


def _date(properties: Properties, name: str) -> datetime | None:
    values: list[Any] = properties.get(name, [])
    return _plausible(values[0]) if values else None


def _newest(properties: Properties) -> datetime | None:
    dates = [_plausible(value) for value in properties.get("modified", ())]
    return max(filter(None, dates), default=None)


def _plausible(date: datetime) -> datetime | None:
    return None if date.year in (MINYEAR, MAXYEAR) else date
