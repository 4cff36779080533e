"""Requests share kept connections, and each ends as exactly as on a connection of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sparql import connection
from sparql.errors import TimedOut, Unreachable
from tests.support.canned import answer
from tests.support.faults import Request, read_request
from tests.support.patience import PATIENCE
from tests.support.sockets import Listener, free_port, interrupt
from tests.support.sparql_store import client_of, soon

QUERY = "SELECT ?s WHERE { ?s ?p ?o }"
INSERT = 'INSERT DATA { GRAPH <http://g> { <http://s> <http://p> "o" } }'
ROWS = answer(body=b'{"results": {"bindings": []}}').replace(b"Connection: close\r\n", b"")
BRIEF = 0.3  # seconds until the deadline of a request that is never answered


class KeptServer:
    """Answers every request of a connection; `reply` does it, and returns False to hang up."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections: list[socket.socket] = []
        self.hung_up = threading.Event()
        self.reply: Callable[[socket.socket], bool] = self.answer
        self._threads: list[threading.Thread] = []
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}/sparql"
        self._listener = Listener(self.port, self._accepted)

    def answer(self, client: socket.socket) -> bool:
        client.sendall(ROWS)
        return True

    def close(self) -> None:
        self._listener.close()
        for client in self.connections:
            interrupt(client)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accepted(self, client: socket.socket) -> None:
        self.connections.append(client)
        thread = threading.Thread(target=self._serve, args=(client,))
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as stream:
                while request := read_request(stream):
                    self.requests.append(request)
                    if not self.reply(client):
                        break
        except OSError:
            pass  # The client gave up
        self.hung_up.set()


@pytest.fixture
def server() -> Iterator[KeptServer]:
    server = KeptServer()
    yield server
    server.close()


def test_requests_one_after_the_other_use_one_connection(server: KeptServer) -> None:
    client = client_of(server.endpoint)
    for _ in range(5):
        client.query(QUERY, soon())
        client.update(INSERT, soon())
    assert (len(server.connections), len(server.requests)) == (1, 10)


def test_clients_with_other_settings_share_connections(server: KeptServer) -> None:
    client_of(server.endpoint, pool=(pool := connection.ConnectionPool())).query(QUERY, soon())
    client_of(server.endpoint, pool=pool).query(QUERY, soon())
    assert len(server.connections) == 1


def test_an_update_after_the_server_closed_the_connection_is_sent_once_on_a_new_one(
    server: KeptServer,
) -> None:
    client = client_of(server.endpoint)
    server.reply = lambda connected: server.answer(connected) and False
    client.query(QUERY, soon())
    assert server.hung_up.wait(PATIENCE)
    client.update(INSERT, soon())
    assert len(server.connections) == 2
    assert [request.is_update for request in server.requests] == [False, True]


def test_a_connection_that_was_unused_for_long_is_not_used(
    server: KeptServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(server.endpoint)
    client.query(QUERY, soon())
    monkeypatch.setattr(connection, "IDLE_SECONDS", -1)
    client.query(QUERY, soon())
    assert len(server.connections) == 2


def test_an_update_whose_kept_connection_breaks_is_in_doubt_and_is_not_sent_again(
    server: KeptServer,
) -> None:
    client = client_of(server.endpoint)
    client.query(QUERY, soon())
    server.reply = lambda _: False
    with pytest.raises(Unreachable) as caught:
        client.update(INSERT, soon())
    assert caught.value.in_doubt
    assert [request.is_update for request in server.requests] == [False, True]


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", ROWS[:-5]])
def test_a_kept_connection_on_which_no_whole_answer_comes_ends_at_the_deadline(
    server: KeptServer, beginning: bytes
) -> None:
    client = client_of(server.endpoint)
    client.query(QUERY, soon())

    def stall(connected: socket.socket) -> bool:
        connected.sendall(beginning)
        return True

    server.reply = stall
    with pytest.raises(TimedOut) as caught:
        client.update(INSERT, soon(BRIEF))
    assert caught.value.in_doubt
    assert server.hung_up.wait(PATIENCE), "the connection is closed"
    server.reply = server.answer
    client.query(QUERY, soon())
    assert len(server.connections) == 2


def test_more_connections_than_are_kept_are_closed(
    server: KeptServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_IDLE", 0)
    client_of(server.endpoint).query(QUERY, soon())
    assert server.hung_up.wait(PATIENCE)


def test_a_client_that_is_not_used_any_more_closes_its_connections(server: KeptServer) -> None:
    client = client_of(server.endpoint)
    client.query(QUERY, soon())
    del client
    assert server.hung_up.wait(PATIENCE)
