"""What the client sends to a real store, and which error each fault on the way becomes."""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.store import Deadline, StoreError, StoreUnavailable
from sparql import resolver
from sparql.client import RETRY_PAUSES, SparqlClient
from sparql.errors import MAX_MESSAGE, BadAnswer, Rejected, SparqlError, TimedOut, Unreachable
from tests.support.canned import Canned, answer
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.patience import PATIENCE
from tests.support.servers import Store
from tests.support.sparql_store import client_of, soon

ROOT = Path(__file__).resolve().parents[2]
QUERY = "SELECT ?o WHERE { GRAPH <http://g> { <http://s> <http://p> ?o } }"
INSERT = 'INSERT DATA { GRAPH <http://g> { <http://s> <http://p> "it is" } }'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HANGING = (Fault.HANG, Fault.TRICKLE)
BOTH = pytest.mark.parametrize("text", [QUERY, INSERT], ids=["query", "update"])
BRIEF = 0.3  # seconds; the deadline for a store that never answers
MANY_HEADERS = {"X-Filler": "x" * 10_000}  # minutes, when they arrive byte by byte


class Pauses(list[float]):
    """Records the pauses between two tries instead of sleeping; then calls `meanwhile`."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
        self.meanwhile()


@pytest.fixture
def proxy(embedded: Store) -> Iterator[FaultProxy]:
    with FaultProxy(embedded.endpoint) as proxy:
        proxy.update_endpoint = proxy.url + urlsplit(embedded.update_endpoint).path
        yield proxy


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def client(proxy: FaultProxy, pauses: Pauses) -> SparqlClient:
    new_id = map("call-{}".format, count(1)).__next__
    return client_of(proxy.endpoint, proxy.update_endpoint, new_id=new_id, sleep=pauses)


def send(client: SparqlClient, text: str, deadline: Deadline) -> None:
    """Send a query once, or an update that may be sent for longer than the caller waits."""
    if text.startswith("INSERT"):
        client.update(text, deadline, send_by=soon(60))
    else:
        client.query_once(text, deadline)


# -- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "field"), [(QUERY, "query"), (INSERT, "update")])
def test_a_statement_is_posted_as_a_form_with_one_field(
    client: SparqlClient, proxy: FaultProxy, text: str, field: str
) -> None:
    send(client, text, soon())
    (request,) = proxy.requests
    path = urlsplit(proxy.endpoint if field == "query" else proxy.update_endpoint).path
    assert (request.method, request.path) == ("POST", path)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {field: text}


@BOTH
def test_a_request_asks_for_json_with_the_rights_of_the_service(
    client: SparqlClient, proxy: FaultProxy, text: str
) -> None:
    send(client, text, soon())
    headers = proxy.requests[0].headers
    assert headers["accept"].startswith("application/sparql-results+json")
    assert headers["mu-auth-sudo"] == "true"
    own = {"mu-session-id"} if text == INSERT else set()
    expected = {"mu-auth-sudo", "mu-call-id"} | own
    assert {name for name in headers if name.startswith("mu-")} == expected


def test_each_request_has_its_own_call_id_also_a_repeated_one(
    client: SparqlClient, proxy: FaultProxy
) -> None:
    proxy.script(Fault.UNAVAILABLE, Fault.UNAVAILABLE)
    client.query(QUERY, soon())
    client.update(INSERT, soon())
    ids = [request.headers["mu-call-id"] for request in proxy.requests]
    assert len(set(ids)) == len(ids) == 4


def test_each_update_has_a_session_of_its_own(client: SparqlClient, proxy: FaultProxy) -> None:
    """delta-notifier puts the deltas of all updates without a session into one bundle."""
    client.update(INSERT, soon())
    client.update(INSERT, soon())
    client.query(QUERY, soon())
    first, second, none = (request.headers.get("mu-session-id") for request in proxy.requests)
    assert (first or "").startswith("http://mu.semte.ch/sessions/")
    assert second not in (None, first)
    assert none is None


def test_a_search_is_a_new_text_each_time(client: SparqlClient, proxy: FaultProxy) -> None:
    """A Virtuoso keeps the plan of a text that it first saw while the store was small."""
    proxy.script(Fault.UNAVAILABLE)
    for _ in range(2):
        client.query("SELECT ?s WHERE { GRAPH ?anyGraph { ?s a <http://x/?anyGraph> } }", soon())
    texts = [request.sparql for request in proxy.requests]
    assert len(set(texts)) == len(texts) == 3
    assert all(text.endswith(" { ?s a <http://x/?anyGraph> } }") for text in texts)


@pytest.mark.parametrize(
    "text", ["é 日本 😀", "a+b&c=d;e%20f", "'\\t\\n'", "$graph ${x}", "x" * 4000]
)
def test_a_statement_arrives_unchanged(client: SparqlClient, proxy: FaultProxy, text: str) -> None:
    statement = INSERT.replace("it is", text)
    client.update(statement, soon())
    assert proxy.requests[0].form == {"update": statement}


def test_a_query_returns_the_json_of_the_store(client: SparqlClient) -> None:
    client.update(INSERT, soon())
    assert client.query(QUERY, soon()) == {
        "head": {"vars": ["o"]},
        "results": {"bindings": [{"o": {"type": "literal", "value": "it is"}}]},
    }


def test_a_keyword_in_a_statement_does_not_decide_how_it_is_sent(
    client: SparqlClient, proxy: FaultProxy
) -> None:
    """SPARQLWrapper decides by the first keyword that it finds, even in the IRI of a prefix."""
    query = f"PREFIX : <http://example.org/add/>\n{QUERY}"
    update = f"PREFIX : <http://example.org/ask/>\n{INSERT}"
    client.query(query, soon())
    client.update(update, soon())
    assert [request.form for request in proxy.requests] == [{"query": query}, {"update": update}]


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_proxies_of_the_environment_are_ignored(
    client: SparqlClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for exceptions in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(exceptions, raising=False)
    with Canned(answer(403, b"by order of the company")) as company:
        monkeypatch.setenv(name, company.endpoint)
        client.query(QUERY, soon())
        assert not company.requests


# -- faults -------------------------------------------------------------------------------------

# Each fault with its error, and whether an update may have been applied.
FAULTS: list[tuple[Fault, type[SparqlError], bool]] = [
    (Fault.REFUSE, Unreachable, False),
    (Fault.RESET_BEFORE, Unreachable, True),
    (Fault.RESET_AFTER, Unreachable, True),
    (Fault.CUT_BODY, Unreachable, True),
    (Fault.UNAVAILABLE, Unreachable, True),
    (Fault.HANG, TimedOut, True),
    (Fault.TRICKLE, TimedOut, True),
    (Fault.SERVER_ERROR, Rejected, True),
    (Fault.NOT_FOUND, Rejected, False),
    (Fault.PARTIAL, BadAnswer, True),
    (Fault.HTML, BadAnswer, True),
]
ONLY_FOR_QUERIES = [(Fault.CUT_JSON, BadAnswer, True), (Fault.EMPTY, BadAnswer, True)]
CASES = [(QUERY, *case) for case in FAULTS + ONLY_FOR_QUERIES] + [
    (INSERT, *case) for case in FAULTS
]


@pytest.mark.parametrize(
    ("text", "fault", "expected"),
    [(text, fault, rest) for text, fault, *rest in CASES],
    ids=[f"{text.split()[0]}-{fault.name}" for text, fault, *_ in CASES],
)
def test_each_fault_becomes_its_error(
    client: SparqlClient,
    proxy: FaultProxy,
    text: str,
    fault: Fault,
    expected: list[object],
) -> None:
    proxy.always(fault)
    with pytest.raises(StoreError) as caught:
        send(client, text, soon(BRIEF if fault in HANGING else PATIENCE))
    assert [type(caught.value), caught.value.in_doubt] == expected
    assert proxy.url in str(caught.value)
    assert is_one_short_line(str(caught.value))


def is_one_short_line(message: str) -> bool:
    return message.isprintable() and 0 < len(message) <= MAX_MESSAGE


@pytest.mark.parametrize("fault", [Fault.EMPTY, Fault.CUT_JSON, Fault.IGNORE])
def test_an_update_needs_no_answer_but_the_status_of_success(
    client: SparqlClient, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.always(fault)
    client.update(INSERT, soon())


@pytest.mark.parametrize("error", [Unreachable, TimedOut])
def test_an_absent_store_is_unavailable(error: type[SparqlError]) -> None:
    assert issubclass(error, StoreUnavailable)


@pytest.mark.parametrize("error", [Rejected, BadAnswer])
def test_a_store_that_answers_is_not_unavailable(error: type[SparqlError]) -> None:
    assert not issubclass(error, StoreUnavailable)


def fail_with(failure: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise failure

    return fail


def test_without_an_address_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr(socket, "getaddrinfo", fail_with(unknown))
    with pytest.raises(Unreachable) as caught:
        client_of("http://database:8890/sparql").update(INSERT, soon())
    assert str(caught.value) == f"no answer from http://database:8890/sparql: {unknown}"
    assert not caught.value.in_doubt


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.EHOSTUNREACH, "No route to host"),
        OSError(errno.EMFILE, "Too many open files"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    ],
    ids=str,
)
def test_without_a_connection_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, failure: OSError
) -> None:
    monkeypatch.setattr("sparql.connection._Socket", fail_with(failure))
    with pytest.raises(Unreachable) as caught:
        client_of("http://127.0.0.1:8890/sparql").update(INSERT, soon())
    assert str(caught.value) == f"no answer from http://127.0.0.1:8890/sparql: {failure}"
    assert not caught.value.in_doubt


def test_without_a_connection_in_time_nothing_was_sent() -> None:
    """Linux drops the first packet of a connection if too many wait to be accepted."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/sparql"
        with pytest.raises(TimedOut, match=r"/sparql was not there in time") as caught:
            client_of(url).update(INSERT, soon(BRIEF))
    assert not caught.value.in_doubt


