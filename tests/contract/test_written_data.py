"""The triples in the store, compared exactly: other services depend on each of them."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from jobs.clock import LATEST
from jobs.maintenance.diagnosis import is_nameable
from jobs.model import SERVICE, Status, StreamState
from jobs.store import ErrorResource, StoreError, TaskWithoutJob
from jobs.stream_state import state_for
from sparql import queries
from sparql.store import BoundSparqlStore
from tests.support import stack
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    at,
    job_of,
    new_job,
    operation,
    stream_of,
)
from tests.support.servers import Store, select, select_terms, update
from tests.support.sparql_store import inspect, soon
from tests.support.sparql_text import first_operation

GRAPH = "http://mu.semte.ch/graphs/system/jobs"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DCT = "http://purl.org/dc/terms/"
ADMS = "http://www.w3.org/ns/adms#"
MU = "http://mu.semte.ch/vocabularies/core/"
TASK = "http://redpencil.data.gift/vocabularies/tasks/"
OSLC = "http://open-services.net/ns/core#"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
STREAM = stream_of()


def triples(triplestore: Store, graph: str = GRAPH) -> set[tuple[str, str, str, str]]:
    """Return subject, predicate, object and kind of object of every triple of a graph.

    A kind is `uri`, a datatype's last segment, or `text`.
    """
    query = f"SELECT ?s ?p ?o WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    return {
        (row["s"]["value"], row["p"]["value"], normal(row["o"]), kind(row["o"]))
        for row in select_terms(triplestore, query)
    }


def kind(term: dict[str, str]) -> str:
    datatype = term.get("datatype", "").rpartition("#")[2]
    return "uri" if term["type"] == "uri" else datatype or "text"


def normal(term: dict[str, str]) -> str:
    """Return the value; Virtuoso and Oxigraph show dates with different zeros."""
    if term.get("datatype") != DATE_TIME:
        return term["value"]
    return at(term["value"]).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])
def test_a_job_and_its_task_are_exactly_these_triples(
    triplestore: Store, store: BoundSparqlStore, *, guarded: bool
) -> None:
    new = new_job("a", created=at("2024-01-06T06:00:00.120"))
    store.create(new, soon(), guarded=guarded)
    job, task, created = new.uri, new.task_uri, "2024-01-06T06:00:00.120+00:00"
    service = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
    assert triples(triplestore) == {
        (job, TYPE, "http://vocab.deri.ie/cogs#Job", "uri"),
        (job, f"{MU}uuid", "a", "text"),
        (job, f"{DCT}creator", service, "uri"),
        (job, f"{ADMS}status", f"{stack.STATUS}busy", "uri"),
        (job, f"{DCT}created", created, "dateTime"),
        (job, f"{DCT}modified", created, "dateTime"),
        (job, f"{TASK}operation", operation(DUMP), "uri"),
        (task, TYPE, f"{TASK}Task", "uri"),
        (task, f"{MU}uuid", new.task_id, "text"),
        (task, f"{ADMS}status", f"{stack.STATUS}scheduled", "uri"),
        (task, f"{DCT}created", created, "dateTime"),
        (task, f"{DCT}modified", created, "dateTime"),
        (task, f"{TASK}operation", STREAM.plan(DUMP).task_operation, "uri"),
        (task, f"{TASK}index", "0", "text"),
        (task, f"{DCT}isPartOf", job, "uri"),
    }


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])
def test_a_guarded_request_completes_a_job_that_was_written_without_its_task(
    triplestore: Store, store: BoundSparqlStore, *, guarded: bool
) -> None:
    """The store applied only the first operation of an earlier request."""
    new = new_job("a")
    update(triplestore, first_operation(queries.create_job(new, guarded=guarded)))
    before = triples(triplestore)
    assert {subject for subject, *_ in before} == {new.uri}
    store.create(new_job("a", created=at("2024-01-07")), soon(), guarded=True)
    written = triples(triplestore) - before
    assert {subject for subject, *_ in written} == {new.task_uri}
    assert (new.task_uri, f"{DCT}isPartOf", new.uri, "uri") in written


def test_a_guarded_request_does_nothing_if_another_graph_has_the_job(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    elsewhere = "http://mu.semte.ch/graphs/elsewhere"
    store.create(new_job("a", stream=stream_of(jobs_graph=elsewhere)), soon())
    store.create(new_job("a"), soon(), guarded=True)
    assert not triples(triplestore)


@pytest.mark.parametrize("referenced", [None, "http://redpencil.data.gift/id/job/a"])
def test_an_error_is_exactly_these_triples(
    triplestore: Store, store: BoundSparqlStore, referenced: str | None
) -> None:
    error = ErrorResource(
        error_id="e",
        graph=GRAPH,
        creator="http://example.org/creator",
        message="why",
        created=at("2024-01-06T06:00:00.120"),
        job=referenced,
    )
    store.write_error(error)
    reference = {(error.uri, f"{DCT}references", str(referenced), "uri")} if referenced else set()
    assert triples(triplestore) == reference | {
        (error.uri, TYPE, f"{OSLC}Error", "uri"),
        (error.uri, TYPE, "http://redpencil.data.gift/vocabularies/deltas/Error", "uri"),
        (error.uri, f"{MU}uuid", "e", "text"),
        (error.uri, f"{DCT}subject", "Delta Producer Background Jobs Initiator", "text"),
        (error.uri, f"{OSLC}message", "why", "text"),
        (error.uri, f"{DCT}created", "2024-01-06T06:00:00.120+00:00", "dateTime"),
        (error.uri, f"{DCT}creator", "http://example.org/creator", "uri"),
    }


def test_a_job_is_written_to_the_jobs_graph_of_its_stream(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    stream = stream_of(jobs_graph="http://mu.semte.ch/graphs/elsewhere")
    store.create(new_job("a", stream=stream), soon())
    assert not triples(triplestore)
    assert triples(triplestore, "http://mu.semte.ch/graphs/elsewhere")


def put(triplestore: Store, graph: str, turtle: str) -> None:
    update(triplestore, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{graph}> {{ {turtle} }} }}")


def read(store: BoundSparqlStore) -> StreamState:
    return replace(store.state(STREAM), active=store.active(STREAM.operations))


def job_text(uri: str, status: str = "busy", more: str = "") -> str:
    return (
        f"<{uri}> a cogs:Job ; task:operation <{operation(DUMP)}> ; "
        f"adms:status <{stack.STATUS}{status}> {more} ."
    )


JOB = job_of(DUMP).uri
TASK_OF_JOB = "http://redpencil.data.gift/id/task/1"
TASK_TEXT = (
    f"<{TASK_OF_JOB}> a task:Task ; dct:isPartOf <{JOB}> ; adms:status <{stack.STATUS}busy> ; "
    'dct:modified "2024-01-06T07:00:00Z"^^xsd:dateTime .'
)


def test_a_job_in_any_graph_is_found(triplestore: Store, store: BoundSparqlStore) -> None:
    put(triplestore, "http://example.org/graphs/1", job_text(JOB))
    assert [job.uri for job in read(store).active] == [JOB]


def test_a_successful_initial_sync_with_a_second_operation_counts(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    also = f"; task:operation <{operation(INITIAL_SYNC)}>"
    put(triplestore, GRAPH, job_text(JOB, "success", also))
    state = store.state(STREAM)
    assert [(job.uri, job.operation) for job in state.synced] == [(JOB, operation(INITIAL_SYNC))]


def test_an_active_job_with_two_operations_counts_under_each(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    also = f"; task:operation <{operation(INITIAL_SYNC)}>"
    put(triplestore, GRAPH, job_text(JOB, "busy", also))
    both = {operation(DUMP), operation(INITIAL_SYNC)}
    assert {job.operation for job in read(store).active} == both
    assert {job.operation for job in store.active(STREAM.operations)} == both


def test_a_finished_job_with_two_operations_counts_under_each(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    created = 'dct:created "2024-01-06T06:00:00Z"^^xsd:dateTime'
    also = f"; task:operation <{operation(HEALING)}> ; {created}"
    put(triplestore, GRAPH, job_text(JOB, "success", also))
    both = {operation(DUMP), operation(HEALING)}
    since = at("2024-01-06T06:00:00")
    for found in (
        store.recent(STREAM.operations, since),
        store.newest(STREAM.operations, LATEST),
    ):
        assert {job.operation for job in found} == both
    assert [job.uri for job in store.one_successful(operation(HEALING))] == [JOB]
    for name in both:
        assert [job.uri for job in store.deletable_jobs(name)] == [JOB]


def test_a_blank_node_as_a_value_hides_nothing(triplestore: Store, store: BoundSparqlStore) -> None:
    """Oxigraph reports an error for the text of a blank node."""
    created = 'dct:created "2024-01-06T06:00:00Z"^^xsd:dateTime'
    job = job_text(JOB, "busy", f"; {created} ; dct:source [ dct:title 1 ]")
    blank = job_text("", "success", f"; {created}").replace("<>", "_:job")
    data = f"GRAPH <{GRAPH}> {{ {job} {blank} }}"
    update(triplestore, f"{stack.PREFIXES} INSERT {{ {data} }} WHERE {{}}")
    since = at("2024-01-06T06:00:00")
    for found in (
        store.state(STREAM).active,
        store.active(STREAM.operations),
        [job for job in store.recent(STREAM.operations, since) if job.active],
        [job for job in store.current(STREAM.operations, since).jobs if job.active],
        store.newest(STREAM.operations, LATEST),
        store.find([JOB]),
        store.deletable_jobs(operation(DUMP)),
    ):
        assert [job.uri for job in found] == [JOB]


def test_a_state_is_read_after_the_search_for_a_healing(
    triplestore: Store, store: BoundSparqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The search can take its time, and a decision must rest on what was read last."""
    healed = job_text(JOB, "success").replace(operation(DUMP), operation(HEALING))
    put(triplestore, GRAPH, healed)
    caplog.set_level(logging.INFO)
    assert [job.uri for job in state_for(HEALING, STREAM, store).healed] == [JOB]
    assert "adms:status" in caplog.messages[-1]


