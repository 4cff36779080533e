"""The other services of a stack, played through SPARQL of the tests' own.

They set statuses as the real consumers do, and look at what is in the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers import select, update

if TYPE_CHECKING:
    from tests.servers import Endpoints

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
    """Move a job or task on to another status, wherever it is stored."""
    update(
        store,
        f"""{PREFIXES}
        DELETE {{ GRAPH ?g {{ <{uri}> adms:status ?old }} }}
        INSERT {{ GRAPH ?g {{ <{uri}> adms:status <{STATUS}{status}> }} }}
        WHERE {{ GRAPH ?g {{ <{uri}> adms:status ?old }} }}""",
    )


def finish(store: Endpoints, job: str, status: str = "success") -> None:
    """Do what consumer and job-controller do in the end: set the tasks, then the job."""
    for row in select(store, f"{PREFIXES} SELECT ?t {{ GRAPH ?g {{ ?t dct:isPartOf <{job}> }} }}"):
        set_status(store, row["t"], status)
    set_status(store, job, status)


def status_of(store: Endpoints, uri: str) -> list[str]:
    """Return every status of a job or task, by its last segment."""
    rows = select(store, f"{PREFIXES} SELECT ?s {{ GRAPH ?g {{ <{uri}> adms:status ?s }} }}")
    return sorted(row["s"].removeprefix(STATUS) for row in rows)


def jobs(store: Endpoints, operation: str) -> list[str]:
    """Return the jobs of an operation, the oldest first."""
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
    """Return the messages of all errors, the oldest first."""
    rows = select(
        store,
        f"""{PREFIXES} SELECT ?message {{ GRAPH ?g {{
            ?error a oslc:Error ; oslc:message ?message ; dct:created ?created }} }}
        ORDER BY ?created""",
    )
    return [row["message"] for row in rows]