def test_the_next_address_of_a_name_is_tried_if_the_first_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Canned(answer(body=b'{"results": {"bindings": []}}')) as server:
        port = urlsplit(server.endpoint).port
        both = [
            (family, socket.SOCK_STREAM, 0, "", (host, port))
            for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        client_of(server.endpoint).query(QUERY, soon())
    assert len(server.requests) == 1


def test_without_tls_in_the_server_nothing_was_sent() -> None:
    with Canned(b"SSH-2.0-OpenSSH_9.2\r\n", talks_first=True) as server:
        url = server.endpoint.replace("http:", "https:")
        with pytest.raises(Unreachable, match=f"no answer from {url}: ") as caught:
            client_of(url).update(INSERT, soon())
    assert not caught.value.in_doubt


def test_an_invalid_host_name_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="label too long") as caught:
        client_of(f"http://{'a' * 64}/sparql").update(INSERT, soon())
    assert not caught.value.in_doubt


@pytest.mark.parametrize("words", ["can't start new thread", "at interpreter shutdown"])
def test_without_a_thread_nothing_was_sent(
    client: SparqlClient, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(Unreachable, match=words) as caught:
        client.update(INSERT, soon())
    assert not caught.value.in_doubt
    monkeypatch.undo()
    assert not proxy.requests


# -- retries ------------------------------------------------------------------------------------


def test_a_query_is_tried_three_times_with_pauses(
    client: SparqlClient, proxy: FaultProxy, pauses: Pauses
) -> None:
    proxy.script(Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.PASS)
    client.query(QUERY, soon())
    assert pauses == list(RETRY_PAUSES)
    assert len(proxy.requests) == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RESET_BEFORE,
        Fault.CUT_BODY,
        Fault.UNAVAILABLE,
        Fault.SERVER_ERROR,
        Fault.NOT_FOUND,  # Virtuoso answers it under load
    ],
)
def test_a_query_is_not_tried_a_fourth_time(
    client: SparqlClient, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.always(fault)
    with pytest.raises(SparqlError):
        client.query(QUERY, soon())
    assert len(proxy.requests) == 3


def test_a_query_succeeds_when_the_store_has_restarted(
    client: SparqlClient, proxy: FaultProxy, pauses: Pauses
) -> None:
    proxy.always(Fault.REFUSE)
    pauses.meanwhile = lambda: proxy.always(Fault.PASS)
    assert client.query(QUERY, soon())["results"] == {"bindings": []}
    assert pauses == [RETRY_PAUSES[0]]


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.CUT_JSON, Fault.PARTIAL, Fault.EMPTY])
def test_a_query_is_not_repeated_after_an_error_that_would_stay(
    client: SparqlClient, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.always(fault)
    with pytest.raises(SparqlError):
        client.query(QUERY, soon())
    assert len(proxy.requests) == 1


def test_a_query_that_used_all_its_time_is_not_repeated(
    client: SparqlClient, proxy: FaultProxy, pauses: Pauses
) -> None:
    proxy.always(Fault.HANG)
    with pytest.raises(TimedOut):
        client.query(QUERY, soon(BRIEF))
    assert len(proxy.requests) == 1
    assert not pauses


def test_a_query_is_not_repeated_if_no_time_would_be_left(
    client: SparqlClient, proxy: FaultProxy, pauses: Pauses
) -> None:
    now = 0.0
    deadline = Deadline(at=RETRY_PAUSES[0] + 0.5, clock=lambda: now)
    pauses.meanwhile = lambda: proxy.script(Fault.UNAVAILABLE)
    proxy.script(Fault.UNAVAILABLE)
    with pytest.raises(Unreachable):
        client.query(QUERY, deadline)
    assert pauses == [RETRY_PAUSES[0]]
    assert len(proxy.requests) == 2


def test_query_once_sends_one_request(client: SparqlClient, proxy: FaultProxy) -> None:
    proxy.always(Fault.UNAVAILABLE)
    with pytest.raises(Unreachable):
        client.query_once(QUERY, soon())
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RESET_BEFORE,
        Fault.RESET_AFTER,
        Fault.UNAVAILABLE,
        Fault.SERVER_ERROR,
        Fault.HANG,
        Fault.CUT_BODY,
        Fault.HTML,
    ],
)
def test_an_update_is_sent_once_after_every_fault(
    client: SparqlClient, proxy: FaultProxy, pauses: Pauses, fault: Fault
) -> None:
    proxy.always(fault)
    with pytest.raises(SparqlError):
        client.update(INSERT, soon(BRIEF if fault in HANGING else PATIENCE))
    assert len(proxy.requests) == 1
    assert not pauses