def test_copies_in_two_graphs_are_no_duplicate_values(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    """A repair works within one graph; the copy that is active gets the task."""
    elsewhere = "http://mu.semte.ch/graphs/elsewhere"
    own = f'; dct:creator <{SERVICE}> ; mu:uuid "1"'
    put(triplestore, GRAPH, job_text(JOB, "failed", own))
    put(triplestore, elsewhere, job_text(JOB, "busy", own))
    found = inspect(store, [JOB])
    assert found.duplicates == ()
    assert [one.graph for one in found.jobs_without_task] == [elsewhere]


def test_a_job_without_dates_or_task_is_found(triplestore: Store, store: BoundSparqlStore) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    (job,) = read(store).active
    assert (job.created, job.modified, job.tasks) == (None, None, ())


def test_a_task_in_another_graph_than_its_job_is_found(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    put(triplestore, "http://example.org/graphs/1", TASK_TEXT)
    (task,) = read(store).active[0].tasks
    assert (task.uri, task.modified) == (TASK_OF_JOB, at("2024-01-06T07:00:00"))


def test_a_job_in_two_graphs_is_one_job(triplestore: Store, store: BoundSparqlStore) -> None:
    for graph in (GRAPH, "http://example.org/graphs/1"):
        put(triplestore, graph, job_text(JOB) + TASK_TEXT)
    (job,) = read(store).active
    assert len(job.tasks) == 1


def test_a_job_with_a_second_status_counts_as_active(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    text = job_text(JOB).replace(operation(DUMP), operation(INITIAL_SYNC))
    put(triplestore, GRAPH, text + text.replace("JobStatus/busy", "JobStatus/success"))
    state = read(store)
    assert [job.uri for job in state.active] == [JOB]
    assert state.synced == ()


def test_the_newest_of_several_modified_dates_counts(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    dates = "".join(f'; dct:modified "2024-01-0{day}T00:00:00Z"^^xsd:dateTime' for day in (2, 3, 1))
    put(triplestore, GRAPH, job_text(JOB, more=dates))
    assert read(store).active[0].modified == at("2024-01-03")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-06T06:00:00Z", "2024-01-06T06:00:00"),
        ("2024-01-06T07:00:00+01:00", "2024-01-06T06:00:00"),
        ("2024-01-06T06:00:00.123456Z", "2024-01-06T06:00:00.123456"),
        ("2024-01-06T06:00:00", "2024-01-06T06:00:00"),
    ],
)
def test_dates_of_other_services_are_read(
    triplestore: Store, store: BoundSparqlStore, text: str, instant: str
) -> None:
    put(triplestore, GRAPH, job_text(JOB, more=f'; dct:modified "{text}"^^xsd:dateTime'))
    assert read(store).active[0].modified == at(instant)


def test_a_final_status_replaces_status_and_date_in_the_graph_of_the_job(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, "http://example.org/graphs/1", job_text(JOB) + TASK_TEXT)
    store.set_status(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"))
    written = triples(triplestore, "http://example.org/graphs/1")
    for uri in (JOB, TASK_OF_JOB):
        assert [o for s, p, o, _ in written if (s, p) == (uri, f"{ADMS}status")] == [
            f"{stack.STATUS}failed"
        ]
        assert [o for s, p, o, _ in written if (s, p) == (uri, f"{DCT}modified")] == [
            "2024-01-06T08:00:00.000+00:00"
        ]
    assert not triples(triplestore)


def test_a_final_status_replaces_duplicate_statuses_and_dates(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    dates = "".join(f'; dct:modified "2024-01-0{day}T00:00:00Z"^^xsd:dateTime' for day in (1, 2))
    put(triplestore, GRAPH, job_text(JOB, more=dates) + job_text(JOB, "scheduled"))
    store.set_status(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"))
    assert stack.status_of(triplestore, JOB) == ["failed"]
    query = f"{stack.PREFIXES} SELECT ?m {{ GRAPH ?g {{ <{JOB}> dct:modified ?m }} }}"
    assert len(select(triplestore, query)) == 1


def test_deletion_removes_every_triple_of_jobs_and_tasks_from_every_graph(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB) + "<http://example.org/kept> dct:title 'kept' .")
    put(triplestore, "http://example.org/graphs/1", job_text(JOB, "success"))
    put(triplestore, "http://example.org/graphs/2", TASK_TEXT)
    put(triplestore, "http://example.org/graphs/3", f"<{TASK_OF_JOB}> dct:title 'more' .")
    store.delete(store.deletable_jobs(operation(DUMP)))
    left = select(
        triplestore, "SELECT ?s WHERE { GRAPH ?g { ?s <http://purl.org/dc/terms/title> ?o } }"
    )
    assert [row["s"] for row in left] == ["http://example.org/kept"]
    for uri in (JOB, TASK_OF_JOB):
        assert not select(triplestore, f"SELECT ?p WHERE {{ GRAPH ?g {{ <{uri}> ?p ?o }} }}")


def own_job(uri: str, more: str = "") -> str:
    """Return the Turtle of a job of this service."""
    service = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
    identifier = uri.rpartition("/")[2]
    return job_text(uri, more=f'; dct:creator <{service}> ; mu:uuid "{identifier}" {more}')


def test_a_job_of_this_service_without_a_task_is_found(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    created = '; dct:created "2024-01-06T06:00:00Z"^^xsd:dateTime'
    put(triplestore, "http://example.org/graphs/1", own_job(JOB, created))
    (found,) = inspect(store).jobs_without_task
    assert (found.job.uri, found.graph) == (JOB, "http://example.org/graphs/1")
    assert found.job_id == JOB.rpartition("/")[2]
    assert found.job.created == at("2024-01-06T06:00:00")


def test_a_job_of_another_service_without_a_task_is_left_out(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    assert inspect(store).jobs_without_task == ()


def test_a_finished_job_without_a_task_is_left_out(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, own_job(JOB).replace("JobStatus/busy", "JobStatus/success"))
    assert inspect(store).jobs_without_task == ()


def test_an_added_task_has_the_triples_that_were_missing(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    new = new_job("a")
    store.create(new, soon())
    whole = triples(triplestore)
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{new.task_uri}> ?p ?o }} }}")
    assert triples(triplestore) != whole
    store.add_task(new)
    assert triples(triplestore) == whole


def values(triplestore: Store, uri: str, name: str) -> list[str]:
    query = f"{stack.PREFIXES} SELECT ?v {{ GRAPH ?g {{ <{uri}> {name} ?v }} }}"
    rows = select_terms(triplestore, query)
    return sorted(normal(row["v"]).removeprefix(stack.STATUS) for row in rows)


def test_a_repair_leaves_one_right_value(triplestore: Store, store: BoundSparqlStore) -> None:
    """Two processes wrote one job with two dates, and a consumer acted in between."""
    new = new_job("a", INITIAL_SYNC, created=at("2024-01-06T06:00:00.100"))
    late = new_job("a", INITIAL_SYNC, created=at("2024-01-06T06:00:00.200"))
    store.create(new, soon())
    stack.set_status(triplestore, new.task_uri, "busy")
    store.create(late, soon())
    assert values(triplestore, new.task_uri, "adms:status") == ["busy", "scheduled"]
    repaired = inspect(store).duplicates
    assert set(repaired) == {new.uri, new.task_uri}
    store.repair(repaired)
    for uri in repaired:
        assert values(triplestore, uri, "dct:created") == ["2024-01-06T06:00:00.100+00:00"]
        assert values(triplestore, uri, "dct:modified") == ["2024-01-06T06:00:00.200+00:00"]
    assert values(triplestore, new.uri, "adms:status") == ["busy"]
    assert values(triplestore, new.task_uri, "adms:status") == ["busy"]
    assert inspect(store).duplicates == ()


@pytest.mark.parametrize(
    ("property_", "stays"), [("created", "2024-01-06"), ("modified", "2024-01-06T06:00:00")]
)
def test_a_date_beside_a_time_is_repaired_once(
    triplestore: Store, store: BoundSparqlStore, property_: str, stays: str
) -> None:
    """Oxigraph cannot compare them, and the sweep announced the repair again each time."""
    both = f'dct:{property_} "2024-01-06"^^xsd:date , "2024-01-06T06:00:00Z"^^xsd:dateTime'
    put(triplestore, GRAPH, own_job(JOB, f"; {both}"))
    assert inspect(store).duplicates == (JOB,)
    store.repair([JOB])
    assert inspect(store).duplicates == ()
    query = f"{stack.PREFIXES} SELECT ?d {{ GRAPH ?g {{ <{JOB}> dct:{property_} ?d }} }}"
    (left,) = select(triplestore, query)
    assert left["d"].startswith(stays)


def test_duplicate_values_of_finished_jobs_and_tasks_are_repaired(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    new = new_job("a", INITIAL_SYNC, created=at("2024-01-06T06:00:00.100"))
    store.create(new, soon())
    store.create(replace(new, created=at("2024-01-06T06:00:00.200")), soon())
    for uri in (new.uri, new.task_uri):
        stack.set_status(triplestore, uri, "success")
    found = inspect(store, [new.uri]).duplicates
    assert set(found) == {new.uri, new.task_uri}
    store.repair(found)
    for uri in (new.uri, new.task_uri):
        assert values(triplestore, uri, "dct:created") == ["2024-01-06T06:00:00.100+00:00"]
        assert values(triplestore, uri, "adms:status") == ["success"]


def test_values_that_no_repair_can_order_are_left_alone(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    """Otherwise each sweep would send the same update without effect."""
    put(triplestore, GRAPH, own_job(JOB, "; adms:status <urn:unknown>"))
    assert inspect(store).duplicates == ()


def test_a_scheduled_task_whose_job_was_deleted_is_found_and_removed(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    gone, kept = new_job("a"), new_job("b")
    for job in (gone, kept):
        store.create(job, soon())
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{gone.uri}> ?p ?o }} }}")
    assert inspect(store).tasks_without_job == (TaskWithoutJob(gone.task_uri, gone.uri),)
    store.delete_tasks_without_job([gone.task_uri, kept.task_uri])
    assert inspect(store).tasks_without_job == ()
    assert not select(triplestore, f"SELECT ?p WHERE {{ GRAPH ?g {{ <{gone.task_uri}> ?p ?o }} }}")
    assert len(store.find([kept.uri])[0].tasks) == 1


def test_a_task_without_a_job_that_a_consumer_took_is_not_removed(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    store.create(new := new_job("a"), soon())
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{new.uri}> ?p ?o }} }}")
    stack.set_status(triplestore, new.task_uri, "busy")
    before = triples(triplestore)
    assert inspect(store).tasks_without_job == ()
    store.delete_tasks_without_job([new.task_uri])
    assert triples(triplestore) == before


