"""Exchanges are bounded in time and size, and leave no connection behind."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from sparql.errors import BadAnswer, SparqlError, TimedOut, Unreachable
from sparql.transport import MAX_ANSWER_MIB
from tests.support.canned import Canned, answer
from tests.support.patience import PATIENCE
from tests.support.sparql_store import client_of, soon

QUERY = "SELECT ?s WHERE { ?s ?p ?o }"
INSERT = 'INSERT DATA { GRAPH <http://g> { <http://s> <http://p> "o" } }'
BRIEF = 0.3  # seconds until the deadline of a request that is never answered
PAUSE = 0.02  # seconds between two bytes of an answer that would take minutes
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MANY = 10_000
TRICKLES = {
    "status": b"HTTP/1.1 200 " + b"O" * MANY,
    "headers": HEAD + b"X-A: b\r\n" * MANY,
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * MANY,
    "body": answer(body=b" " * MANY),
    "chunks": CHUNKED + b"1\r\n \r\n" * MANY,
    "body without length": HEAD + b"\r\n" + b" " * MANY,
}
GREATEST = MAX_ANSWER_MIB << 20  # bytes
TOO_LONG = GREATEST + (1 << 20)
ENDLESS = {
    "body": answer(body=b" " * TOO_LONG),
    "chunks": CHUNKED + b"%x\r\n" % TOO_LONG + b" " * TOO_LONG,
    "body without length": HEAD + b"\r\n" + b" " * TOO_LONG,
}


@pytest.mark.parametrize("content", TRICKLES.values(), ids=TRICKLES)
def test_a_request_that_times_out_during_its_answer_leaves_nothing_behind(content: bytes) -> None:
    with Canned(content, PAUSE) as server:
        with pytest.raises(TimedOut, match="did not answer in time"):
            client_of(server.endpoint).query_once(QUERY, soon(BRIEF))
        assert server.await_hang_up(PATIENCE)


def test_a_request_that_times_out_during_the_tls_handshake_leaves_nothing_behind() -> None:
    record = b"\x16\x03\x03\x40\x00" + bytes(MANY)  # a handshake message of 16 kB
    with Canned(record, PAUSE, talks_first=True) as server:
        url = server.endpoint.replace("http:", "https:")
        with pytest.raises(TimedOut) as caught:
            client_of(url).update(INSERT, soon(BRIEF))
        assert not caught.value.in_doubt
        assert server.await_hang_up(PATIENCE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of a server on 127.0.0.1, in one file with its key."""
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    options = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=s"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", "-"]
    made = subprocess.run(
        ["openssl", *options.split(), *names], check=True, capture_output=True, text=True
    )
    file.write_text(file.read_text(encoding="utf-8") + made.stdout, encoding="utf-8")
    return file


def tls_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_store_behind_tls_is_asked(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    text = b'{"results": {"bindings": []}}'
    with Canned(answer(body=text), tls=tls_of(certificate)) as server:
        assert client_of(server.endpoint).query(QUERY, soon())["results"] == {"bindings": []}
        assert server.requests[0].headers["host"] == server.endpoint.split("/")[2]


def test_a_store_whose_certificate_is_not_trusted_gets_no_request(certificate: Path) -> None:
    with Canned(answer(), tls=tls_of(certificate)) as server:
        with pytest.raises(Unreachable, match="certificate verify failed") as caught:
            client_of(server.endpoint).update(INSERT, soon())
        assert not caught.value.in_doubt
        assert not server.requests


def test_an_answer_through_tls_that_comes_byte_by_byte_ends_at_the_deadline(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Canned(TRICKLES["body"], PAUSE, tls=tls_of(certificate)) as server:
        with pytest.raises(TimedOut, match="did not answer in time"):
            client_of(server.endpoint).query_once(QUERY, soon(BRIEF))
        assert server.await_hang_up(PATIENCE)


@pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_that_is_too_long_is_refused(content: bytes) -> None:
    with Canned(content) as server:
        with pytest.raises(BadAnswer, match="/sparql answered with more than 64 MiB") as caught:
            client_of(server.endpoint).update(INSERT, soon())
        assert caught.value.in_doubt


def test_an_answer_of_the_greatest_size_is_read() -> None:
    text = b'{"results": {"bindings": []}}'
    with Canned(answer(body=text + b" " * (GREATEST - len(text)))) as server:
        assert client_of(server.endpoint).query(QUERY, soon())["results"] == {"bindings": []}


@pytest.mark.parametrize("length", [30, TOO_LONG])
def test_an_answer_that_is_shorter_than_its_length_is_no_answer(length: int) -> None:
    with (
        Canned(HEAD + b"Content-Length: %d\r\n\r\n{}" % length) as server,
        pytest.raises(SparqlError, match="IncompleteRead"),
    ):
        client_of(server.endpoint).query_once(QUERY, soon())
