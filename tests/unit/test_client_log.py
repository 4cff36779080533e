"""What the switches LOG_SPARQL_QUERIES and LOG_SPARQL_UPDATES let into the log, and no more."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

import pytest

from jobs.store import Deadline
from sparql.client import RETRY_WAITS, Rejected, SparqlClient, SparqlError, TimedOut
from tests.canned import Canned, answer

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERY = 'PREFIX a: <urn:a>\nSELECT ?s\nWHERE { ?s a:b "% $x {}" }'
UPDATE = 'PREFIX a: <urn:a>\nINSERT DATA {\n  a:b a:c "% $x  {}"\n}'
QUERY_LINE = 'PREFIX a: <urn:a> SELECT ?s WHERE { ?s a:b "% $x {}" }'
UPDATE_LINE = 'PREFIX a: <urn:a> INSERT DATA { a:b a:c "% $x  {}" }'
DONE = answer(body=b'{"results": {"bindings": []}}')


@pytest.fixture
def server() -> Iterator[Canned]:
    with Canned(DONE) as server:
        yield server


@pytest.fixture(autouse=True)
def everything_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def client_of(server: Canned, *, queries: bool = True, updates: bool = True) -> SparqlClient:
    return SparqlClient(
        query_url=server.endpoint,
        update_url=server.endpoint + "/update",
        new_call_id=lambda: "call",
        log_queries=queries,
        log_updates=updates,
        wait=lambda _: None,
    )


def soon() -> Deadline:
    return Deadline.after(30, time.monotonic)


@pytest.mark.parametrize("queries", [True, False])
@pytest.mark.parametrize("updates", [True, False])
def test_each_switch_lets_its_statements_in_each_on_one_line(
    server: Canned, caplog: pytest.LogCaptureFixture, *, queries: bool, updates: bool
) -> None:
    client = client_of(server, queries=queries, updates=updates)
    client.query(QUERY, soon())
    client.update(UPDATE, soon())
    logged = [f"query to {server.endpoint}: {QUERY_LINE}"] if queries else []
    logged += [f"update to {server.endpoint}/update: {UPDATE_LINE}"] if updates else []
    assert caplog.messages == logged
    assert {record.levelname for record in caplog.records} <= {"INFO"}


def test_a_probe_is_never_logged(server: Canned, caplog: pytest.LogCaptureFixture) -> None:
    client_of(server).probe(QUERY, soon())
    assert not caplog.messages


def test_a_query_that_is_tried_again_is_logged_once_with_each_reason(
    server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.said = answer(500, b"out of\nluck")
    with pytest.raises(Rejected):
        client_of(server).query(QUERY, soon())
    reason = f"{server.endpoint} answered 500: out of luck"
    assert caplog.messages == [
        f"query to {server.endpoint}: {QUERY_LINE}",
        *(f"query failed, trying again in {pause} s: {reason}" for pause in RETRY_WAITS),
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_an_update_that_is_not_sent_is_not_logged(
    server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimedOut):
        client_of(server).update(UPDATE, soon(), send_by=Deadline.after(0, time.monotonic))
    assert not caplog.messages
    assert not server.requests


@pytest.mark.parametrize(
    "said", [DONE, b"", answer(404), answer(body=b"no JSON")], ids=["done", "cut", "404", "text"]
)
def test_nothing_is_printed_beside_the_log(
    server: Canned, capfd: pytest.CaptureFixture[str], said: bytes
) -> None:
    server.said = said
    client = client_of(server, queries=False, updates=False)
    for send, text in ((client.probe, QUERY), (client.update, UPDATE)):
        with contextlib.suppress(SparqlError):
            send(text, soon())
    assert capfd.readouterr() == ("", "")
