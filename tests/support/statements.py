"""Every statement of the service, filled with example values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from jobs.model import Status
from jobs.store import ErrorResource
from sparql import past_queries, queries, repair_queries
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    job_of,
    new_job,
    operation,
    stream_of,
    task_of,
)

STREAM = stream_of()
DUMPS_ONLY = stream_of(unconfigured=[INITIAL_SYNC, HEALING])
OPERATIONS = STREAM.operations
MANY = [f"http://example.org/{number}" for number in range(5000)]
NEW_JOB = new_job("a")
JOB = job_of(DUMP, tasks=(task_of("1"), task_of("2", Status.SUCCESS), task_of("3", Status.BUSY)))
JOB_URIS = ("http://redpencil.data.gift/id/job/1", "http://redpencil.data.gift/id/job/2")
ERROR = ErrorResource(
    error_id="e",
    graph=STREAM.jobs_graph,
    creator=STREAM.error_creator,
    message='no "dump":\nwhy \\ ever',
    created=NOW,
)


@dataclass(frozen=True)
class Statement:
    """A file of `sparql/statements/`, and a function that fills it; `about` distinguishes two."""

    file: str
    fill: Callable[[], str]
    about: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.about}".rstrip()

    @property
    def is_update(self) -> bool:
        """Whether it is an update; otherwise it is a query."""
        return self.file.endswith(".ru")


STATEMENTS = [
    Statement("ping.rq", queries.ping),
    Statement("create_job.ru", partial(queries.create_job, NEW_JOB)),
    Statement("create_job_guarded.ru", partial(queries.create_job, NEW_JOB, guarded=True)),
    Statement("stream_states.rq", partial(queries.stream_states, [STREAM], JOB_URIS)),
    Statement("stream_states.rq", partial(queries.stream_states, [DUMPS_ONLY], []), "of one kind"),
    Statement("one_successful.rq", partial(queries.one_successful, operation(HEALING))),
    Statement("find_jobs.rq", partial(queries.find_jobs, JOB_URIS)),
    Statement("jobs_of_operations.rq", partial(queries.jobs_of_operations, OPERATIONS)),
    Statement("some_jobs.rq", partial(past_queries.some_jobs, OPERATIONS)),
    Statement("operation_in_use.rq", partial(past_queries.operations_in_use, OPERATIONS)),
    Statement("parts_of_jobs.rq", partial(queries.parts_of_jobs, JOB_URIS)),
    Statement("active_subjects.rq", partial(queries.active_subjects, OPERATIONS)),
    Statement("active_subjects.rq", partial(queries.active_subjects, MANY), "of many streams"),
    Statement("active_subjects.rq", partial(queries.active_subjects, [operation(DUMP)]), "of one"),
    Statement("current_jobs.rq", partial(queries.current_jobs, OPERATIONS, NOW)),
    Statement("recent_jobs.rq", partial(queries.recent_jobs, OPERATIONS, NOW)),
    Statement("newest_jobs.rq", partial(past_queries.newest_jobs, OPERATIONS, NOW)),
    Statement("add_task.ru", partial(repair_queries.add_task, NEW_JOB)),
    Statement(
        "repair_duplicate_values.ru", partial(repair_queries.repair_duplicate_values, JOB_URIS)
    ),
    Statement("set_status.ru", partial(queries.set_status, JOB, Status.FAILED, NOW)),
    Statement("find_errors.rq", partial(queries.find_errors, [ERROR.uri])),
    Statement("write_error.ru", partial(queries.write_error, ERROR)),
    Statement(
        "write_error.ru", partial(queries.write_error, replace(ERROR, job=JOB.uri)), "about a job"
    ),
    Statement("deletable_jobs.rq", partial(queries.deletable_jobs, operation(DUMP))),
    Statement("delete_subjects.ru", partial(queries.delete_subjects, JOB_URIS)),
    Statement(
        "delete_subjects.ru", partial(queries.delete_subjects, JOB_URIS, JOB.graph), "of a graph"
    ),
    Statement("remaining_jobs.rq", partial(queries.remaining_jobs, operation(DUMP))),
    Statement(
        "delete_tasks_without_job.ru", partial(repair_queries.delete_tasks_without_job, JOB_URIS)
    ),
]
