"""Every statement sent to the store, as a template; `answers` reads what comes back.

Templates are SPARQL to the eye; `terms.fill` accepts nothing but terms. Reads look in every graph,
since a stack may keep the jobs of one stream in several; writes name the jobs graph.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from jobs.model import ACTIVE, JobKind, Status
from sparql.terms import NOTHING, Term, TermError, date_time, fill, iri, listed, row, rows, string
from sparql.vocabulary import ERROR_SUBJECT, PREFIXES, SERVICE, STATUS_BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.model import ErrorResource, Job, NewJob, Stream


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

_TASKS = """\
  OPTIONAL {
    GRAPH ?taskGraph {
      ?task dct:isPartOf ?job ;
        adms:status ?taskStatus .
      OPTIONAL { ?task task:operation ?taskOperation . }
      OPTIONAL { ?task dct:created ?taskCreated . }
      OPTIONAL { ?task dct:modified ?taskModified . }
    }
  }
"""
_JOB_VARIABLES = (
    "?job ?operation ?status ?created ?modified "
    "?task ?taskStatus ?taskOperation ?taskCreated ?taskModified"
)

# One read, so that a job can't change its status between two of them. Each branch begins with a
# status: with 20,000 finished jobs this takes some 20 ms on Virtuoso and 2 ms on Oxigraph, while
# one VALUES of pairs takes up to seconds where Virtuoso first saw the query on a small store.
STREAM_STATE = _statement(
    f"""\
SELECT DISTINCT {_JOB_VARIABLES}
WHERE {{
  {{
    GRAPH ?graph {{
      ?job adms:status $busy ;
        task:operation ?operation ;
        a cogs:Job .
      FILTER (?operation IN ($operations))
    }}
    BIND ($busy AS ?status)
  }} UNION {{
    GRAPH ?graph {{
      ?job adms:status $scheduled ;
        task:operation ?operation ;
        a cogs:Job .
      FILTER (?operation IN ($operations))
    }}
    BIND ($scheduled AS ?status)
  }}$synced$healed$recent
  OPTIONAL {{ GRAPH ?graph {{ ?job dct:created ?created . }} }}
  OPTIONAL {{ GRAPH ?graph {{ ?job dct:modified ?modified . }} }}
{_TASKS}}}
ORDER BY ?created ?job ?task$limit"""
)
MOST_ROWS = 5000  # of one answer about all streams; Virtuoso cuts at 10,000 where nobody said more
MOST_RECENT = 3000  # rows of the last day; 5,000 take Virtuoso a second
LIMIT = Term(f"\nLIMIT {MOST_ROWS}")
SYNCED = Template(""" UNION {
    GRAPH ?graph {
      ?job task:operation $operation ;
        adms:status $success ;
        a cogs:Job .
    }
    BIND ($operation AS ?operation)
    BIND ($success AS ?status)
  }""")
# One is enough, and there may be thousands.
HEALED = Template(""" UNION {
    SELECT ?job ?graph ?operation ?status
    WHERE {
      GRAPH ?graph {
        ?job task:operation $operation ;
          adms:status $success ;
          a cogs:Job .
      }
      BIND ($operation AS ?operation)
      BIND ($success AS ?status)
    }
    LIMIT 1
  }""")
RECENT = Template(""" UNION {
    GRAPH ?graph {
      ?job task:operation ?operation ;
        dct:created ?date ;
        adms:status ?status ;
        a cogs:Job .
      FILTER (?operation IN ($operations) && ?date >= $since)
    }
  }""")

FIND_JOBS = _statement(
    f"""\
