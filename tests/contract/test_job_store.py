"""The contract of a job store: the same tests in memory, on Oxigraph and on Virtuoso.

On Virtuoso they run through an authorization layer too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import pytest

from jobs.model import JOB_BASE, Job, NewJob, Status, StreamState
from jobs.store import BoundStore, ErrorResource
from jobs.stream_state import state_for
from tests.support import stack
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    at,
    new_job,
    operation,
    stream_of,
)
from tests.support.fakes import FakeJobStore
from tests.support.fault_proxy import FaultProxy
from tests.support.layer import Layer
from tests.support.servers import Store, clear
from tests.support.sparql_store import bound_store_of, inspect, soon

STREAM = stream_of()
OTHER = stream_of("other")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Backend(Protocol):
    """A job store, and what other services do in it."""

    @property
    def store(self) -> BoundStore: ...

    def set_status(self, uri: str, status: Status) -> None: ...

    def messages(self) -> list[str]: ...


@dataclass
class InMemory:
    store: FakeJobStore

    def set_status(self, uri: str, status: Status) -> None:
        for job in self.store.jobs.values():
            tasks = tuple(replace(t, status=status) if t.uri == uri else t for t in job.tasks)
            own = status if job.uri == uri else job.status
            self.store.jobs[job.uri] = replace(job, status=own, tasks=tasks)

    def messages(self) -> list[str]:
        return [error.message for error in self.store.errors]


@dataclass
class InTriplestore:
    store: BoundStore
    triplestore: Store

    def set_status(self, uri: str, status: Status) -> None:
        stack.set_status(self.triplestore, uri, status.value)

    def messages(self) -> list[str]:
        return stack.errors(self.triplestore)


@pytest.fixture(
    params=[
        "memory",
        "oxigraph",
        *(pytest.param(name, marks=pytest.mark.virtuoso) for name in ("virtuoso", "layer")),
    ]
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A job store: `layer` is Virtuoso behind an authorization layer."""
    if request.param == "memory":
        yield InMemory(FakeJobStore())
        return
    name = "virtuoso" if request.param == "layer" else request.param
    triplestore: Store = request.getfixturevalue(name)
    clear(triplestore)
    if request.param == "layer":
        with FaultProxy(Layer(triplestore.endpoint)) as proxy:
            yield InTriplestore(bound_store_of(proxy), triplestore)
    else:
        yield InTriplestore(bound_store_of(triplestore), triplestore)


def create(backend: Backend, *jobs: NewJob) -> None:
    for job in jobs:
        backend.store.create(job, soon())


def state(backend: Backend, known: Sequence[str] = ()) -> StreamState:
    return backend.store.state(STREAM, known)


def active(backend: Backend) -> tuple[Job, ...]:
    return backend.store.active(STREAM.operations)


def test_a_ping_succeeds(backend: Backend) -> None:
    backend.store.ping()


def test_an_empty_store_has_no_jobs(backend: Backend) -> None:
    assert state(backend).active == ()
    assert state(backend).synced == ()


def test_a_created_job_is_active_with_its_task(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    (job,) = active(backend)
    assert (job.uri, job.operation, job.status) == (new.uri, operation(DUMP), Status.BUSY)
    assert job.created == job.modified == NOW
    (task,) = job.tasks
    assert (task.uri, task.status, task.modified) == (new.task_uri, Status.SCHEDULED, NOW)


def test_a_date_keeps_its_milliseconds(backend: Backend) -> None:
    created = at("2024-02-29T23:59:59.987")
    create(backend, new_job("a", created=created))
    assert state(backend).active[0].created == created


def test_active_jobs_are_sorted_the_oldest_first(backend: Backend) -> None:
    create(
        backend,
        late := new_job("a", created=at("2024-01-03")),
        early := new_job("b", HEALING, created=at("2024-01-02")),
    )
    assert [job.uri for job in state(backend).active] == [early.uri, late.uri]


def test_jobs_of_another_stream_are_left_out(backend: Backend) -> None:
    create(backend, new_job("a", DUMP, OTHER))
    assert not state(backend).active


def test_jobs_of_disabled_kinds_are_included(backend: Backend) -> None:
    create(backend, new_job("a", DUMP))
    seen = backend.store.state(stream_of(disabled=[DUMP]))
    assert len(seen.active) == 1


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILED, Status.CANCELED])
def test_a_finished_job_is_not_active(backend: Backend, status: Status) -> None:
    create(backend, new := new_job("a", HEALING))
    backend.set_status(new.uri, status)
    assert not state(backend).active
    assert not state(backend).synced


