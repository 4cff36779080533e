"""Every statement sent to the store, as a template, and every answer read from it, as values.

Templates are SPARQL to the eye; `fill` accepts nothing but terms. Reads look in every graph, since
a stack may keep the jobs of one stream in several; writes name the jobs graph.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING, Any, TypeAlias

from dateutil.parser import isoparse
from dateutil.tz import UTC

from jobs.model import ACTIVE, Job, JobKind, Status, StreamState, Task
from sparql.terms import Term, date_time, iri, row, rows, string
from sparql.vocabulary import ERROR_SUBJECT, PREFIXES, SERVICE, STATUS_BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, NewJob, Stream

Binding: TypeAlias = dict[str, str]


class AnswerError(ValueError):
    """The store's answer is not what was asked for; the message names the variable or member."""


def fill(template: Template, **terms: Term) -> str:
    """Return the statement with `terms` in their places."""
    return template.substitute(terms)


def _statement(body: str) -> Template:
    """Return a template with the prefixes that its body uses, at the head of the request.

    Oxigraph takes them nowhere else; and whoever reads the log wants no others.
    """
    lines = [f"PREFIX {name}: <{base}>" for name, base in PREFIXES.items() if f" {name}:" in body]
    return Template("\n".join([*lines, body]))


# Not an ASK: Virtuoso answers that with rows of its own making.
PING = "SELECT ?graph WHERE { GRAPH ?graph { ?subject ?predicate ?object } } LIMIT 1"

# The two operations of one request: they reach the consumers in this order, the job first.
CREATE_JOB = _statement("""\
INSERT DATA {
  GRAPH $graph {
    $job a cogs:Job ;
      mu:uuid $job_id ;
      dct:creator $creator ;
      adms:status $job_status ;
      dct:created $created ;
      dct:modified $created ;
      task:operation $job_operation .
  }
} ;
INSERT DATA {
  GRAPH $graph {
    $task a task:Task ;
      mu:uuid $task_id ;
      adms:status $task_status ;
      dct:created $created ;
      dct:modified $created ;
      task:operation $task_operation ;
      task:index "0" ;
      dct:isPartOf $job .
  }
}""")

# One read, so that a job can't change its status between two of them.
STREAM_STATE = _statement("""\
SELECT DISTINCT ?job ?operation ?status ?created ?modified ?task ?taskStatus ?taskModified
WHERE {
  VALUES (?operation ?status) {
    $wanted
  }
  GRAPH ?graph {
    ?job a cogs:Job ;
      task:operation ?operation ;
      adms:status ?status .
    OPTIONAL { ?job dct:created ?created . }
    OPTIONAL { ?job dct:modified ?modified . }
  }
  OPTIONAL {
    GRAPH ?taskGraph {
      ?task dct:isPartOf ?job ;
        adms:status ?taskStatus .
      OPTIONAL { ?task dct:modified ?taskModified . }
    }
  }
}
ORDER BY ?created ?job ?task""")

# Bound to the state it saw: what has finished in the meantime stays as it is.
FAIL_JOB = _statement("""\
DELETE {
  GRAPH ?graph {
    ?subject adms:status ?status ;
      dct:modified ?modified .
  }
}
INSERT {
  GRAPH ?graph {
    ?subject adms:status $failed ;
      dct:modified $now .
  }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph {
    ?subject adms:status ?status .
    OPTIONAL { ?subject dct:modified ?modified . }
  }
  FILTER (?status IN ($active))
}""")

RECORD_ERROR = _statement("""\
INSERT DATA {
  GRAPH $graph {
    $error a oslc:Error, deltas:Error ;
      mu:uuid $error_id ;
      dct:subject $subject ;
      oslc:message $message ;
      dct:created $created ;
      dct:creator $creator$reference .
  }
}""")

JOBS_OF_OPERATION = _statement("""\
SELECT DISTINCT ?job
WHERE {
  GRAPH ?graph {
    ?job a cogs:Job ;
      task:operation $operation .
  }
}
ORDER BY ?job""")

# The tasks first: a job that is gone no longer tells which tasks were its own.
DELETE_JOBS = _statement("""\
DELETE {
  GRAPH ?graph {
    ?task ?predicate ?object .
  }
}
WHERE {
  VALUES ?job {
    $jobs
  }
  GRAPH ?taskGraph {
    ?task a task:Task ;
      dct:isPartOf ?job .
  }
  GRAPH ?graph {
    ?task ?predicate ?object .
  }
} ;
DELETE {
  GRAPH ?graph {
    ?job ?predicate ?object .
  }
}
WHERE {
  VALUES ?job {
    $jobs
  }
  GRAPH ?graph {
    ?job ?predicate ?object .
  }
}""")


def create_job(job: NewJob) -> str:
    """Return the one update request that writes a job and its task."""
    return fill(
        CREATE_JOB,
        graph=iri(job.graph),
        job=iri(job.uri),
        job_id=string(job.job_id),
        creator=iri(SERVICE),
        job_status=_status(Status.BUSY),
        job_operation=iri(job.job_operation),
        task=iri(job.task_uri),
        task_id=string(job.task_id),
        task_status=_status(Status.SCHEDULED),
        task_operation=iri(job.task_operation),
        created=date_time(job.created),
    )