# -- time ---------------------------------------------------------------------------------------


def test_without_time_nothing_is_sent(client: SparqlClient, proxy: FaultProxy) -> None:
    for text in (QUERY, INSERT):
        with pytest.raises(TimedOut, match="no time was left") as caught:
            send(client, text, soon(0))
        assert not caught.value.in_doubt
    assert not proxy.requests


def test_an_update_is_not_sent_after_send_by(client: SparqlClient, proxy: FaultProxy) -> None:
    with pytest.raises(TimedOut, match="out of date") as caught:
        client.update(INSERT, soon(), send_by=soon(0))
    assert not caught.value.in_doubt
    assert not proxy.requests
    client.update(INSERT, soon(), send_by=soon())
    assert len(proxy.requests) == 1


def test_a_deadline_of_less_than_a_second_is_enough(client: SparqlClient) -> None:
    deadline = Deadline(at=0.9, clock=lambda: 0.0)
    assert client.query(QUERY, deadline)["results"] == {"bindings": []}


@pytest.mark.parametrize("fault", HANGING)
@BOTH
def test_the_deadline_is_kept(
    client: SparqlClient, proxy: FaultProxy, fault: Fault, text: str
) -> None:
    """Without it the store hangs for ever, or sends for longer than the test may take."""
    proxy.always(fault)
    proxy.pause = PATIENCE
    began = time.monotonic()
    with pytest.raises(TimedOut, match="did not answer in time"):
        send(client, text, soon(BRIEF))
    assert time.monotonic() - began >= BRIEF


