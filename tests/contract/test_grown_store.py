"""A Virtuoso that was asked while it was empty takes what came later for next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from jobs.model import SERVICE
from tests.support.builders import DUMP, NOW, new_job, stream_of
from tests.support.servers import Store, update
from tests.support.sparql_store import bound_store_of
from tests.support.stack import PREFIXES, STATUS
from tests.support.virtuoso import Virtuoso

JOBS = 20_000
BATCH = 500
STREAM = stream_of()
REPAIRED = [new_job(name).uri for name in ("1", "2")]


def triples(number: int) -> str:
    """Return the triples of a finished job and its task."""
    job = new_job(str(number), DUMP)
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


@pytest.fixture
def grown() -> Iterator[Store]:
    """A Virtuoso to which thousands of finished jobs came after its first repair."""
    with Virtuoso() as store:
        bound_store_of(store).repair(REPAIRED)
        for start in range(0, JOBS, BATCH):
            text = "".join(map(triples, range(start, start + BATCH)))
            update(store, f"{PREFIXES} INSERT DATA {{ GRAPH <{STREAM.jobs_graph}> {{ {text} }} }}")
        yield store


@pytest.mark.virtuoso
def test_a_repair_does_not_read_what_it_does_not_repair(grown: Store) -> None:
    """It read the status of everything: more than 2 s, and 14 s with 100,000 jobs."""
    second = f"<{REPAIRED[0]}> <http://www.w3.org/ns/adms#status> <{STATUS}busy>"
    update(grown, f"INSERT DATA {{ GRAPH <{STREAM.jobs_graph}> {{ {second} }} }}")
    store = bound_store_of(grown, seconds=2)
    store.repair(REPAIRED)
    assert not any(job.active for job in store.find(REPAIRED))