SELECT DISTINCT {_JOB_VARIABLES}
WHERE {{
  VALUES ?job {{
    $jobs
  }}
  GRAPH ?graph {{
    ?job a cogs:Job ;
      task:operation ?operation ;
      adms:status ?status .
    OPTIONAL {{ ?job dct:created ?created . }}
    OPTIONAL {{ ?job dct:modified ?modified . }}
  }}
{_TASKS}}}
ORDER BY ?created ?job ?task"""
)

# One row for each operation and status that has a job; other services' statuses, too. The job goes
# with its date through the MAX: to join the jobs of the newest dates takes Virtuoso a minute where
# there are 10,000. A list, since VALUES of 150 operations takes Oxigraph 20 times as long.
# Jobs first, then what is said of them: a Virtuoso that first saw the query on a small store takes
# a fifth of the time so, when there are thousands, and any other store as long as without.
NEWEST_JOBS = _statement("""\
SELECT ?operation ?status (MAX(?dated) AS ?newest)
WHERE {
  {
    SELECT ?graph ?job ?operation
    WHERE {
      GRAPH ?graph {
        ?job task:operation ?operation ;
          a cogs:Job .
        FILTER (?operation IN ($operations))
      }
    }
  }
  GRAPH ?graph {
    ?job adms:status ?status ;
      dct:created ?created .
    FILTER (?created <= $until)
  }
  BIND (CONCAT(STR(?created), " ", STR(?job)) AS ?dated)
}
GROUP BY ?operation ?status""")

# The newest first: where there are too many, the oldest are left out.
RECENT_JOBS = _statement(
    f"""\
