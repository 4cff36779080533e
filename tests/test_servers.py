"""The stores of the tests start, answer, restart and leave no process or file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.patience import PATIENCE
from tests.support.servers import (
    Oxigraph,
    Store,
    StoreError,
    clear,
    post,
    select,
    select_terms,
    update,
)
from tests.support.virtuoso import Virtuoso

ROOT = Path(__file__).resolve().parent.parent
ONE_TRIPLE = "INSERT DATA { GRAPH <http://test/g> { <http://test/s> <http://test/p> 'kept' } }"
ALL = "SELECT ?o WHERE { GRAPH ?g { <http://test/s> <http://test/p> ?o } } ORDER BY ?o"


def is_open(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as client:
        return client.connect_ex((address, port)) == 0


def test_the_next_query_finds_an_update(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE)
    assert select(triplestore, ALL) == [{"o": "kept"}]


def test_an_update_may_hold_several_operations(triplestore: Store) -> None:
    update(triplestore, f"{ONE_TRIPLE} ; {ONE_TRIPLE.replace('kept', 'too')}")
    assert select(triplestore, ALL) == [{"o": "kept"}, {"o": "too"}]


def test_an_update_may_delete_by_pattern(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE)
    update(
        triplestore,
        "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o . ?s ?p 'kept' } }",
    )
    assert select(triplestore, ALL) == []


def test_variables_without_a_value_are_absent(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE)
    rows = select(triplestore, ALL.replace("?o }", "?o OPTIONAL { ?s <http://test/none> ?none } }"))
    assert rows == [{"o": "kept"}]


def test_terms_have_their_datatype(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE.replace("'kept'", "true"))
    [row] = select_terms(triplestore, ALL)
    assert row["o"]["datatype"] == "http://www.w3.org/2001/XMLSchema#boolean"


def test_text_outside_ascii_is_kept(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE.replace("kept", "één & 1+1 = ½ €"))
    assert select(triplestore, ALL) == [{"o": "één & 1+1 = ½ €"}]


def test_one_url_takes_queries_and_updates(triplestore: Store) -> None:
    post(triplestore.shared_endpoint, "update", ONE_TRIPLE)
    assert b"kept" in post(triplestore.shared_endpoint, "query", ALL)


@pytest.mark.parametrize("send", [select, update])
def test_a_syntax_error_is_raised(triplestore: Store, send: Callable[[Store, str], object]) -> None:
    with pytest.raises(StoreError, match=r"^400"):
        send(triplestore, "NONSENSE")


def test_clear_deletes_all_graphs(triplestore: Store) -> None:
    update(triplestore, ONE_TRIPLE)
    update(triplestore, ONE_TRIPLE.replace("test/g", "test/another"))
    clear(triplestore)
    assert select(triplestore, ALL) == []


def test_stores_listen_on_the_local_address_only(triplestore: Store) -> None:
    assert is_open(triplestore.port)
    assert not is_open(triplestore.port, "127.0.0.2")


@pytest.mark.virtuoso
def test_virtuoso_keeps_its_data_while_it_is_stopped(virtuoso: Virtuoso) -> None:
    clear(virtuoso)
    update(virtuoso, ONE_TRIPLE)
    virtuoso.stop()
    with pytest.raises(ConnectionRefusedError):
        select(virtuoso, ALL)
    virtuoso.start()
    assert select(virtuoso, ALL) == [{"o": "kept"}]
    update(virtuoso, ONE_TRIPLE.replace("kept", "writable"))


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


def test_a_start_that_fails_half_way_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def broken(pid: int, folder: Path) -> None:
        pids.append(pid)
        raise FileNotFoundError("sh")

    monkeypatch.setattr(servers, "guard", broken)
    with pytest.raises(FileNotFoundError), Oxigraph():
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_store_ends_when_its_test_run_is_killed() -> None:
    code = (
        "import time; from tests.support.servers import Oxigraph\n"
        "with Oxigraph() as store: print(store.port, store.folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        port, folder = run.stdout.readline().decode().split()
        assert is_open(int(port))
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while is_open(int(port)) or Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
