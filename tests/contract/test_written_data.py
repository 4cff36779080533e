"""What is in the store afterwards, to the triple: other services break on anything else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from jobs.model import ErrorResource, Status
from jobs.store import Deadline
from sparql.client import SparqlClient
from sparql.store import SparqlJobStore
from tests import stack
from tests.builders import DUMP, INITIAL_SYNC, at, job_of, new_job, operation, stream_of
from tests.servers import Store, select, select_terms, update

if TYPE_CHECKING:
    from jobs.model import StreamState

GRAPH = "http://mu.semte.ch/graphs/system/jobs"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DCT = "http://purl.org/dc/terms/"
ADMS = "http://www.w3.org/ns/adms#"
MU = "http://mu.semte.ch/vocabularies/core/"
TASK = "http://redpencil.data.gift/vocabularies/tasks/"
OSLC = "http://open-services.net/ns/core#"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
STREAM = stream_of()


@pytest.fixture
def store(triplestore: Store) -> SparqlJobStore:
    client = SparqlClient(
        query_url=triplestore.endpoint,
        update_url=triplestore.update_endpoint,
        new_call_id=lambda: "call",
    )
    return SparqlJobStore(client)


def soon() -> Deadline:
    return Deadline.after(30, time.monotonic)


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
    """Write a date and time in one way: Virtuoso and Oxigraph differ in the zeros they show."""
    if term.get("datatype") != DATE_TIME:
        return term["value"]
    return at(term["value"]).isoformat(timespec="milliseconds")


def test_a_job_and_its_task_are_exactly_these_triples(
    triplestore: Store, store: SparqlJobStore
) -> None:
    new = new_job("a", created=at("2024-01-06T06:00:00.120"))
    store.create(new, soon(), soon())
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


@pytest.mark.parametrize("referenced", [None, "http://redpencil.data.gift/id/job/a"])
def test_an_error_is_exactly_these_triples(
    triplestore: Store, store: SparqlJobStore, referenced: str | None
) -> None:
    error = ErrorResource(
        error_id="e",
        graph=GRAPH,
        creator="http://example.org/creator",
        message="why",
        created=at("2024-01-06T06:00:00.120"),
        job=referenced,
    )
    store.record(error, soon())
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


def test_the_jobs_graph_is_where_it_is_written(triplestore: Store, store: SparqlJobStore) -> None:
    stream = stream_of(jobs_graph="http://mu.semte.ch/graphs/elsewhere")
    store.create(new_job("a", stream=stream), soon(), soon())
    assert not triples(triplestore)
    assert triples(triplestore, "http://mu.semte.ch/graphs/elsewhere")


def put(triplestore: Store, graph: str, turtle: str) -> None:
    update(triplestore, f"{stack.PREFIXES} INSERT DATA {{ GRAPH <{graph}> {{ {turtle} }} }}")


def read(store: SparqlJobStore) -> StreamState:
    return store.state(STREAM, None, soon())


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


def test_a_job_in_any_graph_is_seen(triplestore: Store, store: SparqlJobStore) -> None:
    put(triplestore, "http://example.org/graphs/1", job_text(JOB))
    assert [job.uri for job in read(store).active] == [JOB]


def test_a_job_without_dates_or_task_is_seen(triplestore: Store, store: SparqlJobStore) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    (job,) = read(store).active
    assert (job.created, job.modified, job.tasks) == (None, None, ())


def test_a_task_in_another_graph_than_its_job_is_seen(
    triplestore: Store, store: SparqlJobStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    put(triplestore, "http://example.org/graphs/1", TASK_TEXT)
    (task,) = read(store).active[0].tasks
    assert (task.uri, task.modified) == (TASK_OF_JOB, at("2024-01-06T07:00:00"))


def test_a_job_that_two_graphs_hold_is_one_job(triplestore: Store, store: SparqlJobStore) -> None:
    for graph in (GRAPH, "http://example.org/graphs/1"):
        put(triplestore, graph, job_text(JOB) + TASK_TEXT)
    (job,) = read(store).active
    assert len(job.tasks) == 1


def test_a_job_with_a_second_status_counts_as_active(
    triplestore: Store, store: SparqlJobStore
) -> None:
    text = job_text(JOB).replace(operation(DUMP), operation(INITIAL_SYNC))
    put(triplestore, GRAPH, text + text.replace("JobStatus/busy", "JobStatus/success"))
    state = read(store)
    assert [job.uri for job in state.active] == [JOB]
    assert state.synced == ()


def test_of_two_modified_dates_the_newer_counts(triplestore: Store, store: SparqlJobStore) -> None:
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
    triplestore: Store, store: SparqlJobStore, text: str, instant: str
) -> None:
    put(triplestore, GRAPH, job_text(JOB, more=f'; dct:modified "{text}"^^xsd:dateTime'))
    assert read(store).active[0].modified == at(instant)


def test_failing_replaces_status_and_date_in_the_jobs_own_graph(
    triplestore: Store, store: SparqlJobStore
) -> None:
    put(triplestore, "http://example.org/graphs/1", job_text(JOB) + TASK_TEXT)
    store.end(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"), soon())
    written = triples(triplestore, "http://example.org/graphs/1")
    for uri in (JOB, TASK_OF_JOB):
        assert [o for s, p, o, _ in written if (s, p) == (uri, f"{ADMS}status")] == [
            f"{stack.STATUS}failed"
        ]
        assert [o for s, p, o, _ in written if (s, p) == (uri, f"{DCT}modified")] == [
            "2024-01-06T08:00:00.000+00:00"
        ]
    assert not triples(triplestore)


def test_failing_leaves_one_status_and_date_where_there_were_two(
    triplestore: Store, store: SparqlJobStore
) -> None:
    dates = "".join(f'; dct:modified "2024-01-0{day}T00:00:00Z"^^xsd:dateTime' for day in (1, 2))
    put(triplestore, GRAPH, job_text(JOB, more=dates) + job_text(JOB, "scheduled"))
    store.end(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"), soon())
    assert stack.status_of(triplestore, JOB) == ["failed"]
    query = f"{stack.PREFIXES} SELECT ?m {{ GRAPH ?g {{ <{JOB}> dct:modified ?m }} }}"
    assert len(select(triplestore, query)) == 1


def test_deleting_removes_every_triple_of_jobs_and_tasks_wherever_they_are(
    triplestore: Store, store: SparqlJobStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB) + "<http://example.org/kept> dct:title 'kept' .")
    put(triplestore, "http://example.org/graphs/1", job_text(JOB, "success"))
    put(triplestore, "http://example.org/graphs/2", TASK_TEXT)
    put(triplestore, "http://example.org/graphs/3", f"<{TASK_OF_JOB}> dct:title 'more' .")
    store.delete(store.batch_of(operation(DUMP), soon()), soon())
    left = select(
        triplestore, "SELECT ?s WHERE { GRAPH ?g { ?s <http://purl.org/dc/terms/title> ?o } }"
    )
    assert [row["s"] for row in left] == ["http://example.org/kept"]
    for uri in (JOB, TASK_OF_JOB):
        assert not select(triplestore, f"SELECT ?p WHERE {{ GRAPH ?g {{ <{uri}> ?p ?o }} }}")


def ours(uri: str, more: str = "") -> str:
    """Return a job of this service, as Turtle."""
    service = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
    identifier = uri.rpartition("/")[2]
    return job_text(uri, more=f'; dct:creator <{service}> ; mu:uuid "{identifier}" {more}')


def test_a_job_of_ours_without_a_task_gets_one(triplestore: Store, store: SparqlJobStore) -> None:
    created = '; dct:created "2024-01-06T06:00:00Z"^^xsd:dateTime'
    put(triplestore, "http://example.org/graphs/1", ours(JOB, created))
    (half,) = store.half_jobs([operation(DUMP)], soon())
    assert (half.job.uri, half.graph) == (JOB, "http://example.org/graphs/1")
    assert half.job_id == JOB.rpartition("/")[2]
    assert half.job.created == at("2024-01-06T06:00:00")


def test_half_jobs_of_others_are_left_alone(triplestore: Store, store: SparqlJobStore) -> None:
    put(triplestore, GRAPH, job_text(JOB))
    assert store.half_jobs([operation(DUMP)], soon()) == ()


def test_a_finished_job_without_a_task_is_left_alone(
    triplestore: Store, store: SparqlJobStore
) -> None:
    put(triplestore, GRAPH, ours(JOB).replace("JobStatus/busy", "JobStatus/success"))
    assert store.half_jobs([operation(DUMP)], soon()) == ()


def test_an_added_task_is_what_was_left_out(triplestore: Store, store: SparqlJobStore) -> None:
    new = new_job("a")
    store.create(new, soon(), soon())
    whole = triples(triplestore)
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{new.task_uri}> ?p ?o }} }}")
    assert triples(triplestore) != whole
    store.add_task(new, soon())
    assert triples(triplestore) == whole


def values(triplestore: Store, uri: str, name: str) -> list[str]:
    query = f"{stack.PREFIXES} SELECT ?v {{ GRAPH ?g {{ <{uri}> {name} ?v }} }}"
    rows = select_terms(triplestore, query)
    return sorted(normal(row["v"]).removeprefix(stack.STATUS) for row in rows)


def test_of_second_values_the_right_one_stays(triplestore: Store, store: SparqlJobStore) -> None:
    """Two processes started at once: one job, two dates; its consumer was quick."""
    new = new_job("a", INITIAL_SYNC, created=at("2024-01-06T06:00:00.100"))
    late = new_job("a", INITIAL_SYNC, created=at("2024-01-06T06:00:00.200"))
    store.create(new, soon(), soon())
    stack.set_status(triplestore, new.task_uri, "busy")
    store.create(late, soon(), soon())
    assert values(triplestore, new.task_uri, "adms:status") == ["busy", "scheduled"]
    mended = store.mend_second_values([operation(INITIAL_SYNC)], soon())
    assert set(mended) == {new.uri, new.task_uri}
    for uri in mended:
        assert values(triplestore, uri, "dct:created") == ["2024-01-06T06:00:00.100+00:00"]
        assert values(triplestore, uri, "dct:modified") == ["2024-01-06T06:00:00.200+00:00"]
    assert values(triplestore, new.uri, "adms:status") == ["busy"]
    assert values(triplestore, new.task_uri, "adms:status") == ["busy"]
    assert store.mend_second_values([operation(INITIAL_SYNC)], soon()) == ()


def test_second_values_of_others_are_left_alone(triplestore: Store, store: SparqlJobStore) -> None:
    put(triplestore, GRAPH, job_text(JOB) + job_text(JOB, "scheduled"))
    assert store.mend_second_values([operation(DUMP)], soon()) == ()
    assert values(triplestore, JOB, "adms:status") == ["busy", "scheduled"]


def test_a_job_that_got_another_task_since_it_was_read_is_not_ended(
    triplestore: Store, store: SparqlJobStore
) -> None:
    put(triplestore, GRAPH, job_text(JOB) + TASK_TEXT)
    stack.set_status(triplestore, TASK_OF_JOB, "success")
    seen = read(store).active[0]
    put(triplestore, GRAPH, TASK_TEXT.replace(TASK_OF_JOB, "http://example.org/next"))
    store.end(seen, Status.SUCCESS, at("2024-01-06T08:00:00"), soon())
    assert stack.status_of(triplestore, JOB) == ["busy"]
    store.end(read(store).active[0], Status.FAILED, at("2024-01-06T08:00:00"), soon())
    assert stack.status_of(triplestore, JOB) == ["failed"]
    assert stack.status_of(triplestore, "http://example.org/next") == ["failed"]


@pytest.mark.parametrize(
    ("ends", "stays"), [(("failed", "success"), "success"), (("failed", "canceled"), "canceled")]
)
def test_of_two_ends_the_one_that_somebody_knew_of_stays(
    triplestore: Store, store: SparqlJobStore, ends: tuple[str, str], stays: str
) -> None:
    """A job-controller closed a job in the very moment in which it was failed for its silence."""
    put(triplestore, GRAPH, job_text(JOB, "busy"))
    (seen,) = read(store).active
    update(triplestore, f"DELETE WHERE {{ GRAPH ?g {{ <{JOB}> <{ADMS}status> ?s }} }}")
    for status in ends:
        text = f"<{JOB}> adms:status <{stack.STATUS}{status}> ."
        put(triplestore, GRAPH, text)
    store.mend([seen], soon())
    assert stack.status_of(triplestore, JOB) == [stays]


@pytest.mark.parametrize("name", ["non\u00a0breaking", "line\u2028separator"])
def test_a_job_that_can_not_be_named_keeps_no_other_from_being_removed(
    triplestore: Store, store: SparqlJobStore, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    put(triplestore, GRAPH, job_text(f"http://example.org/{name}") + job_text(JOB))
    (job,) = store.batch_of(operation(DUMP), soon())
    assert job.uri == JOB
    assert "remove it by hand" in caplog.text
