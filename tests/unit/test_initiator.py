"""What the initiator does around a decision: reads once, writes once, makes sure, takes turns."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from jobs import identity
from jobs.initiator import Initiator
from jobs.model import AlreadyDone, Create, Job, JobKind, Refuse, Status, Stream, Tick, Wait
from jobs.store import Deadline, StoreError, StoreUnavailable
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
)
from tests.fakes import FakeJobStore
from tests.harness import Harness

STREAM = stream_of()
REFUSED = StoreUnavailable("refused", sent=False)
LOST = StoreUnavailable("no answer", sent=True)


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


def initiator_of(store: FakeJobStore, world: World | None = None, *streams: Stream) -> Initiator:
    return Harness(streams or (STREAM,), world or World(), store).initiator


def soon() -> Deadline:
    return World().surroundings().deadline()


def tick(kind: JobKind = DUMP) -> Tick:
    return Tick(STREAM, kind, NOW)


def test_a_ticks_job_is_what_the_stream_configures(store: FakeJobStore) -> None:
    outcome = initiator_of(store, World(now=NOW + timedelta(minutes=3))).take(tick(), NOW)
    (job,) = store.created
    assert outcome.decision == Create()
    assert outcome.job == job
    assert job.job_operation == operation(DUMP)
    assert job.task_operation == STREAM.plan(DUMP).task_operation
    assert job.graph == STREAM.jobs_graph


def test_a_ticks_job_has_the_ticks_identity_however_late_it_is(store: FakeJobStore) -> None:
    for minutes in (0, 3):
        world = World(now=NOW + timedelta(minutes=minutes))
        initiator_of(FakeJobStore() if minutes else store, world).take(tick(), NOW)
    (job,) = store.created
    assert job.job_id == identity.tick_job(operation(DUMP), NOW)
    assert job.task_id == identity.first_task(job.job_id)
    assert job.created == NOW


def test_a_requests_job_has_a_random_id_and_the_present(store: FakeJobStore) -> None:
    initiator_of(store).request(STREAM, DUMP)
    (job,) = store.created
    assert job.uri == "http://redpencil.data.gift/id/job/id-1"
    assert job.task_id == identity.first_task("id-1")
    assert job.created == NOW


def test_a_startups_job_has_the_same_id_at_every_try(store: FakeJobStore) -> None:
    store.failures["create"] = [REFUSED]
    initiator = initiator_of(store)
    with pytest.raises(StoreUnavailable):
        initiator.take(tick(INITIAL_SYNC), NOW)
    initiator.take(tick(INITIAL_SYNC), NOW)
    (job,) = store.created
    assert job.job_id == identity.startup_job(operation(INITIAL_SYNC), None)
    assert store.calls.count("newest") == 1


def test_a_startup_after_a_failed_sync_makes_another_job(store: FakeJobStore) -> None:
    failed = job_of(INITIAL_SYNC, Status.FAILED, created=NOW - timedelta(days=1))
    store.add(failed)
    initiator_of(store).take(tick(INITIAL_SYNC), NOW)
    (job,) = store.created
    assert job.job_id == identity.startup_job(operation(INITIAL_SYNC), failed.uri)


def test_a_wrong_clock_does_not_bring_the_same_initial_sync_twice(store: FakeJobStore) -> None:
    ahead = World(now=NOW + timedelta(days=300))
    first = initiator_of(store, ahead).take(Tick(STREAM, INITIAL_SYNC, ahead.now), NOW).job
    assert first is not None
    store.jobs[first.uri] = replace(store.jobs[first.uri], status=Status.FAILED)
    second = initiator_of(store).take(tick(INITIAL_SYNC), NOW).job
    assert second is not None
    assert second.uri != first.uri


def test_a_twins_job_that_appears_while_a_startup_reads_is_not_followed_by_another(
    store: FakeJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id derives from the newest job there is: read after the state, that is the twin's."""
    twin = initiator_of(store)
    newest = store.newest

    def answer_and_let_the_twin_write(*args: Any) -> tuple[Job, ...]:
        answer = newest(*args)
        monkeypatch.undo()
        twin.take(tick(INITIAL_SYNC), NOW)
        return answer

    monkeypatch.setattr(store, "newest", answer_and_let_the_twin_write)
    decision = initiator_of(store).take(tick(INITIAL_SYNC), NOW).decision
    assert isinstance(decision, AlreadyDone)
    assert len(store.created) == 1


def test_the_store_is_read_once_and_written_once(store: FakeJobStore) -> None:
    initiator_of(store).take(tick(), NOW)
    assert store.calls == ["state", "create"]


def test_a_job_that_was_made_meanwhile_settles_the_tick(store: FakeJobStore) -> None:
    store.add(made := job_of(DUMP, Status.SUCCESS, created=NOW))
    decision = initiator_of(store).take(tick(), NOW).decision
    assert decision == AlreadyDone(f"done by job {made}", made)
    assert not store.created


def test_a_wait_writes_nothing(store: FakeJobStore) -> None:
    store.add(blocking := job_of(HEALING))
    decision = initiator_of(store).take(tick(), NOW).decision
    assert isinstance(decision, Wait)
    assert decision.blocking == (blocking,)
    assert store.calls == ["state"]


def test_a_refused_write_of_a_tick_was_never_sent(store: FakeJobStore) -> None:
    store.failures["create"] = [REFUSED]
    with pytest.raises(StoreUnavailable):
        initiator_of(store).take(tick(), NOW)


