"""In a stack that ran for years, requests and ticks are still fast."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

import pytest

from jobs.deletion import delete_jobs
from tests.support import stack
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, NOW, operation, stream_of
from tests.support.servers import Store, select, update
from tests.support.sparql_store import bound_store_of

GRAPH = "http://mu.semte.ch/graphs/system/jobs"
OLD_JOBS = 10_000
NOT_OLD = timedelta(0)
BATCH = 500
STREAM = stream_of()


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
    """A store with a synced stream and thousands of its finished dumps and healings."""
    sync, kinds = operation(INITIAL_SYNC), [operation(DUMP), operation(HEALING)]
    put(triplestore, [job_text("sync", sync, "success")])
    for start in range(0, OLD_JOBS, BATCH):
        numbers = range(start, start + BATCH)
        put(triplestore, (old_job(n, kinds[n % 2]) for n in numbers))
    put(triplestore, [job_text("busy", operation(HEALING), "busy")])
    return triplestore


def test_thousands_of_finished_jobs_do_not_slow_down_reads(old_stack: Store) -> None:
    state = bound_store_of(old_stack, seconds=2).state(STREAM)
    assert [job.uri for job in state.active] == ["urn:job:busy"]
    assert [job.uri for job in state.synced] == ["urn:job:sync"]
    active = bound_store_of(old_stack, seconds=2).active(STREAM.operations)
    assert [job.uri for job in active] == ["urn:job:busy"]
    [some, *_] = bound_store_of(old_stack, seconds=2).some_of([operation(HEALING)])
    assert [task.operation for task in some.tasks] == [operation(HEALING)]
    newest = bound_store_of(old_stack, seconds=5).newest(STREAM.operations, NOW)
    assert {job.operation for job in newest} == set(STREAM.operations)


def test_thousands_of_jobs_are_deleted_within_one_call(
    old_stack: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "jobs")
    for kind, number in ((DUMP, OLD_JOBS // 2), (HEALING, OLD_JOBS // 2 + 1)):
        store = bound_store_of(old_stack, seconds=60)  # the default MU_SPARQL_TIMEOUT
        assert len(delete_jobs(store, STREAM, kind, forget=list[str]().extend).removed) == number
    assert "1 of them active: urn:job:busy (busy)" in caplog.text
    left = select(old_stack, f"SELECT DISTINCT ?s WHERE {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}")
    assert {row["s"] for row in left} == {"urn:job:sync", "urn:task:sync"}
