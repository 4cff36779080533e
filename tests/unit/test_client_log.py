"""What LOG_SPARQL_QUERIES and LOG_SPARQL_UPDATES let into the log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest

from sparql.client import RETRY_PAUSES, SparqlClient
from sparql.errors import Rejected, SparqlError, TimedOut
from tests.support.canned import Canned, answer
from tests.support.sparql_store import client_of, soon

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
def every_level_is_captured(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def client_on(server: Canned, *, queries: bool = True, updates: bool = True) -> SparqlClient:
    url = server.endpoint
    return client_of(
        url, f"{url}/update", log_queries=queries, log_updates=updates, sleep=lambda _: None
    )


@pytest.mark.parametrize("queries", [True, False])
@pytest.mark.parametrize("updates", [True, False])
def test_each_switch_lets_in_its_statements_each_on_one_line(
    server: Canned, caplog: pytest.LogCaptureFixture, *, queries: bool, updates: bool
) -> None:
    client = client_on(server, queries=queries, updates=updates)
    client.query(QUERY, soon())
    client.update(UPDATE, soon())
    logged = [f"query to {server.endpoint}: {QUERY_LINE}"] if queries else []
    logged += [f"update to {server.endpoint}/update: {UPDATE_LINE}"] if updates else []
    assert caplog.messages == logged
    assert {record.levelname for record in caplog.records} <= {"INFO"}


def test_query_once_logs_nothing(server: Canned, caplog: pytest.LogCaptureFixture) -> None:
    client_on(server).query_once(QUERY, soon())
    assert not caplog.messages


def test_a_repeated_query_is_logged_once_with_the_reason_of_each_retry(
    server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.content = answer(500, b"out of\nluck")
    with pytest.raises(Rejected):
        client_on(server).query(QUERY, soon())
    reason = f"{server.endpoint} answered 500: out of luck"
    assert caplog.messages == [
        f"query to {server.endpoint}: {QUERY_LINE}",
        *(f"query failed, trying again in {pause} s: {reason}" for pause in RETRY_PAUSES),
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_an_update_that_is_not_sent_is_not_logged(
    server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimedOut):
        client_on(server).update(UPDATE, soon(), send_by=soon(0))
    assert not caplog.messages
    assert not server.requests


@pytest.mark.parametrize(
    "said", [DONE, b"", answer(404), answer(body=b"no JSON")], ids=["done", "cut", "404", "text"]
)
def test_nothing_is_printed_outside_of_the_log(
    server: Canned, capfd: pytest.CaptureFixture[str], said: bytes
) -> None:
    server.content = said
    client = client_on(server, queries=False, updates=False)
    for send, text in ((client.query_once, QUERY), (client.update, UPDATE)):
        with contextlib.suppress(SparqlError):
            send(text, soon())
    assert capfd.readouterr() == ("", "")
