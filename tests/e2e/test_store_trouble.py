"""Whatever the store does: callers are answered in time, the service lives and can be stopped."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.support import stack
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.patience import PATIENCE
from tests.support.servers import Store
from tests.support.service import DUMP, Service, eventually
from web.server import THREADS

TIMEOUT = 1
ENVIRONMENT = {"MU_SPARQL_TIMEOUT": str(TIMEOUT), "START_INITIAL_SYNC": "false"}
PATH = "/dump-publication-graph-jobs"


@pytest.fixture
def proxy(embedded: Store) -> Iterator[FaultProxy]:
    with FaultProxy(embedded.endpoint) as proxy:
        proxy.update_endpoint = proxy.url + urlsplit(embedded.update_endpoint).path
        yield proxy


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.REFUSE, 503),
        (Fault.RESET_BEFORE, 503),
        (Fault.RESET_AFTER, 503),
        (Fault.UNAVAILABLE, 503),
        (Fault.HANG, 503),
        (Fault.TRICKLE, 503),
        (Fault.CUT_BODY, 503),
        (Fault.SERVER_ERROR, 502),
        (Fault.NOT_FOUND, 502),
        (Fault.CUT_JSON, 502),
        (Fault.HTML, 502),
        (Fault.EMPTY, 502),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_callers_are_answered_in_time(
    proxy: FaultProxy, fault: Fault, status: int, method: str
) -> None:
    with Service(proxy, ENVIRONMENT) as service:
        service.ready()
        proxy.always(fault)
        answer = service.call(method, PATH)
        assert answer.status == status
        assert answer.content_type == "application/vnd.api+json"
        assert answer.detail
        proxy.always(Fault.PASS)
        assert service.call(method, PATH).status == 200
        assert "Traceback" not in service.log


def test_many_callers_of_a_hanging_store_are_all_answered_in_time(proxy: FaultProxy) -> None:
    with Service(proxy, ENVIRONMENT) as service, ThreadPoolExecutor(60) as callers:
        service.ready()
        proxy.always(Fault.HANG)
        answers = list(callers.map(lambda _: service.call("POST", PATH), range(60)))
        assert {answer.status for answer in answers} == {503}
        assert service.call("GET", "/").status == 200


def test_after_a_lost_answer_the_job_is_found(proxy: FaultProxy, embedded: Store) -> None:
    with Service(proxy, ENVIRONMENT) as service:
        service.ready()
        proxy.only_updates = True
        proxy.script(Fault.RESET_AFTER)
        answer = service.call("POST", PATH)
        (job,) = stack.jobs(embedded, DUMP)
        assert answer.msg == f"Dump publication graph job {job} triggered"


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.IGNORE, Fault.FIRST_OPERATION])
def test_a_person_is_told_which_job_may_appear(proxy: FaultProxy, fault: Fault) -> None:
    with Service(proxy, ENVIRONMENT) as service:
        service.ready()
        proxy.only_updates = True
        proxy.script(fault)
        answer = service.call("POST", PATH)
        assert answer.status == 503
        assert "may still appear" in answer.detail
        assert "http://redpencil.data.gift/id/job/" in answer.detail


def test_an_update_is_sent_once_whatever_comes_of_it(proxy: FaultProxy) -> None:
    with Service(proxy, ENVIRONMENT) as service:
        service.ready()
        for fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.SERVER_ERROR, Fault.HANG):
            proxy.requests.clear()
            proxy.only_updates = True
            proxy.script(fault)
            service.call("POST", PATH)
            assert len(proxy.updates) == 1


def test_sigterm_lets_a_write_in_flight_finish_and_its_caller_hear_of_it(
    proxy: FaultProxy, embedded: Store
) -> None:
    with (
        Service(proxy, ENVIRONMENT | {"MU_SPARQL_TIMEOUT": str(10 * PATIENCE)}) as service,
        ThreadPoolExecutor() as callers,
    ):
        service.ready()
        proxy.only_updates = True
        proxy.script(Fault.HANG_THEN_APPLY)
        answer = callers.submit(service.call, "POST", PATH)
        eventually(lambda: proxy.updates, "the write under way")
        stopped = callers.submit(service.stop)
        service.logged("stopping")
        eventually(lambda: refused(service), "no new connection is taken")
        proxy.release()
        assert answer.result().status == 200
        assert stopped.result() == 0
        assert len(stack.jobs(embedded, DUMP)) == 1
        assert "Traceback" not in service.log


def refused(service: Service) -> bool:
    try:
        service.call("GET", "/health/live")
    except OSError:
        return True
    return False


def test_sigterm_is_obeyed_while_the_store_hangs(proxy: FaultProxy) -> None:
    with (
        Service(proxy, ENVIRONMENT | {"MU_SPARQL_TIMEOUT": str(10 * PATIENCE)}) as service,
        ThreadPoolExecutor() as callers,
    ):
        service.ready()
        proxy.always(Fault.HANG)
        answer = callers.submit(service.call, "POST", PATH)
        eventually(lambda: proxy.requests[-1].fault is Fault.HANG, "a request that hangs")
        assert service.stop() == 0
        assert "stopped, while the store still owed an answer" in service.log
        assert answer.exception() is not None


def test_a_sweep_that_hangs_does_not_hold_up_the_end(proxy: FaultProxy) -> None:
    environ = ENVIRONMENT | {"MU_SPARQL_TIMEOUT": str(10 * PATIENCE), "SWEEP_SECONDS": "0.2"}
    with Service(proxy, environ) as service:
        service.ready()
        proxy.always(Fault.HANG)
        eventually(lambda: proxy.requests[-1].fault is Fault.HANG, "a request that hangs")
        assert service.stop() == 0


def test_idle_connections_take_no_place_of_a_thread(proxy: FaultProxy) -> None:
    with Service(proxy, ENVIRONMENT) as service, ExitStack() as idle:
        connections: list[socket.socket] = []
        service.ready()
        for _ in range(150):
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE)
            connections.append(idle.enter_context(connection))
        assert service.call("GET", "/").status == 200
        waiting = [connection for connection in connections if is_open(connection)]
        assert len(waiting) > THREADS, "it was answered although so many connections are idle"


def is_open(connection: socket.socket) -> bool:
    """Return whether the server has not closed a connection on which it sends nothing."""
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