def stream_state(stream: Stream) -> str:
    """Return the query for the stream's active jobs and its successful initial syncs."""
    wanted = [(operation, status) for operation in stream.operations for status in ACTIVE]
    initial_sync = stream.plan(JobKind.INITIAL_SYNC).job_operation
    if initial_sync is not None:
        wanted.append((initial_sync, Status.SUCCESS))
    pairs = [row(iri(operation), _status(status)) for operation, status in wanted]
    return fill(STREAM_STATE, wanted=rows(pairs))


def fail_job(job: Job, at: datetime) -> str:
    """Return the update that fails a job and its unfinished tasks, one status and date each."""
    return fill(
        FAIL_JOB,
        subjects=rows([iri(job.uri), *(iri(task.uri) for task in job.unfinished)]),
        failed=_status(Status.FAILED),
        active=Term(", ".join(_status(status) for status in ACTIVE)),
        now=date_time(at),
    )


def record_error(error: ErrorResource) -> str:
    """Return the update that writes an error."""
    reference = "" if error.job is None else f" ;\n      dct:references {iri(error.job)}"
    return fill(
        RECORD_ERROR,
        graph=iri(error.graph),
        error=iri(error.uri),
        error_id=string(error.error_id),
        subject=string(ERROR_SUBJECT),
        message=string(error.message),
        created=date_time(error.created),
        creator=iri(error.creator),
        reference=Term(reference),
    )


def jobs_of_operation(operation: str) -> str:
    """Return the query for all jobs of an operation."""
    return fill(JOBS_OF_OPERATION, operation=iri(operation))


def delete_jobs(jobs: Sequence[str]) -> str:
    """Return the update that removes jobs and their tasks."""
    return fill(DELETE_JOBS, jobs=rows(iri(job) for job in jobs))


def parse_bindings(answer: Any) -> list[Binding]:
    """Return the rows of a SELECT's JSON answer; raise `AnswerError` where it is something else."""
    try:
        return [
            {name: term["value"] for name, term in binding.items()}
            for binding in answer["results"]["bindings"]
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise AnswerError(f"not the JSON of a SELECT: {error!r}") from error


def parse_state(bindings: Sequence[Binding]) -> StreamState:
    """Return the stream's state; several rows of one job (one a task) become one `Job`.

    A job that carries two statuses counts as active if one of them is: it may still run.
    """
    by_job: dict[str, list[Binding]] = {}
    for binding in bindings:
        by_job.setdefault(_required(binding, "job"), []).append(binding)
    jobs = [_parse_job(uri, group) for uri, group in by_job.items()]
    return StreamState(
        active=tuple(job for job in jobs if job.active),
        synced=tuple(job for job in jobs if not job.active),
    )


def parse_uris(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Return the job URIs that `jobs_of_operation` asked for."""
    return tuple(_required(binding, "job") for binding in bindings)


def _parse_job(uri: str, group: list[Binding]) -> Job:
    statuses = [_known_status(_required(binding, "status")) for binding in group]
    active = next((status for status in statuses if status in ACTIVE), None)
    status = active or statuses[0]
    if status is None:
        raise AnswerError(f"?status of {uri} is none of those asked for")
    return Job(
        uri=uri,
        operation=_required(group[0], "operation"),
        status=status,
        created=_parse_date(group[0], "created"),
        modified=_newest(group, "modified"),
        tasks=_parse_tasks(group),
    )


def _parse_tasks(group: list[Binding]) -> tuple[Task, ...]:
    by_task: dict[str, list[Binding]] = {}
    for binding in group:
        if "task" in binding:
            by_task.setdefault(binding["task"], []).append(binding)
    return tuple(
        Task(
            uri=uri,
            status=_known_status(_required(rows_of_task[0], "taskStatus")),
            modified=_newest(rows_of_task, "taskModified"),
        )
        for uri, rows_of_task in by_task.items()
    )


def _newest(group: list[Binding], variable: str) -> datetime | None:
    dates = [_parse_date(binding, variable) for binding in group]
    return max(filter(None, dates), default=None)


def _parse_date(binding: Binding, variable: str) -> datetime | None:
    """Read a timestamp as other services write it; one without a zone is in UTC, as theirs are."""
    text = binding.get(variable)
    if text is None:
        return None
    try:
        instant = isoparse(text)
    except ValueError as error:
        raise AnswerError(f"?{variable} is no date and time: {text!r}") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _required(binding: Binding, variable: str) -> str:
    if variable not in binding:
        raise AnswerError(f"?{variable} is missing")
    return binding[variable]


def _status(status: Status) -> Term:
    return iri(STATUS_BASE + status.value)


def _known_status(text: str) -> Status | None:
    name = text.removeprefix(STATUS_BASE)
    return next((status for status in Status if status.value == name), None)
