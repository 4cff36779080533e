"""Each fault of the proxy has its documented effect on the client and on the store."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.patience import PATIENCE
from tests.support.servers import Oxigraph, clear, select, update
from tests.support.sparql_text import first_operation

INSERT_A = (
    "INSERT DATA { GRAPH <http://test/g> { <http://test/a> <http://test/p> 'a;b' ; <q:r> 2 } }"
)
INSERT_B = "INSERT DATA { GRAPH <http://test/g> { <http://test/b> <http://test/p> 'b' } }"
SUBJECTS = "SELECT DISTINCT ?s WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?s"
A = {"s": "http://test/a"}
B = {"s": "http://test/b"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def shared_store() -> Iterator[Oxigraph]:
    with Oxigraph() as store:
        yield store


@pytest.fixture
def store(shared_store: Oxigraph) -> Iterator[Oxigraph]:
    yield shared_store
    clear(shared_store)


@pytest.fixture
def proxy(store: Oxigraph) -> Iterator[FaultProxy]:
    before = threading.active_count()
    with FaultProxy(store.shared_endpoint) as proxy:
        yield proxy
    assert threading.active_count() == before


def send(
    proxy: FaultProxy,
    form: dict[str, str],
    headers: dict[str, str] | None = None,
    timeout: float = PATIENCE,
) -> tuple[int, bytes]:
    """Post a form as a plain client does, and return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("POST", "/sparql", urlencode(form), FORM | (headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_pass_forwards_query_and_update(proxy: FaultProxy) -> None:
    update(proxy, INSERT_A)
    assert select(proxy, SUBJECTS) == [A]


def test_pass_answers_with_the_headers_of_the_store(proxy: FaultProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
    connection.request("POST", "/sparql", urlencode({"query": SUBJECTS}), FORM)
    answer = connection.getresponse()
    assert answer.getheader("server", "").startswith("Oxigraph")
    connection.close()


def test_requests_are_recorded(proxy: FaultProxy) -> None:
    send(proxy, {"query": "ASK {}"}, {"Mu-Auth-Sudo": "true"})
    [request] = proxy.requests
    assert (request.method, request.path) == ("POST", "/sparql")
    assert request.headers["mu-auth-sudo"] == "true"
    assert request.form == {"query": "ASK {}"}
    assert request.body == b"query=ASK+%7B%7D"


def test_updates_are_distinguished_from_queries(proxy: FaultProxy) -> None:
    prefixed = "PREFIX t: <http://test/#>\n# a comment\n" + INSERT_B
    for form in ({"query": SUBJECTS}, {"update": INSERT_A}, {"query": prefixed}):
        send(proxy, form)
    assert [request.sparql for request in proxy.updates] == [INSERT_A, prefixed]


@pytest.mark.parametrize("repeat", range(2))
def test_refuse_closes_the_port_until_another_fault_is_set(proxy: FaultProxy, repeat: int) -> None:
    proxy.always(Fault.REFUSE)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            send(proxy, {"query": SUBJECTS})
    proxy.always(Fault.PASS)
    assert select(proxy, SUBJECTS) == []
    assert len(proxy.requests) == 1


def test_refuse_can_end_a_script(proxy: FaultProxy) -> None:
    proxy.script(Fault.PASS, Fault.REFUSE)
    update(proxy, INSERT_A)
    with pytest.raises(ConnectionRefusedError):
        update(proxy, INSERT_B)
    proxy.script()
    assert select(proxy, SUBJECTS) == [A]


def test_refuse_cannot_begin_a_script(proxy: FaultProxy) -> None:
    with pytest.raises(ValueError, match="last of a script"):
        proxy.script(Fault.REFUSE, Fault.PASS)


@pytest.mark.parametrize(("fault", "stored"), [(Fault.RESET_BEFORE, []), (Fault.RESET_AFTER, [A])])
def test_reset(
    proxy: FaultProxy, store: Oxigraph, fault: Fault, stored: list[dict[str, str]]
) -> None:
    proxy.script(fault)
    with pytest.raises(ConnectionResetError) as caught:
        update(proxy, INSERT_A)
    assert not isinstance(caught.value, http.client.RemoteDisconnected)
    assert select(store, SUBJECTS) == stored


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE, b"<html>"),
        (Fault.SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR, b"<html>"),
        (Fault.NOT_FOUND, HTTPStatus.NOT_FOUND, b"<html>"),
        (Fault.HTML, HTTPStatus.OK, b"<html>"),
        (Fault.EMPTY, HTTPStatus.OK, b""),
        (Fault.IGNORE, HTTPStatus.OK, b'{"head":'),
    ],
)
def test_answers_without_the_store(
    proxy: FaultProxy, store: Oxigraph, fault: Fault, status: HTTPStatus, text: bytes
) -> None:
    proxy.script(fault)
    got, body = send(proxy, {"update": INSERT_A})
    assert got == status
    assert body.startswith(text)
    assert bool(body) is bool(text)
    assert select(store, SUBJECTS) == []


def test_hang_outlasts_the_client(proxy: FaultProxy, store: Oxigraph) -> None:
    proxy.script(Fault.HANG)
    with pytest.raises(TimeoutError):
        send(proxy, {"update": INSERT_A}, timeout=0.2)
    proxy.wait_idle()
    assert select(store, SUBJECTS) == []


