"""How the store in SPARQL uses its client; what it does to real stores, tests/contract/ shows."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs.model import Status
from jobs.store import Deadline
from sparql.client import BadAnswer, SparqlClient, SparqlError, TimedOut
from sparql.store import SparqlJobStore
from tests.builders import DUMP, NOW, job_of, new_job, operation, stream_of
from tests.canned import Canned, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STREAM = stream_of()
OPERATIONS = STREAM.operations
SESSION = "http://mu.semte.ch/sessions/a"


@pytest.fixture
def server() -> Iterator[Canned]:
    with Canned(rows()) as server:
        yield server


@pytest.fixture
def store(server: Canned) -> SparqlJobStore:
    url = server.endpoint
    return SparqlJobStore(SparqlClient(query_url=url, update_url=url, new_call_id=lambda: "call"))


def rows(*bindings: dict[str, str]) -> bytes:
    """Return a store's answer to a SELECT."""
    terms = [{name: {"value": text} for name, text in row.items()} for row in bindings]
    return answer(body=json.dumps({"results": {"bindings": terms}}).encode())


def soon(seconds: float = 30) -> Deadline:
    return Deadline.after(seconds, time.monotonic)


READS: dict[str, Callable[[SparqlJobStore], Any]] = {
    "state": lambda store: store.state(STREAM, None, soon()),
    "find": lambda store: store.find(["urn:job"], soon()),
    "half_jobs": lambda store: store.half_jobs(OPERATIONS, soon()),
    "active": lambda store: store.active(OPERATIONS, soon()),
    "batch_of": lambda store: store.batch_of(operation(DUMP), soon()),
    "mend_second_values": lambda store: store.mend_second_values(OPERATIONS, soon()),
}


@pytest.mark.parametrize("read", READS)
def test_a_row_that_lacks_what_was_asked_for_is_a_bad_answer(
    store: SparqlJobStore, server: Canned, read: str
) -> None:
    server.said = rows({"other": "urn:x"})
    with pytest.raises(BadAnswer, match=r"^\?(job|subject) is missing$"):
        READS[read](store)


WRITES: dict[str, Callable[[SparqlJobStore], Any]] = {
    "add_task": lambda store: store.add_task(replace(new_job("a"), graph="b0"), soon()),
    "end": lambda store: store.end(job_of(DUMP, uri="b0"), Status.FAILED, NOW, soon()),
    "delete": lambda store: store.delete([job_of(DUMP, uri="b0")], soon()),
    "mend_second_values": lambda store: store.mend_second_values(OPERATIONS, soon()),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_has_no_iri_in_the_store_can_not_be_changed(
    store: SparqlJobStore, server: Canned, write: str
) -> None:
    """A blank node; the caller hears of it as of any other failure of the store."""
    server.said = rows({"subject": "b0"})
    with pytest.raises(SparqlError, match="not an absolute IRI"):
        WRITES[write](store)
    assert not [request for request in server.requests if request.is_update]


@pytest.mark.parametrize("body", [b"{}", b'{"boolean": true}', b"[]"])
def test_a_store_that_does_not_answer_a_select_with_rows_does_not_answer(
    store: SparqlJobStore, server: Canned, body: bytes
) -> None:
    server.said = answer(body=body)
    with pytest.raises(BadAnswer, match="not the JSON of a SELECT"):
        store.ping(soon())


def test_nothing_is_asked_about_no_operations(store: SparqlJobStore, server: Canned) -> None:
    assert store.newest([], NOW, soon()) == ()
    assert store.recorded([], soon()) == {}
    assert not server.requests


def test_nothing_is_mended_where_nothing_is_wrong(store: SparqlJobStore, server: Canned) -> None:
    assert store.mend_second_values(OPERATIONS, soon()) == ()
    assert not [request for request in server.requests if request.is_update]


def test_an_error_is_recorded_once_it_is_found(store: SparqlJobStore, server: Canned) -> None:
    assert store.recorded(["urn:error"], soon()) == {}
    server.said = rows({"error": "urn:error", "created": NOW.isoformat()})
    assert store.recorded(["urn:error"], soon()) == {"urn:error": NOW}


def test_a_long_list_of_errors_is_looked_for_in_parts(
    store: SparqlJobStore, server: Canned
) -> None:
    """Virtuoso takes no list of more than 4,094."""
    store.recorded([f"urn:error:{number}" for number in range(2500)], soon())
    assert len(server.requests) == 3


def test_a_job_is_written_in_a_session_of_its_own_its_task_too(
    store: SparqlJobStore, server: Canned
) -> None:
    """Of two dump tasks in one bundle of delta-notifier only the first is ever done."""
    store.create(new_job("a"), soon(), soon())
    store.add_task(new_job("a"), soon())
    store.delete([job_of(DUMP)], soon())
    sessions = [request.headers.get("mu-session-id") for request in server.requests]
    assert sessions == [SESSION, SESSION, None]


def test_a_job_is_not_written_on_grounds_that_are_old(
    store: SparqlJobStore, server: Canned
) -> None:
    with pytest.raises(TimedOut):
        store.create(new_job("a"), soon(0), soon())
    assert not server.requests


@pytest.mark.parametrize("uri", ["_:b0", "http://example.org/\ud800", "http://example.org/a b", ""])
def test_a_uri_that_can_not_be_asked_for_is_not_found(
    store: SparqlJobStore, server: Canned, uri: str
) -> None:
    assert store.find([uri], soon()) == ()
    assert not server.requests
    store.find([uri, "urn:job"], soon())
    (request,) = server.requests
    assert "<urn:job>" in request.form["query"]