SELECT DISTINCT {_JOB_VARIABLES}
WHERE {{
  {{
    SELECT ?graph ?job ?operation
    WHERE {{
      GRAPH ?graph {{
        ?job task:operation ?operation ;
          a cogs:Job .
        FILTER (?operation IN ($operations))
      }}
    }}
  }}
  GRAPH ?graph {{
    ?job adms:status ?status ;
      dct:created ?created .
    FILTER (?created >= $since)
  }}
  OPTIONAL {{ GRAPH ?graph {{ ?job dct:modified ?modified . }} }}
{_TASKS}}}
ORDER BY DESC(?created) ?job ?task
LIMIT {MOST_RECENT}"""
)

HALF_JOBS = _statement("""\
SELECT DISTINCT ?job ?operation ?status ?created ?graph ?id
WHERE {
  VALUES ?operation {
    $operations
  }
  VALUES ?status {
    $active
  }
  GRAPH ?graph {
    ?job a cogs:Job ;
      task:operation ?operation ;
      adms:status ?status ;
      dct:creator $creator ;
      mu:uuid ?id .
    OPTIONAL { ?job dct:created ?created . }
  }
  FILTER NOT EXISTS { GRAPH ?taskGraph { ?task dct:isPartOf ?job . } }
}
ORDER BY ?job""")

ADD_TASK = _statement("""\
INSERT {
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
}
WHERE {
  VALUES ?status {
    $active
  }
  GRAPH $graph {
    $job a cogs:Job ;
      adms:status ?status .
  }
  FILTER NOT EXISTS { GRAPH ?taskGraph { ?task dct:isPartOf $job . } }
}""")

# Jobs and tasks that carry two values where readers break on a second one.
DOUBLED_JOBS = _statement("""\
SELECT DISTINCT ?subject
WHERE {
  VALUES ?operation {
    $operations
  }
  VALUES ?active {
    $active
  }
  VALUES ?property { adms:status dct:created dct:modified }
  GRAPH ?graph {
    ?subject a cogs:Job ;
      task:operation ?operation ;
      dct:creator $creator ;
      adms:status ?active ;
      ?property ?one , ?other .
  }
  FILTER (?one != ?other)
}
ORDER BY ?subject""")
DOUBLED_TASKS = _statement("""\
SELECT DISTINCT ?subject
WHERE {
  VALUES ?operation {
    $operations
  }
  VALUES ?active {
    $active
  }
  VALUES ?property { adms:status dct:created dct:modified }
  GRAPH ?jobGraph {
    ?job a cogs:Job ;
      task:operation ?operation ;
      dct:creator $creator .
  }
  GRAPH ?graph {
    ?subject dct:isPartOf ?job ;
      adms:status ?active ;
      ?property ?one , ?other .
  }
  FILTER (?one != ?other)
}
ORDER BY ?subject""")

# Each operation removes what it sees a better value of: the earliest date of creation, the latest
# of modification and the most advanced status stay, whatever happens in between.
MEND_DOUBLED = _statement("""\
DELETE {
  GRAPH ?graph { ?subject dct:created ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject dct:created ?value , ?better . }
  FILTER (?better < ?value)
} ;
DELETE {
  GRAPH ?graph { ?subject dct:modified ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject dct:modified ?value , ?better . }
  FILTER (?better > ?value)
} ;
DELETE {
  GRAPH ?graph { ?subject adms:status ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  VALUES (?value ?better) {
    $advances
  }
  GRAPH ?graph { ?subject adms:status ?value , ?better . }
}""")

RECORDED = _statement("""\
SELECT ?error ?created
WHERE {
  VALUES ?error {
    $errors
  }
  GRAPH ?graph {
    ?error a oslc:Error ;
      dct:created ?created .
  }
}""")

# Bound to the state that was seen: what has finished since stays as it is, and so does a job that
# got another task.
END_JOB = _statement("""\
DELETE {
  GRAPH ?graph {
    ?subject adms:status ?status ;
      dct:modified ?modified .
  }
}
INSERT {
  GRAPH ?graph {
    ?subject adms:status $ended ;
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
  FILTER NOT EXISTS {
    GRAPH ?taskGraph {
      ?other dct:isPartOf $job ;
        adms:status ?otherStatus .
    }
    FILTER (?otherStatus IN ($active) && ?other NOT IN ($known))
  }
}""")

# Guarded, since two replicas may report one thing in two ways, and alerting breaks on a second
# value. VALUES gives Virtuoso the row without which it ignores FILTER NOT EXISTS.
RECORD_ERROR = _statement("""\
INSERT {
  GRAPH $graph {
    $error a oslc:Error, deltas:Error ;
      mu:uuid $error_id ;
      dct:subject $subject ;
      oslc:message $message ;
      dct:created $created ;
      dct:creator $creator$reference .
  }
}
WHERE {
  VALUES ?once { 1 }
  FILTER NOT EXISTS { GRAPH ?graph { $error a oslc:Error . } }
}""")
REFERENCE = Template(""" ;
      dct:references $job""")

# A batch: as many jobs as one update removes. Blank nodes can't be named in one.
JOBS_OF_OPERATION = _statement("""\
SELECT DISTINCT ?job ?status
WHERE {
  GRAPH ?graph {
    ?job a cogs:Job ;
      task:operation $operation .
  }
  OPTIONAL { GRAPH ?graph { ?job adms:status ?status . } }
  FILTER (isIRI(?job))
}
ORDER BY ?job
LIMIT 1000""")

# The jobs go last: a request of which only a part was done leaves them to be found again. A list
# has to stay below the 4,094 values that Virtuoso takes. The subjects are found before their
# triples: with a BIND of ?job beside its triples Oxigraph is quadratic.
DELETE_JOBS = _statement("""\
DELETE {
  GRAPH ?graph { ?error ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    $jobs
  }
  GRAPH ?errorGraph {
    ?error dct:references ?job ;
      a oslc:Error .
  }
  GRAPH ?graph { ?error ?predicate ?object . }
} ;
DELETE {
  GRAPH ?graph { ?task ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    $jobs
  }
  GRAPH ?taskGraph {
    ?task dct:isPartOf ?job ;
      a task:Task .
  }
  GRAPH ?graph { ?task ?predicate ?object . }
} ;
DELETE {
  GRAPH ?graph { ?job ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    $jobs
  }
  GRAPH ?graph { ?job ?predicate ?object . }
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


def stream_state(stream: Stream, since: datetime | None) -> str:
    """Return the query for active jobs, those that tell a synced stream, and all jobs `since`."""
    operations = listed(iri(operation) for operation in stream.operations)
    recent = NOTHING
    if since is not None:
        recent = fill(RECENT, operations=operations, since=date_time(since))
    return fill(
        STREAM_STATE,
        operations=operations,
        busy=_status(Status.BUSY),
        scheduled=_status(Status.SCHEDULED),
        synced=_successes(SYNCED, stream, JobKind.INITIAL_SYNC),
        healed=_successes(HEALED, stream, JobKind.HEALING),
        recent=recent,
        limit=NOTHING,
    )


def _successes(branch: Template, stream: Stream, kind: JobKind) -> Term:
    """Return the branch for successful jobs of a kind; nothing where it has no operation."""
    operation = stream.plan(kind).job_operation
    if operation is None:
        return NOTHING
    return fill(branch, operation=iri(operation), success=_status(Status.SUCCESS))


def active_jobs(operations: Sequence[str]) -> str:
    """Return the query for all active jobs of many streams, the oldest rows of them."""
    return fill(
        STREAM_STATE,
        operations=listed(iri(operation) for operation in operations),
        busy=_status(Status.BUSY),
        scheduled=_status(Status.SCHEDULED),
        synced=NOTHING,
        healed=NOTHING,
        recent=NOTHING,
        limit=LIMIT,
    )


def find_jobs(jobs: Sequence[str]) -> str:
    """Return the query for these jobs."""
    return fill(FIND_JOBS, jobs=_iris(jobs))


def newest_jobs(operations: Sequence[str], until: datetime) -> str:
    """Return the query for the newest job of each operation and status, as dated up to `until`."""
    named = listed(iri(operation) for operation in operations)
    return fill(NEWEST_JOBS, operations=named, until=date_time(until))


def recent_jobs(operations: Sequence[str], since: datetime) -> str:
    """Return the query for the newest jobs of these operations, those created `since`."""
    named = listed(iri(operation) for operation in operations)
    return fill(RECENT_JOBS, operations=named, since=date_time(since))


def half_jobs(operations: Sequence[str]) -> str:
    """Return the query for this service's active jobs without a task."""
    return fill(HALF_JOBS, operations=_iris(operations), active=_ACTIVE_ROWS, creator=iri(SERVICE))


def add_task(job: NewJob) -> str:
    """Return the update that gives an active job its task, if it has none."""
    return fill(
        ADD_TASK,
        graph=iri(job.graph),
        job=iri(job.uri),
        task=iri(job.task_uri),
        task_id=string(job.task_id),
        task_status=_status(Status.SCHEDULED),
        task_operation=iri(job.task_operation),
        created=date_time(job.created),
        active=_ACTIVE_ROWS,
    )


def doubled(template: Template, operations: Sequence[str]) -> str:
    """Return the query for jobs or tasks with second values."""
    return fill(template, operations=_iris(operations), active=_ACTIVE_ROWS, creator=iri(SERVICE))


def mend_doubled(subjects: Sequence[str]) -> str:
    """Return the update that leaves one value each."""
    advances = [
        row(_status(value), _status(better))
        for value in _PROGRESS
        for better in _PROGRESS
        if _PROGRESS[value] < _PROGRESS[better]
    ]
    return fill(MEND_DOUBLED, subjects=_iris(subjects), advances=rows(advances))


def recorded(errors: Sequence[str]) -> str:
    """Return the query which of these errors are there."""
    return fill(RECORDED, errors=_iris(errors))


def end_job(job: Job, status: Status, at: datetime) -> str:
    """Return the update that ends a job and its unfinished tasks, one status and date each."""
    subjects = [iri(job.uri), *(iri(task.uri) for task in job.unfinished)]
    return fill(
        END_JOB,
        job=iri(job.uri),
        subjects=rows(subjects),
        known=listed(subjects),
        ended=_status(status),
        active=listed(_status(status) for status in ACTIVE),
        now=date_time(at),
    )


def record_error(error: ErrorResource) -> str:
    """Return the update that writes an error."""
    reference = NOTHING if error.job is None else _reference(error.job)
    return fill(
        RECORD_ERROR,
        graph=iri(error.graph),
        error=iri(error.uri),
        error_id=string(error.error_id),
        subject=string(ERROR_SUBJECT),
        message=string(error.message),
        created=date_time(error.created),
        creator=iri(error.creator),
        reference=reference,
    )


def _reference(job: str) -> Term:
    """Return the reference to a job, or nothing where its URI can't be written: a blank node."""
    try:
        return fill(REFERENCE, job=iri(job))
    except TermError:
        return NOTHING


def jobs_of_operation(operation: str) -> str:
    """Return the query for a batch of an operation's jobs."""
    return fill(JOBS_OF_OPERATION, operation=iri(operation))


def delete_jobs(jobs: Sequence[Job]) -> str:
    """Return the update that removes these jobs, their tasks and the errors that name them."""
    return fill(DELETE_JOBS, jobs=_iris([job.uri for job in jobs]))


def _iris(values: Sequence[str]) -> Term:
    return rows(iri(value) for value in values)


def _status(status: Status) -> Term:
    return iri(STATUS_BASE + status.value)


_ACTIVE_ROWS = rows(_status(status) for status in ACTIVE)
# Of two ends, that which somebody knew of goes before that which was assumed of a silent job.
_PROGRESS = {
    Status.SCHEDULED: 0,
    Status.BUSY: 1,
    Status.FAILED: 2,
    Status.CANCELED: 3,
    Status.SUCCESS: 4,
}