def test_duplicate_values_of_another_service_are_not_repaired(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB) + job_text(JOB, "scheduled"))
    assert inspect(store).duplicates == ()
    assert values(triplestore, JOB, "adms:status") == ["busy", "scheduled"]


def test_a_job_that_got_another_task_after_it_was_read_keeps_its_status(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB) + TASK_TEXT)
    stack.set_status(triplestore, TASK_OF_JOB, "success")
    seen = read(store).active[0]
    put(triplestore, GRAPH, TASK_TEXT.replace(TASK_OF_JOB, "http://example.org/next"))
    store.set_status(seen, Status.SUCCESS, at("2024-01-06T08:00:00"))
    assert stack.status_of(triplestore, JOB) == ["busy"]
    store.set_status(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"))
    assert stack.status_of(triplestore, JOB) == ["failed"]
    assert stack.status_of(triplestore, "http://example.org/next") == ["failed"]


@pytest.mark.parametrize(
    ("ends", "stays"), [(("failed", "success"), "success"), (("failed", "canceled"), "canceled")]
)
def test_a_repair_keeps_the_final_status_that_a_consumer_reported(
    triplestore: Store, store: BoundSparqlStore, ends: tuple[str, str], stays: str
) -> None:
    """A job-controller closed a job while the watchdog failed it for its silence."""
    put(triplestore, GRAPH, job_text(JOB, "busy"))
    (seen,) = read(store).active
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{JOB}> <{ADMS}status> ?s }} }}")
    for status in ends:
        text = f"<{JOB}> adms:status <{stack.STATUS}{status}> ."
        put(triplestore, GRAPH, text)
    store.repair(seen.subjects)
    assert stack.status_of(triplestore, JOB) == [stays]


