"""How the job store uses its client. What it writes to real stores is in tests/contract/."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from jobs.model import SERVICE, Status
from sparql.errors import BadAnswer, SparqlError, TimedOut
from sparql.queries import MAX_ROWS
from sparql.store import BoundSparqlStore, SparqlJobStore
from sparql.vocabulary import JOB_CLASS, PROPERTIES, STATUS_BASE
from tests.support.builders import DUMP, NOW, job_of, new_job, operation, stream_of
from tests.support.canned import Canned, answer
from tests.support.sparql_store import client_of, soon

STREAM = stream_of()
OPERATIONS = STREAM.operations
IRIS = {name: iri for iri, name in PROPERTIES.items()}


@pytest.fixture
def server() -> Iterator[Canned]:
    with Canned(rows()) as server:
        yield server


@pytest.fixture
def store(server: Canned) -> BoundSparqlStore:
    return SparqlJobStore(client_of(server.endpoint)).within(soon())


def rows(*bindings: dict[str, str]) -> bytes:
    """Return a store's answer to a SELECT."""
    terms = [{name: {"value": text} for name, text in row.items()} for row in bindings]
    return answer(body=json.dumps({"results": {"bindings": terms}}).encode())


READS: dict[str, Callable[[BoundSparqlStore], Any]] = {
    "state": lambda store: store.state(STREAM),
    "find": lambda store: store.find(["urn:job"]),
    "inspect": lambda store: store.inspect(OPERATIONS, [], []),
    "of_operations": lambda store: store.of_operations(OPERATIONS),
    "in_use": lambda store: store.in_use(OPERATIONS),
    "active": lambda store: store.active(OPERATIONS),
    "recent": lambda store: store.recent(OPERATIONS, NOW),
    "current": lambda store: store.current(OPERATIONS, NOW),
    "deletable_jobs": lambda store: store.deletable_jobs(operation(DUMP)),
    "find_errors": lambda store: store.find_errors(["urn:error"]),
    "undeletable_jobs": lambda store: store.undeletable_jobs(operation(DUMP)),
}


@pytest.mark.parametrize("read", READS)
def test_a_row_without_a_needed_variable_is_a_bad_answer(
    store: BoundSparqlStore, server: Canned, read: str
) -> None:
    server.content = rows({"other": "urn:x"})
    with pytest.raises(BadAnswer, match=r"^\?(job|subject|error|operation) is missing$"):
        READS[read](store)


WRITES: dict[str, Callable[[BoundSparqlStore], Any]] = {
    "add_task": lambda store: store.add_task(replace(new_job("a"), graph="b0")),
    "set_status": lambda store: store.set_status(job_of(DUMP, uri="b0"), Status.FAILED, NOW),
    "delete": lambda store: store.delete([job_of(DUMP, uri="b0")]),
}


@pytest.mark.parametrize("write", WRITES)
def test_changing_a_blank_node_fails_as_an_error_of_the_store(
    store: BoundSparqlStore, server: Canned, write: str
) -> None:
    server.content = rows({"subject": "b0"})
    with pytest.raises(SparqlError, match="not an absolute IRI"):
        WRITES[write](store)
    assert not [request for request in server.requests if request.is_update]


def test_a_blank_node_does_not_keep_others_from_their_repair(
    store: BoundSparqlStore, server: Canned
) -> None:
    store.repair(["b0", "urn:job"])
    updates = [request.sparql for request in server.requests if request.is_update]
    assert len(updates) == 1
    assert all("<urn:job>" in text and "b0" not in text for text in updates)


def test_the_parts_of_many_jobs_are_read_in_small_answers(
    store: BoundSparqlStore, server: Canned
) -> None:
    """Virtuoso cuts an answer at a number of rows, and each job can have many errors."""
    store.delete([job_of(DUMP, uri=f"urn:job:{number}") for number in range(1000)])
    reads = [request.sparql for request in server.requests if not request.is_update]
    assert [len({*re.findall("<urn:job:[0-9]+>", text)}) for text in reads] == [200] * 5


@pytest.mark.parametrize(
    ("statuses", "complete"),
    [
        (["busy"] * (MAX_ROWS - 1), True),
        (["busy"] * (MAX_ROWS - 1) + ["success"], True),
        (["busy"] * MAX_ROWS, False),
    ],
    ids=["fewer jobs than are read", "finished jobs after the active ones", "only active jobs"],
)
def test_the_store_knows_whether_it_read_every_active_job(
    store: BoundSparqlStore, server: Canned, statuses: list[str], *, complete: bool
) -> None:
    job = f"{IRIS['type']} {JOB_CLASS}\n{IRIS['operation']} {OPERATIONS[0]}"
    server.content = rows(
        *(
            {
                "subject": f"urn:{number}",
                "graph": "urn:graph",
                "facts": f"{job}\n{IRIS['status']} {STATUS_BASE}{status}",
            }
            for number, status in enumerate(statuses)
        )
    )
    found = store.current(OPERATIONS, NOW)
    assert len(found.jobs) == len(statuses)
    assert found.complete is complete


def test_jobs_without_a_task_that_no_update_can_name_are_left_out(
    store: BoundSparqlStore, server: Canned
) -> None:
    lines = [
        f"{IRIS['type']} {JOB_CLASS}",
        f"{IRIS['operation']} {OPERATIONS[0]}",
        f"{IRIS['status']} {STATUS_BASE}busy",
        f"{IRIS['creator']} {SERVICE}",
        f"{IRIS['id']} 1",
    ]
    row = {"graph": "urn:graph", "facts": "\n".join(lines)}
    server.content = rows({"subject": "b0", **row}, {"subject": "urn:job", **row})
    assert [one.job.uri for one in store.inspect(OPERATIONS, [], []).jobs_without_task] == [
        "urn:job"
    ]


@pytest.mark.parametrize("body", [b"{}", b'{"boolean": true}', b"[]"])
def test_a_ping_needs_the_answer_of_a_select(
    store: BoundSparqlStore, server: Canned, body: bytes
) -> None:
    server.content = answer(body=body)
    with pytest.raises(BadAnswer, match="not the JSON of a SELECT"):
        store.ping()


def test_nothing_is_sent_for_empty_lists(store: BoundSparqlStore, server: Canned) -> None:
    assert store.newest([], NOW) == ()
    assert store.find([]) == ()
    assert store.find_errors([]) == {}
    store.repair([])
    assert not server.requests


def test_a_long_list_of_errors_is_sent_in_batches(store: BoundSparqlStore, server: Canned) -> None:
    """Virtuoso takes lists of at most 4,094 values."""
    store.find_errors([f"urn:error:{number}" for number in range(2500)])
    assert len(server.requests) == 3


def test_a_job_is_not_written_after_send_by(store: BoundSparqlStore, server: Canned) -> None:
    with pytest.raises(TimedOut):
        store.create(new_job("a"), soon(0))
    assert not server.requests


@pytest.mark.parametrize("uri", ["_:b0", "http://example.org/\ud800", "http://example.org/a b", ""])
def test_a_uri_that_is_no_iri_is_not_searched(
    store: BoundSparqlStore, server: Canned, uri: str
) -> None:
    assert store.find([uri]) == ()
    assert not server.requests
    store.find([uri, "urn:job"])
    (request,) = server.requests
    assert "<urn:job>" in request.form["query"]