def test_a_scheduled_job_is_active(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    backend.set_status(new.uri, Status.SCHEDULED)
    assert state(backend).active[0].status is Status.SCHEDULED


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (Status.SUCCESS, True),
        (Status.FAILED, False),
        (Status.CANCELED, False),
        (Status.BUSY, False),
    ],
)
def test_only_a_successful_initial_sync_counts(
    backend: Backend, status: Status, *, counts: bool
) -> None:
    create(backend, new := new_job("a", INITIAL_SYNC))
    backend.set_status(new.uri, status)
    assert bool(state(backend).synced) is counts


def test_a_final_status_is_given_to_job_and_unfinished_tasks(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    (job,) = active(backend)
    backend.store.set_status(job, Status.FAILED, at("2024-01-07"))
    assert not active(backend)
    backend.set_status(new.uri, Status.BUSY)
    (job,) = active(backend)
    assert job.modified == at("2024-01-07")
    assert [(task.status, task.modified) for task in job.tasks] == [
        (Status.FAILED, at("2024-01-07"))
    ]


def test_a_final_status_does_not_change_a_finished_task(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    backend.set_status(new.task_uri, Status.SUCCESS)
    backend.store.set_status(active(backend)[0], Status.FAILED, at("2024-01-07"))
    backend.set_status(new.uri, Status.BUSY)
    assert [task.status for task in active(backend)[0].tasks] == [Status.SUCCESS]


def test_a_job_that_ended_after_it_was_read_keeps_its_status(backend: Backend) -> None:
    create(backend, new := new_job("a", INITIAL_SYNC))
    (job,) = active(backend)
    backend.set_status(new.task_uri, Status.SUCCESS)
    backend.set_status(new.uri, Status.SUCCESS)
    backend.store.set_status(job, Status.FAILED, at("2024-01-07"))
    assert [job.uri for job in state(backend).synced] == [new.uri]


def test_a_job_whose_tasks_succeeded_is_set_to_success(backend: Backend) -> None:
    create(backend, new := new_job("a", INITIAL_SYNC))
    backend.set_status(new.task_uri, Status.SUCCESS)
    backend.store.set_status(active(backend)[0], Status.SUCCESS, at("2024-01-07"))
    assert [job.uri for job in state(backend).synced] == [new.uri]


def test_active_jobs_of_several_streams_are_found_with_their_tasks(backend: Backend) -> None:
    create(backend, late := new_job("a"), early := new_job("b", HEALING, OTHER, created=NOW - HOUR))
    create(backend, done := new_job("c"), new_job("d", INITIAL_SYNC))
    backend.set_status(done.uri, Status.SUCCESS)
    operations = [operation(DUMP), operation(HEALING, "other")]
    found = backend.store.active(operations)
    assert [job.uri for job in found] == [early.uri, late.uri]
    (task,) = found[1].tasks
    assert (task.operation, task.created) == (late.task_operation, NOW)


def healed(backend: Backend) -> tuple[Job, ...]:
    return state_for(HEALING, STREAM, backend.store).healed


def test_one_successful_healing_is_found(backend: Backend) -> None:
    create(backend, *(new_job(name, HEALING) for name in "abc"), other := new_job("d"))
    assert healed(backend) == ()
    for name in "ab":
        backend.set_status(new_job(name).uri, Status.SUCCESS)
    backend.set_status(other.uri, Status.SUCCESS)
    [found] = healed(backend)
    assert found.operation == operation(HEALING)
    assert found.uri in {new_job("a").uri, new_job("b").uri}
    assert found.created == NOW


def error_of(message: str, job: str | None = None, error_id: str | None = None) -> ErrorResource:
    return ErrorResource(
        error_id=error_id or message.encode().hex(),
        graph=STREAM.jobs_graph,
        creator=STREAM.error_creator,
        message=message,
        created=NOW,
        job=job,
    )


def test_a_written_error_keeps_its_message(backend: Backend) -> None:
    message = 'no "dump" \\ yet:\n\ttoo late … 🕰'
    backend.store.write_error(error_of(message, "http://redpencil.data.gift/id/job/a"))
    assert backend.messages() == [message]


def test_an_error_is_found_by_its_uri_with_its_date(backend: Backend) -> None:
    error, other = error_of("why"), error_of("another")
    assert backend.store.find_errors([error.uri, other.uri]) == {}
    backend.store.write_error(error)
    assert backend.store.find_errors([error.uri, other.uri]) == {error.uri: NOW}
    assert backend.store.find_errors([]) == {}


def test_an_error_that_exists_is_not_changed(backend: Backend) -> None:
    for message in ("first", "second"):
        backend.store.write_error(error_of(message, error_id="same"))
    assert backend.messages() == ["first"]


def test_jobs_of_any_status_are_deletable(backend: Backend) -> None:
    create(backend, done := new_job("a"), busy := new_job("b"), new_job("c", HEALING))
    backend.set_status(done.uri, Status.SUCCESS)
    found = backend.store.deletable_jobs(operation(DUMP))
    assert {job.uri: job.active for job in found} == {done.uri: False, busy.uri: True}


def test_deletion_removes_these_jobs_and_no_others(backend: Backend) -> None:
    create(backend, new_job("a"), new_job("b"), kept := new_job("c", HEALING))
    backend.store.delete(backend.store.deletable_jobs(operation(DUMP)))
    assert backend.store.deletable_jobs(operation(DUMP)) == ()
    assert [job.uri for job in active(backend)] == [kept.uri]
    assert len(active(backend)[0].tasks) == 1


def test_deletion_removes_the_errors_that_reference_a_job(backend: Backend) -> None:
    create(backend, job := new_job("a"), kept := new_job("c", HEALING))
    for name, about in (("of the job", job.uri), ("of another", kept.uri), ("of none", None)):
        backend.store.write_error(error_of(name, about))
    backend.store.delete(backend.store.deletable_jobs(operation(DUMP)))
    assert sorted(backend.messages()) == ["of another", "of none"]


def test_an_error_can_be_removed_alone(backend: Backend) -> None:
    backend.store.write_error(error := error_of("why"))
    backend.store.delete_error(error.uri)
    assert backend.messages() == []


def test_an_active_job_comes_with_its_graph(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    (job,) = backend.store.active([operation(DUMP)])
    assert job.graph == new.graph


def test_every_job_of_this_service_is_deletable(backend: Backend) -> None:
    create(backend, new_job("a"))
    assert backend.store.undeletable_jobs(operation(DUMP)) == ()


def test_a_state_has_known_jobs_of_any_status(backend: Backend) -> None:
    create(backend, done := new_job("a"), new_job("b"), other := new_job("c", DUMP, OTHER))
    backend.set_status(done.uri, Status.FAILED)
    seen = state(backend, [done.uri, other.uri, JOB_BASE + "absent"])
    assert [job.uri for job in seen.recent if not job.active] == [done.uri]
    assert [job.status for job in seen.recent if job.uri == done.uri] == [Status.FAILED]


def test_a_healing_counts_if_no_initial_sync_succeeded(backend: Backend) -> None:
    create(backend, healing := new_job("a", HEALING), sync := new_job("b", INITIAL_SYNC))
    backend.set_status(healing.uri, Status.SUCCESS)
    backend.set_status(sync.uri, Status.FAILED)
    assert [job.uri for job in healed(backend)] == [healing.uri]
    backend.set_status(sync.uri, Status.SUCCESS)
    assert [job.uri for job in state(backend).synced] == [sync.uri]
    assert not healed(backend)


def test_recent_jobs_are_sorted_the_newest_first(backend: Backend) -> None:
    create(
        backend,
        new_job("a", created=NOW - SECOND),
        done := new_job("b", created=NOW),
        late := new_job("c", HEALING, OTHER, created=NOW + SECOND),
        new_job("d", INITIAL_SYNC, created=NOW),
    )
    backend.set_status(done.uri, Status.FAILED)
    found = backend.store.recent([operation(DUMP), operation(HEALING, "other")], NOW)
    assert [(job.uri, job.status) for job in found] == [
        (late.uri, Status.BUSY),
        (done.uri, Status.FAILED),
    ]


def test_active_jobs_and_those_since_an_instant_are_read_together(backend: Backend) -> None:
    create(
        backend,
        active := new_job("a", created=NOW - DAY),
        over := new_job("b", created=NOW - DAY),
        done := new_job("c", created=NOW),
        late := new_job("d", HEALING, OTHER, created=NOW + SECOND),
        new_job("e", INITIAL_SYNC, created=NOW),
    )
    for job in (over, done):
        backend.set_status(job.uri, Status.FAILED)
    found = backend.store.current([operation(DUMP), operation(HEALING, "other")], NOW)
    assert [(job.uri, job.status, job.created) for job in found.jobs] == [
        (active.uri, Status.BUSY, NOW - DAY),
        (done.uri, Status.FAILED, NOW),
        (late.uri, Status.BUSY, NOW + SECOND),
    ]
    assert found.complete


def test_the_newest_and_the_newest_successful_job_of_each_operation_are_found(
    backend: Backend,
) -> None:
    create(
        backend,
        older := new_job("1", created=NOW - HOUR),
        old := new_job("a", created=NOW - SECOND),
        new := new_job("b", created=NOW),
        new_job("c", created=NOW + HOUR),
        sync := new_job("d", INITIAL_SYNC, created=NOW - HOUR),
        new_job("e", HEALING, OTHER),
    )
    for job in (older, old):
        backend.set_status(job.uri, Status.SUCCESS)
    operations = [operation(kind) for kind in (INITIAL_SYNC, HEALING, DUMP)]
    found = backend.store.newest(operations, NOW + SECOND)
    assert [(job.uri, job.created, job.status) for job in found] == [
        (sync.uri, NOW - HOUR, Status.BUSY),
        (old.uri, NOW - SECOND, Status.SUCCESS),
        (new.uri, NOW, Status.BUSY),
    ]


def test_a_search_for_many_operations_leaves_out_all_others(backend: Backend) -> None:
    many = [operation(kind, f"stream-{number}") for number in range(20) for kind in (DUMP, HEALING)]
    mine = new_job("a", DUMP, stream_of("stream-7"))
    create(backend, mine, new_job("b", DUMP, OTHER))
    for found in (
        backend.store.newest(many, NOW),
        backend.store.recent(many, NOW),
        backend.store.active(many),
        backend.store.current(many, NOW).jobs,
    ):
        assert [job.uri for job in found] == [mine.uri]


def test_some_jobs_of_each_operation_are_found_with_their_tasks(backend: Backend) -> None:
    other = [new_job(f"d{number}", DUMP) for number in range(12)]
    create(backend, new_job("a", HEALING), new_job("b", HEALING, OTHER), *other)
    asked = [operation(HEALING), operation(HEALING, "other"), operation(HEALING, "new")]
    found = {job.operation: job for job in backend.store.some_of(asked)}
    assert sorted(found) == sorted(asked[:2])
    [task] = found[operation(HEALING)].tasks
    assert (task.operation, task.index) == (STREAM.plan(HEALING).task_operation, "0")
    some = backend.store.some_of([operation(DUMP)])
    assert 1 <= len(some) < len(other)


def test_some_jobs_of_many_operations_are_found(backend: Backend) -> None:
    """More operations than one query has branches."""
    streams = [stream_of(f"s{number}") for number in range(45)]
    create(backend, *(new_job(f"{one.name}", HEALING, one) for one in streams))
    asked = [operation(HEALING, one.name) for one in streams]
    assert sorted(job.operation for job in backend.store.some_of(asked)) == sorted(asked)


def test_there_is_no_newest_job_without_operations(backend: Backend) -> None:
    create(backend, new_job("a"))
    assert backend.store.newest([], NOW) == ()
    assert backend.store.newest([operation(HEALING)], NOW) == ()


def test_jobs_are_found_by_uri_with_their_tasks(backend: Backend) -> None:
    create(backend, first := new_job("a"), new_job("b"))
    absent = "http://redpencil.data.gift/id/job/absent"
    (job,) = backend.store.find([first.uri, absent])
    assert (job.uri, [task.uri for task in job.tasks]) == (first.uri, [first.task_uri])


def test_writing_the_same_job_twice_leaves_one(backend: Backend) -> None:
    create(backend, new_job("a"), new_job("a"))
    (job,) = active(backend)
    assert len(job.tasks) == 1
    assert inspect(backend.store).jobs_without_task == ()
    assert inspect(backend.store).duplicates == ()


def test_a_guarded_request_writes_a_job_and_its_task(backend: Backend) -> None:
    backend.store.create(new := new_job("a"), soon(), guarded=True)
    (job,) = active(backend)
    assert (job.uri, job.operation, job.status) == (new.uri, operation(DUMP), Status.BUSY)
    assert job.created == job.modified == NOW
    (task,) = job.tasks
    assert (task.uri, task.status, task.operation) == (
        new.task_uri,
        Status.SCHEDULED,
        new.task_operation,
    )
    assert task.created == task.modified == NOW


def test_a_guarded_request_does_nothing_if_job_and_task_exist(backend: Backend) -> None:
    """The consumer works on the task already, and another process wrote another date."""
    create(backend, new := new_job("a"))
    backend.set_status(new.task_uri, Status.BUSY)
    before = state(backend)
    backend.store.create(new_job("a", created=NOW + HOUR), soon(), guarded=True)
    assert state(backend) == before


def test_a_guarded_request_does_nothing_if_the_job_has_ended(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    for uri in (new.task_uri, new.uri):
        backend.set_status(uri, Status.SUCCESS)
    before = backend.store.find([new.uri])
    backend.store.create(new, soon(), guarded=True)
    assert backend.store.find([new.uri]) == before
    assert not active(backend)


def test_a_guarded_request_after_a_plain_one_that_came_late_leaves_one_job(
    backend: Backend,
) -> None:
    create(backend, new := new_job("a"))
    backend.store.create(new, soon(), guarded=True)
    (job,) = active(backend)
    assert len(job.tasks) == 1
    assert inspect(backend.store).duplicates == ()


def test_a_guarded_request_touches_no_other_job(backend: Backend) -> None:
    create(backend, other := new_job("b"))
    backend.store.create(new := new_job("a"), soon(), guarded=True)
    assert {job.uri for job in active(backend)} == {new.uri, other.uri}
    assert [len(job.tasks) for job in active(backend)] == [1, 1]


def test_a_job_with_a_task_gets_no_second_task(backend: Backend) -> None:
    create(backend, new := new_job("a"))
    backend.set_status(new.task_uri, Status.BUSY)
    backend.store.add_task(new)
    (task,) = active(backend)[0].tasks
    assert task.status is Status.BUSY


def test_a_job_that_does_not_exist_gets_no_task(backend: Backend) -> None:
    backend.store.add_task(new_job("a"))
    assert backend.store.find([new_job("a").uri]) == ()
