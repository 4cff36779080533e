"""Through an authorization layer, as in every real stack: it runs updates in a way of its own."""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from jobs.error_reports import MAX_MESSAGE
from jobs.model import Status
from jobs.store import ErrorResource
from sparql.client import SparqlClient
from sparql.store import BoundSparqlStore, SparqlJobStore
from tests.support.builders import DUMP, INITIAL_SYNC, NOW, new_job, operation
from tests.support.fault_proxy import FaultProxy
from tests.support.layer import FORM, Layer
from tests.support.servers import Store, clear, select, update
from tests.support.sparql_store import bound_store_of, client_of, inspect, soon

pytestmark = pytest.mark.virtuoso
MAX_BUNDLE = 100_000  # bytes; the dump-file-publisher refuses more
JOBS = 61


@pytest.fixture
def layer(virtuoso: Store) -> Layer:
    clear(virtuoso)
    return Layer(virtuoso.endpoint)


@pytest.fixture
def proxy(layer: Layer) -> Iterator[FaultProxy]:
    with FaultProxy(layer) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> SparqlClient:
    return client_of(proxy.endpoint, new_id=map(str, count()).__next__)


@pytest.fixture
def store(client: SparqlClient) -> BoundSparqlStore:
    return SparqlJobStore(client).within(soon())


@pytest.fixture
def direct(virtuoso: Store) -> BoundSparqlStore:
    """The same store without the layer: it is faster."""
    return bound_store_of(virtuoso)


def error(number: int, job: str) -> ErrorResource:
    return ErrorResource(
        error_id=f"{number}",
        graph=new_job("a").graph,
        creator="http://example.org/service",
        message="é" * MAX_MESSAGE,
        created=NOW,
        job=job,
    )


def test_a_job_that_timed_out_is_failed(store: BoundSparqlStore) -> None:
    """Virtuoso 7.2.5 often refuses NOT IN inside FILTER NOT EXISTS in a SELECT: none is sent."""
    store.create(new := new_job("a"), soon())
    (job,) = store.find([new.uri])
    store.set_status(job, Status.FAILED, NOW)
    (ended,) = store.find([new.uri])
    assert ended.status is ended.tasks[0].status is Status.FAILED


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (FORM, "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } } ;"),
        (FORM, "CLEAR GRAPH <urn:g>"),
        (FORM, "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> [] } }"),
        ("application/sparql-update", "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }"),
    ],
    ids=["trailing semicolon", "CLEAR", "blank node", "not form-encoded"],
)
def test_the_layer_refuses_what_sparql_parser_refuses(
    proxy: FaultProxy, content_type: str, text: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    body = urllib.parse.urlencode({"update": text}) if content_type == FORM else text
    connection.request("POST", "/sparql", body, {"Content-Type": content_type})
    assert connection.getresponse().status == 500
    connection.close()


def test_each_update_has_a_bundle_of_its_own(store: BoundSparqlStore, layer: Layer) -> None:
    new = new_job("a")
    writes: list[Callable[[], None]] = [
        lambda: store.create(new, soon()),
        lambda: store.create(new, soon(), guarded=True),
        lambda: store.add_task(new),
        lambda: store.set_status(store.find([new.uri])[0], Status.FAILED, NOW),
        lambda: store.repair(store.find([new.uri])[0].subjects),
        lambda: store.write_error(error(1, new.uri)),
        lambda: store.delete_tasks_without_job([new.task_uri]),
        lambda: store.delete_error(error(1, new.uri).uri),
        lambda: store.delete(store.find([new.uri])),
    ]
    for number, write in enumerate(writes, start=1):
        write()
        assert len(layer.bundles) == number
    assert None not in layer.bundles


def test_a_deletion_of_many_jobs_makes_no_bundle_that_is_refused(
    store: BoundSparqlStore, direct: BoundSparqlStore, layer: Layer, virtuoso: Store
) -> None:
    for number in range(JOBS):
        direct.create(new := new_job(f"{number:036}"), soon())
        for half in range(2):
            direct.write_error(error(2 * number + half, new.uri))
    store.delete(store.deletable_jobs(operation(DUMP)))
    assert max(layer.bundles.values()) < MAX_BUNDLE
    assert not select(virtuoso, f"SELECT ?s {{ GRAPH <{new_job('a').graph}> {{ ?s ?p ?o }} }}")


def test_a_deletion_of_large_jobs_makes_no_bundle_that_is_refused(
    store: BoundSparqlStore, direct: BoundSparqlStore, layer: Layer, virtuoso: Store
) -> None:
    """Another service may have given each job and task many properties."""
    for number in range(JOBS):
        direct.create(new := new_job(f"{number:036}"), soon())
        properties = "; ".join(f'<urn:property:{one}> "é\\"{one:0500}"' for one in range(20))
        update(virtuoso, f"INSERT DATA {{ GRAPH <{new.graph}> {{ <{new.uri}> {properties} }} }}")
    store.delete(store.deletable_jobs(operation(DUMP)))
    assert max(layer.bundles.values()) < MAX_BUNDLE
    assert not select(virtuoso, f"SELECT ?s {{ GRAPH <{new_job('a').graph}> {{ ?s ?p ?o }} }}")


def test_repairs_of_many_jobs_make_no_bundle_that_is_refused(
    store: BoundSparqlStore, direct: BoundSparqlStore, layer: Layer
) -> None:
    for number in range(JOBS):
        direct.create(new := new_job(f"{number:036}", INITIAL_SYNC), soon())
        direct.set_status(direct.find([new.uri])[0], Status.FAILED, NOW)
        direct.create(replace(new, created=NOW.replace(hour=9)), soon())
    found = inspect(store, [new_job(f"{number:036}").uri for number in range(JOBS)]).duplicates
    assert len(found) == 2 * JOBS
    store.repair(found)
    assert max(layer.bundles.values()) < MAX_BUNDLE
    assert len(layer.bundles) > 1


def test_tasks_of_many_deleted_jobs_make_no_bundle_that_is_refused(
    store: BoundSparqlStore, direct: BoundSparqlStore, layer: Layer, virtuoso: Store
) -> None:
    jobs = [new_job(f"{number:036}") for number in range(JOBS)]
    for job in jobs:
        direct.create(job, soon())
        update(virtuoso, f"DELETE WHERE {{ GRAPH ?g {{ <{job.uri}> ?p ?o }} }}")
    store.delete_tasks_without_job([job.task_uri for job in jobs])
    assert max(layer.bundles.values()) < MAX_BUNDLE
    assert inspect(store).tasks_without_job == ()
