"""What the initiator does around a decision: reads once, writes once, reports, takes turns."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Thread

import pytest

from jobs.initiator import MESSAGE_LIMIT, Initiator
from jobs.model import AlreadyDone, Create, JobKind, Refuse, Status, Stream, Tick, Trigger, Wait
from jobs.store import StoreError, StoreUnavailable
from tests.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    World,
    at,
    job_of,
    operation,
    stream_of,
    task_of,
)
from tests.fakes import FakeJobStore

STREAM = stream_of()


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


def initiator_of(store: FakeJobStore, world: World | None = None, *streams: Stream) -> Initiator:
    return Initiator(streams or [STREAM], store, (world or World()).surroundings())


def tick(kind: JobKind = DUMP) -> Tick:
    return Tick(STREAM, kind, NOW)


def test_a_created_job_is_what_the_stream_configures(store: FakeJobStore) -> None:
    outcome = initiator_of(store).initiate(STREAM, DUMP, Trigger.TICK)
    (job,) = store.created
    assert outcome.decision == Create()
    assert outcome.job_uri == job.uri == "http://redpencil.data.gift/id/job/id-1"
    assert job.task_uri == "http://redpencil.data.gift/id/task/id-2"
    assert job.job_operation == operation(DUMP)
    assert job.task_operation == STREAM.plan(DUMP).task_operation
    assert job.graph == STREAM.jobs_graph
    assert job.created == NOW


def test_the_store_is_read_once_and_written_once(store: FakeJobStore) -> None:
    initiator_of(store).initiate(STREAM, DUMP, Trigger.TICK)
    assert store.calls == ["state", "create"]


def test_a_wait_is_stored_as_an_error_that_references_the_blocking_job(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    blocking = job_of(HEALING)
    store.add(blocking)
    outcome = initiator_of(store).initiate(STREAM, DUMP, Trigger.TICK)
    (error,) = store.errors
    assert isinstance(outcome.decision, Wait)
    assert not store.created
    assert error.message == outcome.decision.reason
    assert error.job == blocking.uri
    assert (error.graph, error.creator) == (STREAM.jobs_graph, STREAM.error_creator)
    assert error.created == NOW
    assert outcome.decision.reason in caplog.text


def test_a_wait_without_a_blocking_job_references_none(store: FakeJobStore) -> None:
    initiator_of(store).initiate(STREAM, HEALING, Trigger.TICK)
    (error,) = store.errors
    assert error.job is None


def test_what_is_done_already_is_only_logged(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store.add(done := job_of(INITIAL_SYNC, Status.SUCCESS))
    outcome = initiator_of(store).initiate(STREAM, INITIAL_SYNC, Trigger.STARTUP)
    assert isinstance(outcome.decision, AlreadyDone)
    assert done.uri in caplog.text
    assert not store.errors


def test_a_refusal_is_the_callers_to_see_and_no_error(store: FakeJobStore) -> None:
    outcome = initiator_of(store).initiate(STREAM, HEALING, Trigger.REQUEST)
    assert isinstance(outcome.decision, Refuse)
    assert not store.errors


def test_an_error_that_cannot_be_stored_does_not_break_the_tick(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(job_of(HEALING))
    store.failures["record"] = [StoreError("no room")]
    initiator_of(store).settle(tick())
    assert "no room" in caplog.text


def test_a_tick_that_meets_a_failing_store_is_logged_and_stored(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.failures["create"] = [StoreError("syntax error")]
    initiator_of(store).settle(tick())
    (error,) = store.errors
    for text in (error.message, caplog.text):
        assert "dump of stream public: no job could be created: syntax error" in text


def test_an_unforeseen_error_is_stored_and_does_not_reach_the_scheduler(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "state", lambda *_: 1 / 0)
    initiator_of(store).settle(tick())
    assert "ZeroDivisionError" in caplog.text
    assert "no job could be created" in store.errors[0].message


def test_a_person_hears_of_a_failing_store(store: FakeJobStore) -> None:
    store.failures["state"] = [StoreUnavailable("refused", sent=False)]
    with pytest.raises(StoreUnavailable, match="refused"):
        initiator_of(store).initiate(STREAM, DUMP, Trigger.REQUEST)


def test_a_person_hears_which_job_may_exist_after_a_lost_answer(store: FakeJobStore) -> None:
    store.failures["create"] = [StoreUnavailable("no answer", sent=True)]
    with pytest.raises(StoreUnavailable, match=r"no answer; the dump job http:\S+/id-1 may have"):
        initiator_of(store).initiate(STREAM, DUMP, Trigger.REQUEST)


def test_a_refused_write_raises_no_doubt(store: FakeJobStore) -> None:
    store.failures["create"] = [StoreUnavailable("refused", sent=False)]
    with pytest.raises(StoreUnavailable, match=r"^refused$"):
        initiator_of(store).initiate(STREAM, DUMP, Trigger.REQUEST)


def test_long_reasons_are_cut_to_what_virtuoso_keeps_in_place(store: FakeJobStore) -> None:
    store.failures["state"] = [StoreError("x" * 10_000)]
    initiator_of(store).settle(tick())
    assert len(store.errors[0].message) == MESSAGE_LIMIT


def test_a_silent_job_is_failed_with_its_unfinished_tasks_and_blocks_no_more(
    store: FakeJobStore,
) -> None:
    silent = job_of(
        HEALING,
        modified=NOW,
        tasks=(task_of("done", Status.SUCCESS), task_of("stuck", Status.BUSY)),
    )
    store.add(silent)
    world = World(job_timeout=timedelta(minutes=90))
    initiator = initiator_of(store, world)

    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    assert not store.created, "it was seen for the first time just now"

    world.now = NOW + timedelta(minutes=91)
    store.errors.clear()
    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    failed = store.jobs[silent.uri]
    assert failed.status is Status.FAILED
    assert [task.status for task in failed.tasks] == [Status.SUCCESS, Status.FAILED]
    assert len(store.created) == 1
    (error,) = store.errors
    assert error.job == silent.uri
    assert "90 minutes (JOB_TIMEOUT_MINUTES)" in error.message


def test_a_job_that_was_idle_in_between_is_a_new_sight(store: FakeJobStore) -> None:
    world = World(job_timeout=timedelta(minutes=90))
    initiator = initiator_of(store, world)
    store.add(job := job_of(HEALING, modified=at("2024-01-01T00:00")))
    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    del store.jobs[job.uri]
    initiator.initiate(STREAM, HEALING, Trigger.TICK)
    store.add(job)
    world.now = NOW + timedelta(minutes=91)
    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    assert store.jobs[job.uri].status is Status.BUSY


def test_without_a_timeout_a_job_may_be_silent_for_ever(store: FakeJobStore) -> None:
    store.add(job_of(HEALING, modified=at("1999-01-01T00:00")))
    world = World()
    initiator = initiator_of(store, world)
    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    world.now = NOW + timedelta(days=1000)
    initiator.initiate(STREAM, DUMP, Trigger.TICK)
    assert "fail" not in store.calls


def test_cleaning_removes_all_jobs_of_the_operation_and_names_them(store: FakeJobStore) -> None:
    kept, running, done = job_of(HEALING), job_of(DUMP), job_of(DUMP, Status.SUCCESS)
    store.add(kept, running, done)
    removed = initiator_of(store).clean(STREAM, DUMP)
    assert set(removed) == {running.uri, done.uri}
    assert set(store.jobs) == {kept.uri}


def test_cleaning_works_for_a_disabled_kind(store: FakeJobStore) -> None:
    stream = stream_of(disabled=[DUMP])
    store.add(job := job_of(DUMP))
    assert initiator_of(store, None, stream).clean(stream, DUMP) == (job.uri,)


def test_cleaning_needs_a_configured_operation(store: FakeJobStore) -> None:
    stream = stream_of(unconfigured=[DUMP])
    with pytest.raises(LookupError, match="no dump job operation"):
        initiator_of(store, None, stream).clean(stream, DUMP)


def test_after_closing_nothing_begins_any_more(store: FakeJobStore) -> None:
    initiator = initiator_of(store, World(seconds=0))
    assert initiator.close(1)
    with pytest.raises(StoreUnavailable, match="busy"):
        initiator.initiate(STREAM, DUMP, Trigger.REQUEST)
    assert not store.calls


def test_two_calls_for_one_stream_never_mix(store: FakeJobStore) -> None:
    initiator = initiator_of(store)
    outcomes: list[type] = []

    def run() -> None:
        outcomes.append(type(initiator.initiate(STREAM, DUMP, Trigger.TICK).decision))

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kind.__name__ for kind in outcomes) == ["Create", *["Wait"] * 7]
