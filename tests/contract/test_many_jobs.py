"""A stack that ran for years: what a person or a tick waits for stays short."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from jobs.store import Deadline
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests import stack
from tests.builders import DUMP, HEALING, INITIAL_SYNC, operation, stream_of
from tests.servers import Store, select, update

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAPH = "http://mu.semte.ch/graphs/system/jobs"
OLD_JOBS = 5_000
BATCH = 500
STREAM = stream_of()


@pytest.fixture
def store(triplestore: Store) -> SparqlJobStore:
    client = SparqlClient(
        query_url=triplestore.endpoint,
        update_url=triplestore.update_endpoint,
        new_call_id=lambda: "call",
    )
    return SparqlJobStore(client)


def within(seconds: float) -> Deadline:
    return Deadline.after(seconds, time.monotonic)


def job_text(name: str, operation_of_job: str, status: str) -> str:
    """Return the Turtle of a job with its task."""
    common = (
        f'adms:status <{stack.STATUS}{status}> ; mu:uuid "{name}" ; task:operation '
        f'<{operation_of_job}> ; dct:created "2024-01-06T06:00:00.000Z"^^xsd:dateTime'
    )
    return (
        f"<urn:job:{name}> a cogs:Job ; {common} . "
        f"<urn:task:{name}> a task:Task ; {common} ; dct:isPartOf <urn:job:{name}> .\n"
    )


def put(triplestore: Store, texts: Iterable[str]) -> None:
    text = "".join(texts)
    update(triplestore, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{GRAPH}> {{ {text} }} }}")


def test_thousands_of_finished_jobs_slow_nobody_down(
    triplestore: Store, store: SparqlJobStore
) -> None:
    dump, healing, sync = operation(DUMP), operation(HEALING), operation(INITIAL_SYNC)
    put(triplestore, [job_text("sync", sync, "success"), job_text("busy", healing, "busy")])
    for start in range(0, OLD_JOBS, BATCH):
        numbers = range(start, start + BATCH)
        put(triplestore, (job_text(str(number), dump, "success") for number in numbers))

    state = store.state(STREAM, None, within(2))
    assert [job.uri for job in state.active] == ["urn:job:busy"]
    assert [job.uri for job in state.synced] == ["urn:job:sync"]

    store.delete(dump, within(5))
    left = select(triplestore, f"SELECT DISTINCT ?s WHERE {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}")
    assert {row["s"] for row in left} == {
        "urn:job:sync",
        "urn:task:sync",
        "urn:job:busy",
        "urn:task:busy",
    }