@pytest.mark.parametrize("name", ["non\u00a0breaking", "line\u2028separator"])
def test_a_job_that_no_update_can_name_keeps_no_other_from_deletion_or_repair(
    triplestore: Store, store: BoundSparqlStore, name: str
) -> None:
    uri = f"http://example.org/{name}"
    put(
        triplestore, GRAPH, own_job(uri) + own_job(uri, "; adms:status <urn:other>") + job_text(JOB)
    )
    (left,) = store.undeletable_jobs(operation(DUMP))
    assert (left.uri, left.graph) == (uri, GRAPH)
    assert inspect(store).jobs_without_task == ()
    assert inspect(store).duplicates == ()
    (job,) = store.deletable_jobs(operation(DUMP))
    assert job.uri == JOB


def test_a_job_to_be_deleted_may_have_its_type_and_status_in_two_graphs(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    """The log says which of the removed jobs were active."""
    for number, triple in enumerate(
        (f"task:operation <{operation(DUMP)}>", "a cogs:Job", f"adms:status <{stack.STATUS}busy>")
    ):
        put(triplestore, f"http://example.org/graphs/{number}", f"<{JOB}> {triple} .")
    assert [job.active for job in store.deletable_jobs(operation(DUMP))] == [True]


def test_a_job_of_many_types_takes_one_row_of_the_read_before_its_deletion(
    triplestore: Store,
) -> None:
    """Virtuoso often answers 10,000 rows at most, and 3,000 jobs are read."""
    put(triplestore, GRAPH, job_text(JOB) + f"<{JOB}> a <urn:type:1>, <urn:type:2>, <urn:type:3> .")
    assert len(select(triplestore, queries.deletable_jobs(operation(DUMP)))) == 1


def test_a_deletion_is_not_done_while_only_other_subjects_are_listed(
    triplestore: Store, store: BoundSparqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may list tasks of the same operation first, and jobs after the limit of a read."""
    monkeypatch.setattr(queries, "MAX_DELETED", 3)
    for number in range(3):
        task = f"<urn:task:{number}> a task:Task ; task:operation <{operation(DUMP)}> ."
        put(triplestore, GRAPH, task)
    with pytest.raises(StoreError, match=r"^the first 3 subjects with .* are no jobs$"):
        store.deletable_jobs(operation(DUMP))
    monkeypatch.setattr(queries, "MAX_DELETED", 4)
    assert store.deletable_jobs(operation(DUMP)) == ()


def test_a_deletion_leaves_blank_nodes_and_relative_iris_and_names_their_graph(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    """Oxigraph makes a relative IRI absolute. Virtuoso takes a blank node only with a WHERE."""
    odd = ["_:blank", "<jobs/1>"] if triplestore.name == "virtuoso" else ["_:blank"]
    put(triplestore, GRAPH, job_text(JOB))
    for term in odd:
        text = job_text(JOB).replace(f"<{JOB}>", term)
        insert = f"INSERT {{ GRAPH <{GRAPH}> {{ {text} }} }} WHERE {{ VALUES ?once {{ 1 }} }}"  # noqa: S608 - SPARQL of the test
        update(triplestore, stack.PREFIXES + insert)
    store.delete(store.deletable_jobs(operation(DUMP)))
    left = store.undeletable_jobs(operation(DUMP))
    active = store.active([operation(DUMP)])
    assert len(left) == len(active) == len(odd)
    assert {job.graph for job in (*left, *active)} == {GRAPH}
    assert not any(is_nameable(job) for job in active)
