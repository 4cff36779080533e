"""Jobs and tasks from answers that list a subject's properties.

A statement that lists them has one row for each subject and graph. Its `?facts` has a line for each
triple, with property and value. So an answer is small, and no store can join properties in a wrong
order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from jobs.clock import EARLIEST
from jobs.model import ACTIVE, Job, Status, Task
from jobs.store import CurrentJobs
from sparql.answers import Binding, filled, known_status, parse_date, required
from sparql.vocabulary import ERROR_CLASS, JOB_CLASS, PROPERTIES, TASK_CLASS

Subjects: TypeAlias = Mapping[str, "Subject"]


@dataclass(frozen=True)
class Subject:
    """What a subject has of the properties that count, each with all its values, in each graph."""

    uri: str
    graphs: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def all(self, name: str) -> Sequence[str]:
        """Return the values of a property in all graphs, without repetition."""
        found = (value for values in self.graphs.values() for value in values.get(name, ()))
        return list(dict.fromkeys(found))

    def first(self, name: str) -> str | None:
        """Return a value of a property that should have one."""
        return next(iter(self.all(name)), None)

    def dates(self, name: str) -> Iterator[datetime]:
        """Yield the dates of a property that can be read."""
        return _dates(self.all(name))

    @property
    def status(self) -> Status | None:
        """One status of two or more: an active one, if there is any."""
        statuses = [known_status(text) for text in self.all("status")]
        active = [status for status in statuses if status in ACTIVE]
        return next(iter(active or statuses), None)

    @property
    def graph(self) -> str:
        """The graph of the copy that counts: one with an active status, if there is any."""
        active = [
            graph
            for graph, values in self.graphs.items()
            if any(known_status(text) in ACTIVE for text in values.get("status", ()))
        ]
        return min(active or self.graphs)

    @property
    def is_job(self) -> bool:
        """Whether it is a job, though it may have no status."""
        return JOB_CLASS in self.all("type")

    @property
    def is_task(self) -> bool:
        """Whether it is a task of a job."""
        return TASK_CLASS in self.all("type") and bool(self.all("job"))

    @property
    def is_error(self) -> bool:
        """Whether it is an error."""
        return ERROR_CLASS in self.all("type")

    @property
    def has_duplicate_values(self) -> bool:
        """Whether it has two statuses or dates in one graph, of which one can be chosen."""
        return any(map(_has_duplicates, self.graphs.values()))


def _has_duplicates(values: Mapping[str, Sequence[str]]) -> bool:
    statuses = set(map(known_status, values.get("status", ()))) - {None}
    created, modified = (set(_dates(values.get(name, ()))) for name in ("created", "modified"))
    return max(len(statuses), len(created), len(modified)) > 1


def _dates(texts: Iterable[str]) -> Iterator[datetime]:
    return filter(None, map(parse_date, texts))


def parse_subjects(bindings: Iterable[Binding]) -> Subjects:
    """Return what an answer lists; the rows of one subject, one for each graph, become one."""
    subjects: dict[str, Subject] = {}
    for binding in filled(bindings):
        uri = required(binding, "subject")
        subject = subjects.setdefault(uri, Subject(uri))
        values = subject.graphs.setdefault(required(binding, "graph"), {})
        for line in required(binding, "facts").split("\n"):
            _add(values, line)
    return subjects


def parse_values(bindings: Iterable[Binding]) -> Subjects:
    """Return what an answer lists that has a row for each combination of values, in its order.

    The values are named as in `PROPERTIES`, and belong to no graph.
    """
    subjects: dict[str, Subject] = {}
    for binding in filled(bindings):
        uri = required(binding, "subject")
        values = subjects.setdefault(uri, Subject(uri, {"": {}})).graphs[""]
        for name in binding.keys() - {"subject"}:
            values.setdefault(name, []).append(binding[name])
    return subjects


def _add(values: dict[str, list[str]], line: str) -> None:
    """Add a property with its value; a line of a longer text is no property that counts."""
    property_, _, value = line.partition(" ")
    if name := PROPERTIES.get(property_):
        values.setdefault(name, []).append(value)


def jobs_of(subjects: Subjects, operations: Collection[str] | None = None) -> tuple[Job, ...]:
    """Return the jobs with one of these operations, or with any, the oldest first.

    A job with two statuses counts as active if one of them is active: it may still run. A job with
    two operations counts under each of them, as a job of its own.
    """
    tasks = _tasks_by_job(subjects)
    jobs = [
        _job(subject, operation, tasks.get(subject.uri, []))
        for subject in subjects.values()
        if subject.is_job and subject.all("status")
        for operation in subject.all("operation")
        if operations is None or operation in operations
    ]
    return _by_age(jobs)


def all_jobs_of(subjects: Subjects, operation: str) -> tuple[Job, ...]:
    """Return the jobs of an operation, those without a status too, the oldest first."""
    jobs = [
        _job(subject, operation, ())
        for subject in subjects.values()
        if subject.is_job and operation in subject.all("operation")
    ]
    return _by_age(jobs)


def current_jobs_of(subjects: Subjects, operations: Collection[str], max_rows: int) -> CurrentJobs:
    """Return the jobs of an answer of at most `max_rows` rows, in which active jobs come first."""
    jobs = jobs_of(subjects, operations)
    complete = rows_of(subjects) < max_rows or not all(job.active for job in jobs)
    return CurrentJobs(jobs, complete=complete)


def _by_age(jobs: Iterable[Job]) -> tuple[Job, ...]:
    return tuple(sorted(jobs, key=lambda job: (job.created or EARLIEST, job.uri)))


def rows_of(subjects: Subjects) -> int:
    """Return how many rows an answer had."""
    return sum(len(subject.graphs) for subject in subjects.values())


def _job(subject: Subject, operation: str, tasks: Sequence[Task]) -> Job:
    return Job(
        uri=subject.uri,
        operation=operation,
        status=subject.status,
        created=min(subject.dates("created"), default=None),
        modified=max(subject.dates("modified"), default=None),
        tasks=tuple(sorted(tasks, key=lambda task: task.uri)),
        graph=subject.graph,
    )


def _tasks_by_job(subjects: Subjects) -> Mapping[str, list[Task]]:
    """Return the tasks among the subjects; one without a status counts as none."""
    tasks: dict[str, list[Task]] = {}
    for subject in subjects.values():
        for job in subject.all("job") if subject.all("status") else ():
            tasks.setdefault(job, []).append(_task(subject))
    return tasks


def _task(subject: Subject) -> Task:
    return Task(
        uri=subject.uri,
        status=subject.status,
        operation=subject.first("operation"),
        index=subject.first("index"),
        created=min(subject.dates("created"), default=None),
        modified=max(subject.dates("modified"), default=None),
    )
