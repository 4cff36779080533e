"""A stack that ran for years: what a person or a tick waits for stays short."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.cleaning import clean
from jobs.store import Deadline
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests import stack
from tests.builders import DUMP, HEALING, INITIAL_SYNC, NOW, operation, stream_of
from tests.servers import Store, select, update

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAPH = "http://mu.semte.ch/graphs/system/jobs"
OLD_JOBS = 10_000
NOT_OLD = timedelta(0)
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


def job_text(name: str, operation_of_job: str, status: str, age: timedelta = NOT_OLD) -> str:
    """Return the Turtle of a job with its task."""
    created = (NOW - age).isoformat()
    common = (
        f'adms:status <{stack.STATUS}{status}> ; mu:uuid "{name}" ; task:operation '
        f'<{operation_of_job}> ; dct:created "{created}"^^xsd:dateTime'
    )
    return (
        f"<urn:job:{name}> a cogs:Job ; {common} . "
        f"<urn:task:{name}> a task:Task ; {common} ; dct:isPartOf <urn:job:{name}> .\n"
    )


def old_job(number: int, operation_of_job: str) -> str:
    return job_text(str(number), operation_of_job, "success", (number + 1) * timedelta(hours=1))


def put(triplestore: Store, texts: Iterable[str]) -> None:
    text = "".join(texts)
    update(triplestore, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{GRAPH}> {{ {text} }} }}")


@pytest.fixture
def old_stack(triplestore: Store) -> Store:
    """A store with a synced stream, and thousands of its dumps and healings that are done."""
    sync, kinds = operation(INITIAL_SYNC), [operation(DUMP), operation(HEALING)]
    put(triplestore, [job_text("sync", sync, "success")])
    for start in range(0, OLD_JOBS, BATCH):
        numbers = range(start, start + BATCH)
        put(triplestore, (old_job(n, kinds[n % 2]) for n in numbers))
    put(triplestore, [job_text("busy", operation(HEALING), "busy")])
    return triplestore


def test_thousands_of_finished_jobs_slow_nobody_down(
    old_stack: Store, store: SparqlJobStore
) -> None:
    state = store.state(STREAM, None, within(2))
    assert [job.uri for job in state.active] == ["urn:job:busy"]
    assert [job.uri for job in state.synced] == ["urn:job:sync"]
    assert len(state.healed) == 1
    assert [job.uri for job in store.active(STREAM.operations, within(2))] == ["urn:job:busy"]
    newest = store.newest(STREAM.operations, NOW, within(5))
    assert {job.operation for job in newest} == set(STREAM.operations)


def test_thousands_of_jobs_are_cleaned_within_seconds(
    old_stack: Store, store: SparqlJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "jobs")
    assert len(clean(store, STREAM, DUMP, within(10))) == OLD_JOBS // 2
    assert len(clean(store, STREAM, HEALING, within(10))) == OLD_JOBS // 2 + 1
    assert "1 of them running: urn:job:busy (busy)" in caplog.text
    left = select(old_stack, f"SELECT DISTINCT ?s WHERE {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}")
    assert {row["s"] for row in left} == {"urn:job:sync", "urn:task:sync"}