def test_hang_then_apply_writes_after_the_client_gave_up(
    proxy: FaultProxy, store: Oxigraph
) -> None:
    proxy.script(Fault.HANG_THEN_APPLY)
    with pytest.raises(TimeoutError):
        send(proxy, {"update": INSERT_A}, timeout=0.2)
    assert select(store, SUBJECTS) == []
    proxy.release()
    assert select(store, SUBJECTS) == [A]


def test_trickle_takes_longer_than_the_timeout_of_the_client(proxy: FaultProxy) -> None:
    proxy.script(Fault.TRICKLE)
    proxy.pause = 0.03
    began = time.monotonic()
    _, body = send(proxy, {"query": SUBJECTS}, timeout=1)
    assert time.monotonic() - began > 1
    assert json.loads(body)["results"]["bindings"] == []


@pytest.mark.parametrize("form", [{"query": SUBJECTS}, {"update": INSERT_A}], ids=str)
def test_cut_body_is_shorter_than_announced(proxy: FaultProxy, form: dict[str, str]) -> None:
    proxy.script(Fault.CUT_BODY)
    with pytest.raises(http.client.IncompleteRead):
        send(proxy, form)


@pytest.mark.parametrize("form", [{"query": SUBJECTS}, {"update": INSERT_A}], ids=str)
def test_cut_json_is_correct_http(proxy: FaultProxy, form: dict[str, str]) -> None:
    proxy.script(Fault.CUT_JSON)
    status, body = send(proxy, form)
    assert status == HTTPStatus.OK
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.FIRST_OPERATION, 204), (Fault.FIRST_OPERATION_THEN_500, 500)]
)
def test_first_operation_alone_is_stored(
    proxy: FaultProxy, store: Oxigraph, fault: Fault, status: int
) -> None:
    proxy.script(fault)
    assert send(proxy, {"update": f"{INSERT_A} ;\n{INSERT_B}"})[0] == status
    assert select(store, SUBJECTS) == [A]


@pytest.mark.parametrize(
    "first", [INSERT_A, f"{INSERT_A} # ; }}\n", INSERT_B.replace("'b'", '"};"')]
)
def test_operations_end_at_a_semicolon_outside_braces(first: str) -> None:
    assert first_operation(f"{first};{INSERT_B}") == first
    assert first_operation(first) == first


def test_a_script_runs_in_order_and_then_the_fault_of_always(proxy: FaultProxy) -> None:
    proxy.always(Fault.NOT_FOUND)
    proxy.script(Fault.UNAVAILABLE, Fault.PASS)
    assert [send(proxy, {"query": "ASK {}"})[0] for _ in range(4)] == [503, 200, 404, 404]
    assert [request.fault for request in proxy.requests][:2] == [Fault.UNAVAILABLE, Fault.PASS]


def test_only_updates_lets_queries_pass(proxy: FaultProxy) -> None:
    proxy.only_updates = True
    proxy.script(Fault.UNAVAILABLE)
    assert select(proxy, SUBJECTS) == []
    assert send(proxy, {"update": INSERT_A})[0] == 503


def test_only_can_be_any_predicate(proxy: FaultProxy) -> None:
    proxy.only = lambda request: "test/b" in request.sparql
    proxy.always(Fault.UNAVAILABLE)
    assert [send(proxy, {"update": text})[0] for text in (INSERT_A, INSERT_B)] == [204, 503]


def test_a_stopped_store_is_answered_with_502(proxy: FaultProxy, store: Oxigraph) -> None:
    store.stop()
    try:
        assert send(proxy, {"query": SUBJECTS})[0] == HTTPStatus.BAD_GATEWAY
    finally:
        store.start()


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.HANG_THEN_APPLY, Fault.TRICKLE])
def test_the_end_of_the_block_ends_all_requests(store: Oxigraph, fault: Fault) -> None:
    """A waiting client is disconnected, nothing more is stored, and no thread is left."""
    before = threading.active_count()
    with FaultProxy(store.shared_endpoint) as proxy:
        proxy.always(fault)
        proxy.pause = 10 * PATIENCE
        waiting = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)
        body = urlencode({"update": INSERT_A})
        head = f"POST /sparql HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
        head += f"Content-Type: {FORM['Content-Type']}\r\n\r\n"
        waiting.sendall((head + body).encode())
        if fault is Fault.TRICKLE:
            assert waiting.recv(1), "no byte of the answer, which follows the store's own"
        while not proxy.requests:
            time.sleep(0.01)
    with waiting:
        while waiting.recv(4096):
            pass
    assert threading.active_count() == before
    assert select(store, SUBJECTS) == ([A] if fault is Fault.TRICKLE else [])


def test_many_clients_at_once(proxy: FaultProxy, store: Oxigraph) -> None:
    threads = [
        threading.Thread(target=update, args=(proxy, INSERT_B.replace("test/b", f"test/{n}")))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(select(store, SUBJECTS)) == 20


def test_an_error_of_the_proxy_itself_is_raised(store: Oxigraph) -> None:
    with pytest.RaisesGroup(RuntimeError), FaultProxy(store.shared_endpoint) as proxy:

        def broken(_: object) -> bool:
            raise RuntimeError("bug")

        proxy.only = broken
        with pytest.raises(http.client.RemoteDisconnected):
            send(proxy, {"query": SUBJECTS})
