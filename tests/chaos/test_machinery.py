"""What a run is made of: its plan, its faults, what it remembers, and how it reads the logs."""

from __future__ import annotations

import http.client
import random
import threading
import time
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from chaos.events import Call, Down, Hit, Hold, Outage, Pause, Phase
from chaos.history import Life
from chaos.interference import MADE, Interference
from chaos.logs import Word, entries, requested, seconds
from chaos.plan import CALM_START, QUERY_FAULTS, UPDATE_FAULTS, delay, plan
from chaos.processes import parse
from chaos.recorder import Book, subjects
from chaos.streams import STREAMS
from chaos.times import Times
from tests.faults import Fault, FaultProxy
from tests.servers import StoreError, select, update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.events import Event
    from tests.servers import Store

TIMES = Times()
BUSY, SUCCESS = (
    f"http://redpencil.data.gift/id/concept/JobStatus/{status}" for status in ("busy", "success")
)
JOB, TASK = (f"http://redpencil.data.gift/id/{what}/1" for what in ("job", "task"))
INSERT_JOB = f"INSERT DATA {{ GRAPH <http://g> {{ <{JOB}> a <http://vocab.deri.ie/cogs#Job> }} }}"
INSERT_TASK = f"INSERT DATA {{ GRAPH <http://g> {{ <{TASK}> a <http://t/Task> ; <http://p> 1 }} }}"
STORED = "SELECT ?s WHERE { GRAPH <http://g> { ?s a ?type } } ORDER BY ?s"


# -- the plan --------------------------------------------------------------------------------------


def planned(seed: int = 1, length: float = 600, processes: int = 2) -> list[Event]:
    return plan(seed, length, processes, STREAMS, TIMES)


def test_a_plan_is_its_seeds_and_nobody_elses() -> None:
    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


def test_a_plan_has_everything_in_order_after_a_calm_start() -> None:
    events = planned()
    assert {type(event) for event in events} == {Phase, Hit, Down, Pause, Outage, Call, Hold}
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[0].at >= CALM_START
    assert events[-1].at < 600


def test_every_fault_is_dealt_to_queries_and_updates() -> None:
    hits = [event for event in planned() if isinstance(event, Hit)]
    assert {hit.fault for hit in hits if hit.updates} == set(UPDATE_FAULTS)
    assert {hit.fault for hit in hits if not hit.updates} == set(QUERY_FAULTS)
    phases = {event.fault for event in planned(length=3600) if isinstance(event, Phase)}
    assert phases == {*QUERY_FAULTS, *UPDATE_FAULTS, Fault.REFUSE}


def test_phases_leave_quiet_times() -> None:
    phases = [event for event in planned(length=3600) if isinstance(event, Phase)]
    for phase, following in pairwise(phases):
        assert phase.at + phase.seconds + 1 < following.at


def test_a_process_is_interrupted_once_at_a_time() -> None:
    mine = [event for event in planned() if isinstance(event, (Down, Pause)) and event.process == 1]
    assert mine
    for event, following in pairwise(mine):
        assert event.at + event.seconds < following.at


def test_some_job_is_held_for_longer_than_the_window() -> None:
    holds = [event.seconds for event in planned(length=60) if isinstance(event, Hold)]
    assert max(holds) > TIMES.window


def test_a_late_update_is_applied_after_the_timeout_and_within_the_settle_time() -> None:
    chance = random.Random(1)  # noqa: S311 - dice, not secrets
    delays = [delay(chance, TIMES) for _ in range(200)]
    late = [seconds for seconds in delays if seconds > TIMES.timeout]
    assert 50 < len(late) < 150
    assert max(late) < TIMES.settle


# -- the faults ------------------------------------------------------------------------------------


@pytest.fixture
def proxy(embedded: Store) -> Iterator[FaultProxy]:
    with FaultProxy(embedded.shared_endpoint) as proxy:
        yield proxy


@pytest.fixture
def way(proxy: FaultProxy) -> Interference:
    return Interference(0, proxy, TIMES, seed=1)


def hit(fault: Fault, *, updates: bool = True, delay: float = 0.0) -> Hit:
    return Hit(0, 0, fault, updates, delay)


def test_a_hit_waits_for_a_request_of_its_kind(proxy: FaultProxy, way: Interference) -> None:
    way.hit(hit(Fault.UNAVAILABLE))
    assert select(proxy, STORED) == []
    with pytest.raises(StoreError):
        update(proxy, INSERT_JOB)
    update(proxy, INSERT_JOB)
    assert way.met == {"UNAVAILABLE, update": 1}
    assert proxy.requests == []


def test_half_of_a_single_operation_is_no_fault(proxy: FaultProxy, way: Interference) -> None:
    way.hit(hit(Fault.FIRST_OPERATION))
    update(proxy, INSERT_JOB)
    assert not way.met
    update(proxy, f"{INSERT_JOB} ;\n{INSERT_TASK}")
    assert way.met == {"FIRST OPERATION, update": 1}
    assert select(proxy, STORED) == [{"s": JOB}]
    assert [attempt.uris for attempt in way.attempts] == [[JOB], [JOB]]


def test_what_is_made_is_told_from_what_is_named() -> None:
    reference = f"<http://e> a <http://error> ; <http://references> <{JOB}> ."
    assert MADE.findall(f"{INSERT_JOB} ; {INSERT_TASK} ; {reference}") == [JOB, TASK]


def update_impatiently(proxy: FaultProxy, text: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.1)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(connection):
        connection.request("POST", "/sparql", urlencode({"update": text}), form)
        connection.getresponse()