def test_a_lost_answer_leaves_a_doubt_and_no_second_write(store: FakeJobStore) -> None:
    store.failures["create"] = [LOST]
    outcome = initiator_of(store).take(tick(), NOW)
    assert outcome.doubt is LOST
    assert outcome.job is not None
    assert store.calls.count("create") == 1


def test_a_refusal_is_the_callers_to_see_and_no_error(store: FakeJobStore) -> None:
    outcome = initiator_of(store).request(STREAM, HEALING)
    assert isinstance(outcome.decision, Refuse)
    assert not store.errors


def test_a_person_hears_of_a_failing_store(store: FakeJobStore) -> None:
    store.failures["state"] = [REFUSED]
    with pytest.raises(StoreUnavailable, match=r"^refused$"):
        initiator_of(store).request(STREAM, DUMP)


def test_a_person_hears_of_a_write_that_was_refused(store: FakeJobStore) -> None:
    store.failures["create"] = [StoreError("syntax error")]
    with pytest.raises(StoreError, match=r"^syntax error$"):
        initiator_of(store).request(STREAM, DUMP)


def test_after_a_lost_answer_a_read_tells_whether_the_job_is_there(
    store: FakeJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = store.create

    def create_and_lose_the_answer(*args: object) -> None:
        create(*args)  # type: ignore[arg-type] # handed on
        raise LOST

    monkeypatch.setattr(store, "create", create_and_lose_the_answer)
    outcome = initiator_of(store).request(STREAM, DUMP)
    assert outcome.job is not None
    assert store.calls == ["state", "create", "find"]


def test_a_person_hears_which_job_may_appear_after_a_lost_answer(store: FakeJobStore) -> None:
    store.failures["create"] = [LOST]
    with pytest.raises(StoreUnavailable, match=r"no answer; the dump job http:\S+/id-1 may appear"):
        initiator_of(store).request(STREAM, DUMP)


def test_a_person_is_not_told_a_lie_of_the_store(store: FakeJobStore) -> None:
    store.swallows.add("http://redpencil.data.gift/id/job/id-1")
    with pytest.raises(StoreUnavailable, match="but it is not there"):
        initiator_of(store).request(STREAM, DUMP)


def test_a_yes_that_cannot_be_checked_is_believed(store: FakeJobStore) -> None:
    store.failures["find"] = [REFUSED]
    assert initiator_of(store).request(STREAM, DUMP).job is not None


def test_a_lost_answer_that_cannot_be_checked_is_a_doubt(store: FakeJobStore) -> None:
    store.failures["create"], store.failures["find"] = [LOST], [REFUSED]
    with pytest.raises(StoreUnavailable, match="may appear all the same"):
        initiator_of(store).request(STREAM, DUMP)


def test_a_job_from_the_future_is_ignored_with_a_warning(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(job_of(DUMP, Status.SUCCESS, created=at("2050-01-01")))
    assert initiator_of(store).take(tick(), NOW).decision == Create()
    assert "in the future: ignored" in caplog.text


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_a_start_says_why_it_makes_a_new_initial_sync(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture, status: Status
) -> None:
    caplog.set_level(logging.INFO)
    store.add(earlier := job_of(INITIAL_SYNC, status, created=NOW - timedelta(days=1)))
    assert initiator_of(store).take(tick(INITIAL_SYNC), NOW).decision == Create()
    assert f"none succeeded yet, the last one is {earlier} ({status.value})" in caplog.text


def test_a_healing_that_stands_in_for_the_initial_sync_is_told_once(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store.add(healed := job_of(HEALING, Status.SUCCESS, created=NOW - timedelta(days=1)))
    initiator = initiator_of(store)
    for _ in range(3):
        assert initiator.request(STREAM, HEALING).decision == Create()
    text = f"counts as synced: it has no successful initial sync, but healing {healed} succeeded"
    assert caplog.text.count(text) == 1


def test_after_closing_nothing_begins_any_more(store: FakeJobStore) -> None:
    initiator = initiator_of(store)
    assert initiator.close(1)
    with pytest.raises(StoreUnavailable, match="stopping"):
        initiator.request(STREAM, DUMP)
    assert not store.calls


def test_work_that_waits_for_its_turn_does_not_begin_after_closing(store: FakeJobStore) -> None:
    """A person's call waits behind another one when the service is told to stop."""
    initiator = initiator_of(store)
    refused = Event()

    def call() -> None:
        with pytest.raises(StoreUnavailable, match="stopping"):
            initiator.request(STREAM, DUMP)
        refused.set()

    waiting = Thread(target=call)
    closing = Thread(target=initiator.close, args=[10])
    with initiator.turn(STREAM, soon()):
        waiting.start()
        closing.start()
        while not initiator.closed:
            closing.join(0.01)
    waiting.join(10)
    closing.join(10)
    assert refused.is_set() or not store.calls
    assert not store.calls


def test_two_calls_for_one_stream_never_mix(store: FakeJobStore) -> None:
    initiator = initiator_of(store)
    outcomes: list[str] = []

    def run() -> None:
        with initiator.turn(STREAM, World().surroundings().deadline()):
            outcomes.append(type(initiator.take(tick(), NOW).decision).__name__)

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [*["AlreadyDone"] * 7, "Create"]