def test_the_deadline_is_kept_if_headers_arrive_byte_by_byte() -> None:
    with Canned(answer(body=b"{}", headers=MANY_HEADERS), pause=0.05) as server:
        with pytest.raises(TimedOut):
            client_of(server.endpoint).query(QUERY, soon(BRIEF))
        assert server.await_hang_up(PATIENCE), "the client did not wait for all headers"


class NameServer:
    """Resolves names and addresses only after `answers` is set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answered = threading.Event()
        self.resolve = socket.getaddrinfo

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.asked.set()
        self.answers.wait(PATIENCE)
        self.answered.set()
        return self.resolve(*args, **options)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    name_server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", name_server)
    yield name_server
    name_server.answers.set()


@BOTH
def test_a_request_is_not_sent_if_the_name_is_resolved_after_the_deadline(
    client: SparqlClient, proxy: FaultProxy, name_server: NameServer, text: str
) -> None:
    with pytest.raises(TimedOut, match="was not there in time") as caught:
        send(client, text, soon(BRIEF))
    assert not name_server.answered.is_set(), "the caller did not wait for it"
    assert not caught.value.in_doubt
    name_server.answers.set()
    eventually(lambda: not resolvers())
    assert not proxy.requests


def resolvers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "resolver"]


def test_callers_share_the_lookup_of_a_name(
    client: SparqlClient, proxy: FaultProxy, name_server: NameServer
) -> None:
    """A name server that hangs holds one thread, however many callers wait for it."""
    with pytest.raises(TimedOut):
        client.query(QUERY, soon(BRIEF))
    with ThreadPoolExecutor() as callers:
        calls = [callers.submit(client.query, QUERY, soon()) for _ in range(5)]
        with pytest.raises(TimedOut):
            client.query(QUERY, soon(BRIEF))
        assert len(resolvers()) == 1
        name_server.answers.set()
        assert [call.exception() for call in calls] == [None] * 5
    assert len(proxy.requests) == 5
    eventually(lambda: not resolvers())


def test_a_lookup_that_never_ends_is_not_shared_for_ever(
    client: SparqlClient, name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TimedOut):
        client.query(QUERY, soon(BRIEF))
    monkeypatch.setattr(resolver, "MAX_AGE", 0.0)
    monkeypatch.setattr(socket, "getaddrinfo", name_server.resolve)
    assert client.query(QUERY, soon())["results"] == {"bindings": []}
    name_server.answers.set()
    eventually(lambda: not resolvers())


def test_an_address_of_ipv6_needs_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """http.client would take its last group for the port."""
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int, **_: object) -> None:
        asked.append((host, port))
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for url in ("http://[2001:db8::8890]/sparql", "https://[fe80::abcd]/sparql"):
        with pytest.raises(Unreachable):
            client_of(url).query_once(QUERY, soon())
    assert asked == [("2001:db8::8890", 80), ("fe80::abcd", 443)]


def test_an_update_is_not_sent_if_the_name_is_resolved_after_send_by(
    client: SparqlClient, proxy: FaultProxy, name_server: NameServer
) -> None:
    """The deadline of its caller has not passed, but its read is out of date."""
    send_by = Deadline(at=1, clock=lambda: 2.0 if name_server.asked.is_set() else 0.0)
    with ThreadPoolExecutor() as callers:
        call = callers.submit(client.update, INSERT, soon(), send_by=send_by)
        assert name_server.asked.wait(PATIENCE)
        name_server.answers.set()
        assert isinstance(call.exception(), TimedOut)
    assert not proxy.requests


def eventually(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_running_request_ends_with_its_connection(embedded: Store) -> None:
    with ThreadPoolExecutor() as callers:
        with FaultProxy(embedded.update_endpoint) as proxy:
            proxy.always(Fault.HANG)
            call = callers.submit(client_of(proxy.endpoint).update, INSERT, soon(60))
            eventually(lambda: proxy.requests)
            assert not call.done()
        assert isinstance(call.exception(), Unreachable)


def test_a_running_request_does_not_delay_the_end_of_the_process(proxy: FaultProxy) -> None:
    program = f"""\