def test_an_update_is_applied_late_be_the_client_there_or_not(
    proxy: FaultProxy, way: Interference, embedded: Store
) -> None:
    way.hit(hit(Fault.DELAY, delay=0.4))
    began = time.time()
    with pytest.raises(TimeoutError):
        update_impatiently(proxy, INSERT_JOB)
    assert select(embedded, STORED) == []
    proxy.wait_idle()
    assert select(embedded, STORED) == [{"s": JOB}]
    (attempt,) = way.attempts
    assert attempt.applied is not None
    assert began <= attempt.sent < attempt.sent + 0.4 <= attempt.applied


def test_an_update_that_is_refused_is_no_attempt_that_was_applied(
    proxy: FaultProxy, way: Interference
) -> None:
    with pytest.raises(StoreError):
        update(proxy, f"{INSERT_JOB} nonsense")
    assert [attempt.applied for attempt in way.attempts] == [None]


def test_a_partial_answer_has_no_rows_and_says_so(proxy: FaultProxy, way: Interference) -> None:
    update(proxy, INSERT_JOB)
    way.hit(hit(Fault.PARTIAL, updates=False))
    with pytest.raises(StoreError, match="S1TAT"):
        select(proxy, STORED)


def test_a_phase_lasts_until_it_is_calm(proxy: FaultProxy, way: Interference) -> None:
    way.begin(Phase(0, 1, Fault.UNAVAILABLE, updates=False, share=1.0))
    with pytest.raises(StoreError):
        select(proxy, STORED)
    update(proxy, INSERT_JOB)
    way.begin(Phase(0, 1, Fault.REFUSE, updates=False, share=1.0))
    with pytest.raises(ConnectionRefusedError):
        select(proxy, STORED)
    way.calm()
    assert select(proxy, STORED) == [{"s": JOB}]
    assert way.met == {"UNAVAILABLE, query": 1, "REFUSE, for a while": 1}
    assert len(way.troubles) == 2


def test_a_share_of_the_requests_meets_a_phase(proxy: FaultProxy, way: Interference) -> None:
    way.begin(Phase(0, 1, Fault.DELAY, updates=False, share=0.3))
    threads = [threading.Thread(target=select, args=(proxy, STORED)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= sum(way.met.values()) <= 20
    assert set(way.met) <= {"SLOW, query", "APPLIED LATE, query"}


# -- what is remembered ----------------------------------------------------------------------------


def rows(*statuses: str) -> dict[str, dict[str, list[str]]]:
    return subjects({"s": JOB, "p": "http://x/status", "o": status} for status in statuses)


def test_a_state_lasts_from_the_first_look_that_showed_it_to_the_last() -> None:
    book = Book()
    for began in (10, 11, 12, 13):
        book.note(began, began + 0.1, rows(BUSY) if began in (11, 12) else {})
    (record,) = book.records.values()
    (span,) = record.active
    assert (span.after, span.first, span.last, span.before) == (10, 11.1, 12, 13.1)
    assert (record.first, record.appeared) == (11.1, 10)
    assert span.covers(11.2, 11.9)
    assert not span.covers(11, 12)
    assert span.may_touch(12.5, 13)
    assert not span.may_touch(13.2, 14)


def test_a_state_that_comes_again_is_a_new_one() -> None:
    book = Book()
    for began, shown in enumerate((rows(BUSY), rows(SUCCESS), rows(BUSY), {})):
        book.note(began, began + 0.1, shown)
    (record,) = book.records.values()
    assert [(span.after, span.before) for span in record.active] == [(0, 1.1), (1, 3.1)]
    assert len(record.succeeded) == 1


def test_second_values_and_what_is_left_in_the_end_are_noted() -> None:
    book = Book()
    book.note(1, 1.1, rows(BUSY, SUCCESS))
    book.note(2, 2.1, rows(BUSY))
    book.close(3, 3.1, {})
    (record,) = book.records.values()
    assert record.doubled == {"status"}
    assert record.values == {"status": [BUSY, SUCCESS]}
    assert record.final is None


# -- the logs --------------------------------------------------------------------------------------

T = "2027-01-15T08:00:10+00:00"
WHO = "dump of the environment's stream"
LOG = f"""\
2027-01-15T08:00:11.250+00:00 INFO ready: the schedules are armed
2027-01-15T08:00:12.000+00:00 INFO {WHO}: tick {T}: trying to create a job
2027-01-15T08:00:12.000+00:00 INFO {WHO}: tick {T}: created job http://j/1
2027-01-15T08:00:12.000+00:00 INFO {WHO}: tick {T}: done by job http://j/1
2027-01-15T08:00:12.000+00:00 INFO {WHO}: tick {T} supersedes 2 earlier ones since {T}
2027-01-15T08:00:12.000+00:00 WARNING {WHO}: tick {T}: missed, with 1 others since {T}: no store
Traceback (most recent call last):
2027-01-15T08:00:12.000+00:00 INFO {WHO}: ticks up to {T}: cleaned by request
2027-01-15T08:00:12.000+00:00 INFO {WHO}: created job http://j/2 by request
2027-01-15T08:00:12.000+00:00 INFO {WHO}: tick {T}: created jo"""


def test_logs_are_read() -> None:
    life = Life(process=0, slot=0, began=0, lines=parse(LOG))
    found = list(entries([life]))
    assert life.ready == seconds("2027-01-15T08:00:11.250+00:00")
    assert [entry.word for entry in found] == list(Word)
    assert {entry.who for entry in found} == {WHO}
    assert {entry.tick for entry in found} == {seconds(T)}
    assert found[0].uri == "http://j/1"
    assert requested([life]) == {"http://j/2"}


def test_times_are_told_to_the_service_in_its_units() -> None:
    environ = TIMES.environ
    assert environ["TICK_WINDOW_MINUTES"] == "0.5"
    assert environ["ERROR_REPEAT_HOURS"] == "0.001"
    assert TIMES.drain > TIMES.window + TIMES.settle
