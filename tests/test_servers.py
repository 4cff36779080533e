"""The stores that tests run on start, answer, come back and leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import (
    Oxigraph,
    Store,
    StoreError,
    Virtuoso,
    clear,
    post,
    select,
    select_terms,
    update,
    virtuoso_available,
)

ROOT = Path(__file__).resolve().parent.parent
ONE_TRIPLE = "INSERT DATA { GRAPH <http://test/g> { <http://test/s> <http://test/p> 'kept' } }"
ALL = "SELECT ?o WHERE { GRAPH ?g { <http://test/s> <http://test/p> ?o } } ORDER BY ?o"


@pytest.fixture(scope="session")
def virtuoso() -> Iterator[Virtuoso]:
    if not virtuoso_available() and os.environ.get("CI") != "true":
        pytest.skip("no virtuoso-t: apt-get install virtuoso-opensource-7")
    with Virtuoso() as store:
        yield store


@pytest.fixture(scope="session")
def oxigraph() -> Iterator[Oxigraph]:
    with Oxigraph() as store:
        yield store


@pytest.fixture(
    params=[
        pytest.param("oxigraph", id="oxigraph"),
        pytest.param("virtuoso", id="virtuoso", marks=pytest.mark.virtuoso),
    ]
)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    store: Store = request.getfixturevalue(request.param)
    yield store
    clear(store)


def is_open(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0


def test_an_update_is_seen_by_the_next_query(store: Store) -> None:
    update(store, ONE_TRIPLE)
    assert select(store, ALL) == [{"o": "kept"}]


def test_an_update_may_hold_several_operations(store: Store) -> None:
    update(store, f"{ONE_TRIPLE} ; {ONE_TRIPLE.replace('kept', 'too')}")
    assert select(store, ALL) == [{"o": "kept"}, {"o": "too"}]


def test_an_update_may_delete_what_it_finds(store: Store) -> None:
    update(store, ONE_TRIPLE)
    update(store, "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o . ?s ?p 'kept' } }")
    assert select(store, ALL) == []


def test_variables_without_a_value_are_absent(store: Store) -> None:
    update(store, ONE_TRIPLE)
    rows = select(store, ALL.replace("?o }", "?o OPTIONAL { ?s <http://test/none> ?none } }"))
    assert rows == [{"o": "kept"}]


def test_terms_tell_their_datatype(store: Store) -> None:
    update(store, ONE_TRIPLE.replace("'kept'", "true"))
    [row] = select_terms(store, ALL)
    assert row["o"]["datatype"] == "http://www.w3.org/2001/XMLSchema#boolean"


def test_text_outside_ascii_survives(store: Store) -> None:
    update(store, ONE_TRIPLE.replace("kept", "één & 1+1 = ½ €"))
    assert select(store, ALL) == [{"o": "één & 1+1 = ½ €"}]


def test_one_url_takes_queries_and_updates(store: Store) -> None:
    post(store.shared_endpoint, "update", ONE_TRIPLE)
    assert b"kept" in post(store.shared_endpoint, "query", ALL)


@pytest.mark.parametrize("send", [select, update])
def test_a_syntax_error_is_raised(store: Store, send: Callable[[Store, str], object]) -> None:
    with pytest.raises(StoreError, match=r"^400"):
        send(store, "NONSENSE")


def test_clear_deletes_all_graphs(store: Store) -> None:
    update(store, ONE_TRIPLE)
    update(store, ONE_TRIPLE.replace("test/g", "test/another"))
    clear(store)
    assert select(store, ALL) == []


def test_stores_listen_on_the_local_address_only(store: Store) -> None:
    assert is_open(store.port)
    assert not is_open(store.port, "127.0.0.2")


@pytest.mark.virtuoso
def test_virtuoso_keeps_its_data_while_it_is_stopped(virtuoso: Virtuoso) -> None:
    update(virtuoso, ONE_TRIPLE)
    virtuoso.stop()
    with pytest.raises(ConnectionRefusedError):
        select(virtuoso, ALL)
    virtuoso.start()
    assert select(virtuoso, ALL) == [{"o": "kept"}]
    update(virtuoso, ONE_TRIPLE.replace("kept", "writable"))
    clear(virtuoso)


@pytest.mark.virtuoso
def test_virtuoso_refuses_updates_without_permission(virtuoso: Virtuoso) -> None:
    virtuoso.sql('REVOKE SPARQL_UPDATE FROM "SPARQL"')
    try:
        with pytest.raises(StoreError, match="No permission"):
            update(virtuoso, ONE_TRIPLE)
    finally:
        virtuoso.sql('GRANT SPARQL_UPDATE TO "SPARQL"')


@pytest.mark.virtuoso
def test_a_wrong_sql_statement_is_raised(virtuoso: Virtuoso) -> None:
    with pytest.raises(StoreError, match="NO_SUCH_TABLE"):
        virtuoso.sql("SELECT * FROM NO_SUCH_TABLE")


def test_oxigraph_keeps_its_data_in_a_folder(tmp_path: Path) -> None:
    with Oxigraph(tmp_path / "data") as store:
        update(store, ONE_TRIPLE)
        store.stop()
        store.start()
        assert select(store, ALL) == [{"o": "kept"}]


def test_oxigraph_in_memory_starts_empty_on_the_same_port() -> None:
    with Oxigraph() as store:
        update(store, ONE_TRIPLE)
        store.stop()
        store.start()
        assert select(store, ALL) == []


def test_process_and_folder_are_gone_in_the_end() -> None:
    with Oxigraph() as store:
        pid, folder = store.pid, store.folder
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not folder.exists()


def test_a_failed_start_shows_what_the_store_printed(tmp_path: Path) -> None:
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()
    with (
        pytest.raises(StoreError, match=r"did not start \(exit status 1\).*\n.*Error"),
        Oxigraph(not_a_folder),
    ):
        pass


def test_a_store_ends_when_its_test_run_is_killed() -> None:
    code = (
        "import time; from tests.servers import Oxigraph\n"
        "with Oxigraph() as store: print(store.port, store.folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        port, folder = run.stdout.readline().decode().split()
        assert is_open(int(port))
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while is_open(int(port)) or Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