import threading, time
from jobs.store import Deadline
from sparql.client import SparqlClient
client = SparqlClient(query_url={proxy.endpoint!r}, update_url="", new_id=lambda: "call")
call = (client.query, ({QUERY!r}, Deadline.after(60, time.monotonic)))
threading.Thread(target=call[0], args=call[1], daemon=True).start()
input()
"""
    proxy.always(Fault.HANG)
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        eventually(lambda: proxy.requests or process.poll() is not None)
        _, complaints = process.communicate(b"\n", timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, b"")


# -- threads ------------------------------------------------------------------------------------


def test_threads_share_a_client_and_each_gets_its_own_answer(client: SparqlClient) -> None:
    def ask(number: int) -> bool:
        text = f"SELECT ?n WHERE {{ VALUES ?n {{ {number} }} }}"
        (row,) = client.query(text, soon())["results"]["bindings"]
        return bool(row["n"]["value"] == str(number))

    with ThreadPoolExecutor(50) as callers:
        assert all(callers.map(ask, range(300)))


def test_a_request_that_hangs_delays_no_other(client: SparqlClient, proxy: FaultProxy) -> None:
    proxy.script(Fault.HANG_THEN_APPLY)
    with ThreadPoolExecutor() as callers:
        hanging = callers.submit(client.query_once, QUERY, soon(60))
        eventually(lambda: proxy.requests)
        assert client.query(QUERY, soon())["results"] == {"bindings": []}
        assert not hanging.done()
        proxy.release()
        assert hanging.result()["results"] == {"bindings": []}


# -- other servers and answers ------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@BOTH
def test_a_redirect_is_not_followed_but_reported(status: int, text: str) -> None:
    with (
        Canned(b"") as elsewhere,
        Canned(answer(status, headers={"Location": elsewhere.endpoint})) as server,
    ):
        with pytest.raises(Rejected, match=f"answered {status}: go to {elsewhere.endpoint}"):
            send(client_of(server.endpoint), text, soon())
        assert len(server.requests) == 1
        assert not elsewhere.requests


@pytest.mark.parametrize(
    ("status", "error", "in_doubt"),
    [
        (400, Rejected, False),
        (401, Rejected, False),
        (403, Rejected, False),
        (404, Rejected, False),
        (413, Rejected, False),
        (414, Rejected, False),
        (418, Rejected, False),
        (429, Rejected, False),
        (500, Rejected, True),
        (501, Rejected, True),
        (502, Unreachable, True),
        (503, Unreachable, True),
        (504, Unreachable, True),
    ],
)
@BOTH
def test_an_error_quotes_status_and_text_of_the_answer(
    status: int, error: type[SparqlError], text: str, *, in_doubt: bool
) -> None:
    words = 'Virtuoso 37000 Error SP030: it\'s "said"\\so'
    with Canned(answer(status, words.encode(), headers={"Content-Type": "text/plain"})) as server:
        with pytest.raises(SparqlError) as caught:
            send(client_of(server.endpoint), text, soon())
        assert type(caught.value) is error
        refused = text == INSERT and not in_doubt
        beginning = "the update was refused: " if refused else ""
        assert str(caught.value) == f"{beginning}{server.endpoint} answered {status}: {words}"
        assert caught.value.in_doubt is in_doubt
        assert getattr(caught.value, "status", status) == status


@pytest.mark.parametrize("status", [404, 429])
def test_an_update_that_was_refused_is_sent_once_and_named(status: int) -> None:
    """Reads are tried again on these."""
    with Canned(answer(status, b"busy")) as server:
        with pytest.raises(Rejected) as caught:
            client_of(server.endpoint).update(INSERT, soon())
        assert len(server.requests) == 1
    assert str(caught.value) == f"the update was refused: {server.endpoint} answered {status}: busy"
    assert not caught.value.in_doubt


def test_an_error_without_text_quotes_the_phrase_of_http() -> None:
    with (
        Canned(answer(404)) as server,
        pytest.raises(Rejected, match=r"/sparql answered 404: Not Found$"),
    ):
        client_of(server.endpoint).query(QUERY, soon())


@pytest.mark.parametrize("body", [b"[" * 200_000, b"\xff\xfe\xfa", b"{}{}", b"nul", b"'a'", b" "])
def test_an_answer_without_json_is_a_bad_answer(body: bytes) -> None:
    with (
        Canned(answer(body=body)) as server,
        pytest.raises(BadAnswer, match=f"{server.endpoint} answered no JSON, but 200: ") as caught,
    ):
        client_of(server.endpoint).query(QUERY, soon())
    assert is_one_short_line(str(caught.value))


@pytest.mark.parametrize("name", ["X-SQL-State", "X-SPARQL-MaxRows"])
@BOTH
def test_a_partial_answer_of_virtuoso_is_a_bad_answer(name: str, text: str) -> None:
    said = answer(body=b'{"results": {"bindings": []}}', headers={name: "S1TAT"})
    with Canned(said) as server, pytest.raises(BadAnswer, match=f"in part: {name} S1TAT"):
        send(client_of(server.endpoint), text, soon())


def test_a_deadlock_of_virtuoso_is_named() -> None:
    """Virtuoso 7.2 reports it with status 200 (measured with six updates at a time)."""
    headers = {"X-SQL-State": "00000", "X-SQL-Message": "SR172: Transaction deadlocked"}
    said = answer(body=b'{"results": {"bindings": []}}', headers=headers)
    with (
        Canned(said) as server,
        pytest.raises(BadAnswer, match=r"State 00000 SR172: Transaction deadlocked$") as caught,
    ):
        client_of(server.endpoint).update(INSERT, soon())
    assert caught.value.in_doubt


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_a_message_holds_no_control_characters(status: int) -> None:
    body = "\x1b[31mred\r\n2024-01-01 FATAL \x00\x07\x85\u2028\u202e" + "so " * 100_000
    with (
        Canned(answer(status, body.encode())) as server,
        pytest.raises(SparqlError, match=r"\[31mred 2024-01-01 FATAL so so .*…$") as caught,
    ):
        client_of(server.endpoint).query_once(QUERY, soon())
    assert is_one_short_line(str(caught.value))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(b"", "Remote end closed connection", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "BadStatusLine('SSH-2.0", id="ssh"),
        pytest.param(b"\x1b[2J\x00\x01\r\n\r\n", "BadStatusLine(", id="control characters"),
        pytest.param(b"HTTP/9.9 200 OK\r\n\r\n", "UnknownProtocol('HTTP/9.9')", id="version"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", "BadStatusLine('HTTP/1.1 2000", id="status"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            "HTTPException('got more than 100",
            id="many headers",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
            "LineTooLong(",
            id="long header",
        ),
        pytest.param(CHUNKED + b"5\r\n{", "IncompleteRead(", id="cut chunk"),
        pytest.param(CHUNKED + b"zz\r\n{}", "IncompleteRead(", id="bad chunk"),
    ],
)
def test_an_answer_that_breaks_http_is_unreachable(said: bytes, reason: str) -> None:
    with Canned(said) as server, pytest.raises(Unreachable) as caught:
        client_of(server.endpoint).query_once(QUERY, soon())
    assert str(caught.value).startswith(f"no answer from {server.endpoint}: {reason}")
    assert is_one_short_line(str(caught.value))
    assert caught.value.in_doubt


# -- Virtuoso -----------------------------------------------------------------------------------


@pytest.mark.virtuoso
def test_an_error_quotes_virtuosos_message(virtuoso: Store) -> None:
    client = client_of(virtuoso.shared_endpoint)
    for text in ("SELECT nonsense", "INSERT DATA { nonsense }"):
        with pytest.raises(Rejected, match=r"answered 400: Virtuoso 37000 Error SP030") as caught:
            send(client, text, soon())
        assert is_one_short_line(str(caught.value))


@pytest.mark.virtuoso
def test_virtuoso_accepts_updates_and_answers_queries(virtuoso: Store) -> None:
    client = client_of(virtuoso.shared_endpoint)
    client.update(INSERT, soon())
    (row,) = client.query(QUERY, soon())["results"]["bindings"]
    assert row["o"]["value"] == "it is"


@pytest.mark.virtuoso
def test_an_answer_that_virtuoso_cut_short_is_a_bad_answer(virtuoso: Store) -> None:
    """Its status is 200, with the rows that were found in time: here none."""
    client = client_of(f"{virtuoso.shared_endpoint}?timeout=1000")
    heavy = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    with pytest.raises(BadAnswer, match=r"in part: X-SQL-State S1TAT"):
        client.query(heavy, soon())
