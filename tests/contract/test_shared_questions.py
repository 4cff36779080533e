"""Calls and ticks that ask a real store at the same time share its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.model import Job
from sparql import queries, shared_reads
from sparql.questions import RecentQuestion, read_each, read_recent
from sparql.store import BoundSparqlStore, SparqlJobStore
from tests.support import stack
from tests.support.builders import DUMP, HEALING, NOW, SECOND, new_job, operation, stream_of
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault
from tests.support.patience import PATIENCE
from tests.support.servers import Store, update
from tests.support.sparql_store import bound_store_of, client_of, soon

OTHER = stream_of("other")
CALLERS = 8


@pytest.fixture
def store(triplestore: Store) -> BoundSparqlStore:
    """A store with a dump of each of two streams, one second apart, and a healing."""
    store = bound_store_of(triplestore)
    for job in (
        new_job("a", DUMP, created=NOW),
        new_job("b", DUMP, OTHER, created=NOW + SECOND),
        new_job("c", HEALING, created=NOW + SECOND),
    ):
        store.create(job, soon())
    return store


@pytest.mark.parametrize(
    "ask",
    [
        lambda store, number: store.find([new_job(f"{number}").uri]),
        lambda store, number: store.recent([operation(DUMP, f"{number}")], NOW),
        lambda store, number: store.state(stream_of(f"{number}")),
    ],
    ids=["confirmation", "recent jobs", "state"],
)
def test_questions_of_many_threads_take_two_requests(
    triplestore: Store,
    ask: Callable[[BoundSparqlStore, int], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first one is read alone, and the others together after it."""
    monkeypatch.setattr(shared_reads, "MAX_WAIT", PATIENCE)
    with FaultProxy(triplestore.shared_endpoint) as proxy, ThreadPoolExecutor(CALLERS) as callers:
        store = SparqlJobStore(client_of(proxy.endpoint))
        proxy.script(Fault.HANG_THEN_APPLY)
        asked = [callers.submit(ask, store.within(soon()), 0)]
        wait_until(lambda: len(proxy.requests) == 1)
        asked += [callers.submit(ask, store.within(soon()), one) for one in range(1, CALLERS)]
        reads: list[Any] = [store.shared.found, store.shared.recent, store.shared.states]
        wait_until(lambda: sum(len(one._waiting) for one in reads) == CALLERS - 1)  # noqa: SLF001
        proxy.release()
        for one in asked:
            one.result()
        assert len(proxy.requests) == 2


def test_each_question_about_recent_jobs_gets_its_own(store: BoundSparqlStore) -> None:
    dumps, others = (operation(DUMP), operation(HEALING)), (operation(DUMP, "other"),)
    found = read_recent(
        store._subjects,  # noqa: SLF001
        [
            RecentQuestion(dumps, NOW),
            RecentQuestion(dumps, NOW + SECOND),
            RecentQuestion(others, NOW + 2 * SECOND),
        ],
    )
    assert uris(found) == [["c", "a"], ["c"], []]


def test_a_question_with_too_many_recent_jobs_is_read_alone(
    store: BoundSparqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shared answer leaves out the oldest, which may be all that one stream has."""
    monkeypatch.setattr(queries, "MAX_RECENT", 2)
    each = [RecentQuestion([operation(DUMP)], NOW), RecentQuestion([operation(DUMP, "other")], NOW)]
    shared = read_recent(store._subjects, each)  # noqa: SLF001
    assert shared == [None, None]
    monkeypatch.setattr(store.shared.recent, "ask", lambda *_: shared[0])
    assert uris([store.recent(*one) for one in each]) == [["a"], ["b"]]


def test_each_question_about_a_job_gets_that_job(store: BoundSparqlStore) -> None:
    names = ["b", "absent", "a"]
    found = read_each(store._subjects, [new_job(name).uri for name in names])  # noqa: SLF001
    assert uris(found) == [["b"], [], ["a"]]


def test_a_state_lists_no_active_jobs_of_others(store: BoundSparqlStore) -> None:
    """Or the answer, and the work for it, would grow with the streams."""
    listed = store._subjects(queries.stream_states([OTHER], []))  # noqa: SLF001
    assert list(listed) == [new_job("b").uri]


def test_active_subjects_without_operation_are_not_listed(
    triplestore: Store, store: BoundSparqlStore
) -> None:
    """Also with more operations than one list takes: other services have many tasks."""
    busy = f"<{stack.STATUS}busy>"
    foreign = f"GRAPH <urn:g> {{ <urn:foreign> adms:status {busy} }}"
    update(triplestore, f"{stack.PREFIXES} INSERT DATA {{ {foreign} }}")
    many = [operation(DUMP, f"{number}") for number in range(queries.MAX_LISTED)]
    for operations in ([operation(DUMP)], [*many, operation(DUMP)]):
        listed = store._subjects(queries.active_subjects(operations))  # noqa: SLF001
        assert new_job("a").uri in listed
        assert "urn:foreign" not in listed


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def uris(found: Sequence[tuple[Job, ...] | None]) -> list[list[str]]:
    return [[job.uri.rpartition("/")[2] for job in jobs or ()] for jobs in found]
