"""The injector gives requests the faults of a scenario, and records inserts."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlencode

import pytest

from tests.chaos.events import FaultPhase, SingleFault
from tests.chaos.fault_injector import FaultInjector, inserted
from tests.chaos.times import Times
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.servers import Store, StoreError, select, update

TIMES = Times()
JOB, TASK = (f"http://redpencil.data.gift/id/{kind}/1" for kind in ("job", "task"))
INSERT_JOB = f"INSERT DATA {{ GRAPH <http://g> {{ <{JOB}> a <http://vocab.deri.ie/cogs#Job> }} }}"
INSERT_TASK = f"INSERT DATA {{ GRAPH <http://g> {{ <{TASK}> a <http://t/Task> ; <http://p> 1 }} }}"
STORED = "SELECT ?s WHERE { GRAPH <http://g> { ?s a ?type } } ORDER BY ?s"


@pytest.fixture
def proxy(embedded: Store) -> Iterator[FaultProxy]:
    with FaultProxy(embedded.shared_endpoint) as proxy:
        yield proxy


@pytest.fixture
def injector(proxy: FaultProxy) -> FaultInjector:
    return FaultInjector(0, proxy, TIMES, seed=1)


def single(fault: Fault, *, updates: bool = True, delay: float = 0.0) -> SingleFault:
    return SingleFault(0, 0, fault, updates, delay)


def test_a_single_fault_waits_for_a_request_of_its_kind(
    proxy: FaultProxy, injector: FaultInjector
) -> None:
    injector.inject_once(single(Fault.UNAVAILABLE))
    assert select(proxy, STORED) == []
    with pytest.raises(StoreError):
        update(proxy, INSERT_JOB)
    update(proxy, INSERT_JOB)
    assert injector.injected == {"UNAVAILABLE, update": 1}
    assert proxy.requests == []


def test_the_first_of_one_operation_is_no_fault(proxy: FaultProxy, injector: FaultInjector) -> None:
    injector.inject_once(single(Fault.FIRST_OPERATION))
    update(proxy, INSERT_JOB)
    assert not injector.injected
    update(proxy, f"{INSERT_JOB} ;\n{INSERT_TASK}")
    assert injector.injected == {"FIRST OPERATION, update": 1}
    assert select(proxy, STORED) == [{"s": JOB}]
    assert [attempt.uris for attempt in injector.attempts] == [[JOB], [JOB]]


def test_inserted_subjects_are_distinguished_from_references() -> None:
    reference = f"<http://e> a <http://error> ; <http://references> <{JOB}> ."
    assert inserted(f"{INSERT_JOB} ; {INSERT_TASK} ; {reference}") == [JOB, TASK]


def test_a_subject_that_only_a_condition_names_is_not_inserted() -> None:
    condition = f"FILTER EXISTS {{ GRAPH ?g {{ <{JOB}> a <http://vocab.deri.ie/cogs#Job> }} }}"
    guarded = INSERT_TASK.replace("INSERT DATA", "INSERT") + f" WHERE {{ {condition} }}"
    assert inserted(guarded) == [TASK]
    assert inserted(f"{guarded} ;\n{INSERT_JOB}") == [TASK, JOB]


def update_with_a_short_timeout(proxy: FaultProxy, text: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.1)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(connection):
        connection.request("POST", "/sparql", urlencode({"update": text}), form)
        connection.getresponse()


def test_an_update_is_applied_late_although_the_client_left(
    proxy: FaultProxy, injector: FaultInjector, embedded: Store
) -> None:
    injector.inject_once(single(Fault.DELAY, delay=0.4))
    started = time.time()
    with pytest.raises(TimeoutError):
        update_with_a_short_timeout(proxy, INSERT_JOB)
    proxy.wait_idle()
    assert select(embedded, STORED) == [{"s": JOB}]
    (attempt,) = injector.attempts
    assert attempt.applied is not None
    assert started <= attempt.sent < attempt.sent + 0.4 <= attempt.applied


def test_an_update_with_a_syntax_error_is_not_recorded_as_applied(
    proxy: FaultProxy, injector: FaultInjector
) -> None:
    with pytest.raises(StoreError):
        update(proxy, f"{INSERT_JOB} nonsense")
    assert [attempt.applied for attempt in injector.attempts] == [None]


def test_a_partial_answer_has_no_rows_and_a_header(
    proxy: FaultProxy, injector: FaultInjector
) -> None:
    update(proxy, INSERT_JOB)
    injector.inject_once(single(Fault.PARTIAL, updates=False))
    with pytest.raises(StoreError, match="S1TAT"):
        select(proxy, STORED)


def test_a_phase_lasts_until_it_is_ended(proxy: FaultProxy, injector: FaultInjector) -> None:
    injector.begin_phase(FaultPhase(0, 1, Fault.UNAVAILABLE, updates=False, share=1.0))
    with pytest.raises(StoreError):
        select(proxy, STORED)
    update(proxy, INSERT_JOB)
    injector.begin_phase(FaultPhase(0, 1, Fault.REFUSE, updates=False, share=1.0))
    with pytest.raises(ConnectionRefusedError):
        select(proxy, STORED)
    injector.end_phase()
    assert select(proxy, STORED) == [{"s": JOB}]
    assert injector.injected == {"UNAVAILABLE, query": 1, "REFUSE, for a while": 1}
    assert len(injector.disruptions) == 2


def test_a_phase_affects_a_share_of_the_requests(
    proxy: FaultProxy, injector: FaultInjector
) -> None:
    injector.begin_phase(FaultPhase(0, 1, Fault.DELAY, updates=False, share=0.3))
    threads = [threading.Thread(target=select, args=(proxy, STORED)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= sum(injector.injected.values()) <= 20
    assert set(injector.injected) <= {"SLOW, query", "APPLIED LATE, query"}
