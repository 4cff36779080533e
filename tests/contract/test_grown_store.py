"""A Virtuoso that was asked while it was empty takes what came later for next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from jobs.model import SERVICE
from sparql.store import BoundSparqlStore
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, NOW, new_job, operation, stream_of
from tests.support.servers import Store, update
from tests.support.sparql_store import bound_store_of, inspect
from tests.support.stack import PREFIXES, STATUS
from tests.support.virtuoso import Virtuoso

JOBS = 20_000
BATCH = 500
PATIENCE = 2  # seconds; with a plan of the empty store, these reads took 3 to 6
DAY = timedelta(days=1)
NAMES = ["public", *(f"s{number}" for number in range(9))]
STREAM = stream_of()
OPERATIONS = [uri for name in NAMES for uri in stream_of(name).operations]
INITIAL_SYNCS = [operation(INITIAL_SYNC, name) for name in NAMES]
Call = Callable[[BoundSparqlStore], object]

CALLS: dict[str, Call] = {
    "state": lambda store: store.state(STREAM, [new_job("1").uri]),
    "jobs of operations": lambda store: store.of_operations(INITIAL_SYNCS),
    "active jobs": lambda store: store.active(OPERATIONS),
    "recent jobs": lambda store: store.recent(OPERATIONS, NOW - DAY),
    "current jobs": lambda store: store.current(OPERATIONS, NOW - DAY),
    "newest jobs": lambda store: store.newest(OPERATIONS, NOW),
    "some jobs": lambda store: store.some_of(OPERATIONS),
    "operations in use": lambda store: store.in_use(OPERATIONS),
    "jobs by their URI": lambda store: store.find([new_job(str(one)).uri for one in range(20)]),
    "a successful job": lambda store: store.one_successful(operation(HEALING)),
    "deletable jobs": lambda store: store.deletable_jobs(operation(DUMP)),
    "undeletable jobs": lambda store: store.undeletable_jobs(operation(DUMP)),
    "inspection": inspect,
    "repair": lambda store: store.repair([new_job("1").uri, new_job("2").uri]),
    "removal": lambda store: store.delete(store.find([new_job("3").uri])),
}


def triples(number: int) -> str:
    """Return the triples of a finished job and its task."""
    kind = HEALING if number % 2 else DUMP
    job = new_job(str(number), kind)
    created = (NOW - number * timedelta(hours=1)).isoformat()
    common = (
        f'adms:status <{STATUS}success> ; mu:uuid "{number}" ;'
        f' dct:created "{created}"^^xsd:dateTime ; dct:modified "{created}"^^xsd:dateTime'
    )
    return (
        f"<{job.uri}> a cogs:Job ; dct:creator <{SERVICE}> ;"
        f" task:operation <{job.job_operation}> ; {common} .\n"
        f"<{job.task_uri}> a task:Task ; task:operation <{job.task_operation}> ;"
        f" dct:isPartOf <{job.uri}> ; {common} .\n"
    )


@pytest.fixture(scope="module")
def grown() -> Iterator[Store]:
    """A Virtuoso to which thousands of finished jobs came after its first queries."""
    with Virtuoso() as store:
        for call in CALLS.values():
            call(bound_store_of(store))
        for start in range(0, JOBS, BATCH):
            text = "".join(map(triples, range(start, start + BATCH)))
            update(store, f"{PREFIXES} INSERT DATA {{ GRAPH <{STREAM.jobs_graph}> {{ {text} }} }}")
        yield store


@pytest.mark.virtuoso
@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_no_read_or_repair_depends_on_what_the_store_believed_when_it_was_empty(
    grown: Store, call: Call
) -> None:
    call(bound_store_of(grown, seconds=PATIENCE))
