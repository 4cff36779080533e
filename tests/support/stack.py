"""What the other services of a stack do to jobs and tasks, and reads of the stored result.

It uses SPARQL of the tests' own, so that it shares no code with the service.
"""

from __future__ import annotations

from tests.support.servers import Endpoints, select, update

STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"
PREFIXES = """
PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
PREFIX oslc: <http://open-services.net/ns/core#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""


def set_status(store: Endpoints, uri: str, status: str) -> None:
    """Set the status of a job or task in each graph that stores it."""
    update(
        store,
        f"""{PREFIXES}
        DELETE {{ GRAPH ?g {{ <{uri}> adms:status ?old }} }}
        INSERT {{ GRAPH ?g {{ <{uri}> adms:status <{STATUS}{status}> }} }}
        WHERE {{ GRAPH ?g {{ <{uri}> adms:status ?old }} }}""",
    )


def finish(store: Endpoints, job: str, status: str = "success") -> None:
    """Set the status of the tasks and then of the job, as consumer and job-controller do."""
    for row in select(store, f"{PREFIXES} SELECT ?t {{ GRAPH ?g {{ ?t dct:isPartOf <{job}> }} }}"):
        set_status(store, row["t"], status)
    set_status(store, job, status)


def status_of(store: Endpoints, uri: str) -> list[str]:
    """Return the last segment of each status of a job or task."""
    rows = select(store, f"{PREFIXES} SELECT ?s {{ GRAPH ?g {{ <{uri}> adms:status ?s }} }}")
    return sorted(row["s"].removeprefix(STATUS) for row in rows)


def jobs(store: Endpoints, operation: str) -> list[str]:
    """Return the jobs of an operation, oldest first."""
    rows = select(
        store,
        f"""{PREFIXES} SELECT ?job {{ GRAPH ?g {{
            ?job a cogs:Job ; task:operation <{operation}> ; dct:created ?created }} }}
        ORDER BY ?created""",
    )
    return [row["job"] for row in rows]


def tasks(store: Endpoints, job: str) -> list[str]:
    """Return the tasks of a job."""
    query = f"{PREFIXES} SELECT ?t {{ GRAPH ?g {{ ?t a task:Task ; dct:isPartOf <{job}> }} }}"
    return [row["t"] for row in select(store, query)]


def errors(store: Endpoints) -> list[str]:
    """Return the messages of all errors, oldest first."""
    rows = select(
        store,
        f"""{PREFIXES} SELECT ?message {{ GRAPH ?g {{
            ?error a oslc:Error ; oslc:message ?message ; dct:created ?created }} }}
        ORDER BY ?created""",
    )
    return [row["message"] for row in rows]
