"""Creating one job: what is read, what is written once, and how it is confirmed."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest

from jobs import ids
from jobs.attempt import Attempt, SentJob, TickOutcome
from jobs.creation import JobCreator, JobRefused
from jobs.model import Job, JobKind, NewJob, Status, Stream, StreamState, Tick
from jobs.rules import AlreadyDone, Create, Wait
from jobs.store import Deadline, StoreError, StoreRefused, StoreUnavailable
from tests.support.builders import (
    DAY,
    DUMP,
    HEALING,
    INITIAL_SYNC,
    MINUTE,
    NOW,
    SECOND,
    TestClock,
    at,
    job_of,
    operation,
    stream_of,
)
from tests.support.domain import Harness
from tests.support.fakes import LOST, REFUSED, FakeJobStore
from tests.support.patience import PATIENCE

STREAM = stream_of()
INDEPENDENT = stream_of(healing_waits=False)


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


@pytest.fixture
def creator(store: FakeJobStore) -> JobCreator:
    return creator_of(store)


def creator_of(store: FakeJobStore, clock: TestClock | None = None) -> JobCreator:
    return Harness((STREAM,), clock or TestClock(), store).creator


def tick(kind: JobKind = DUMP) -> Tick:
    return Tick(STREAM, kind, NOW)


def try_tick(creator: JobCreator, tick: Tick, since: datetime = NOW, **options: Any) -> TickOutcome:
    """Try a tick as the only process does it some time after it fired; the options replace that."""
    late_try = Attempt(since=since, write=True, guarded=False, alone=True, fresh_until=None)
    return creator.create_for_tick(tick, replace(late_try, **options))


def test_the_job_of_a_late_tick_has_the_configured_operations_and_the_fire_time(
    store: FakeJobStore,
) -> None:
    creator = creator_of(store, TestClock(now=NOW + 3 * MINUTE))
    outcome = try_tick(creator, tick())
    (job,) = store.created
    assert outcome == SentJob(job)
    assert job.job_operation == operation(DUMP)
    assert job.task_operation == STREAM.plan(DUMP).task_operation
    assert job.graph == STREAM.jobs_graph
    assert job.created == NOW
    assert job.job_id == ids.tick_job(operation(DUMP), NOW)
    assert job.task_id == ids.first_task(job.job_id)


@pytest.mark.parametrize(
    ("kind", "guarded", "seen"),
    [(DUMP, False, False), (DUMP, True, True), (INITIAL_SYNC, False, True)],
    ids=["first try", "another write may be under way", "the job of a start"],
)
def test_a_write_is_guarded_if_another_one_for_the_same_job_may_be_under_way(
    store: FakeJobStore, creator: JobCreator, kind: JobKind, *, guarded: bool, seen: bool
) -> None:
    """Before a start, an earlier process may have been stopped while it wrote."""
    try_tick(creator, tick(kind), guarded=guarded)
    assert store.created
    assert (store.guarded == store.created) is seen


def test_a_try_that_must_not_write_returns_that_the_job_could_be_created(
    store: FakeJobStore, creator: JobCreator
) -> None:
    assert try_tick(creator, tick(), write=False) == Create()
    assert "create" not in store.calls


@pytest.mark.parametrize("alone", [True, False], ids=["a single process", "a standby replica"])
def test_only_a_standby_replica_takes_a_job_of_an_earlier_pending_tick_for_the_work_of_another(
    store: FakeJobStore, creator: JobCreator, *, alone: bool
) -> None:
    store.add(job_of(DUMP, Status.SUCCESS, created=NOW - MINUTE))
    outcome = try_tick(creator, tick(), NOW - 2 * MINUTE, alone=alone)
    assert isinstance(outcome, SentJob if alone else AlreadyDone)


def test_a_requested_job_has_a_random_id_and_the_current_time(
    store: FakeJobStore, creator: JobCreator
) -> None:
    requested = creator.request(STREAM, DUMP)
    assert store.created == [requested]
    assert requested.uri == "http://redpencil.data.gift/id/job/id-1"
    assert requested.task_id == ids.first_task("id-1")
    assert requested.created == NOW


def test_the_initial_sync_of_a_start_has_the_same_id_at_every_try(
    store: FakeJobStore, creator: JobCreator
) -> None:
    store.failures["create"] = [REFUSED]
    with pytest.raises(StoreUnavailable):
        try_tick(creator, tick(INITIAL_SYNC))
    try_tick(creator, tick(INITIAL_SYNC))
    (job,) = store.created
    assert job.job_id == ids.startup_job(operation(INITIAL_SYNC), None)
    assert store.calls.count("of_operations") == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_a_start_after_an_unsuccessful_initial_sync_creates_a_new_job_and_logs_why(
    store: FakeJobStore, creator: JobCreator, caplog: pytest.LogCaptureFixture, status: Status
) -> None:
    caplog.set_level(logging.INFO)
    store.add(earlier := job_of(INITIAL_SYNC, status, created=NOW - DAY))
    try_tick(creator, tick(INITIAL_SYNC))
    (job,) = store.created
    assert job.job_id == ids.startup_job(operation(INITIAL_SYNC), earlier.uri)
    assert f"none succeeded yet, and the last one is {earlier} ({status.value})" in caplog.text


def test_a_start_with_a_corrected_clock_never_reuses_the_id_of_an_initial_sync(
    store: FakeJobStore,
) -> None:
    """The first start ran with a clock that was 300 days ahead."""
    ahead = TestClock(now=NOW + 300 * DAY)
    try_tick(creator_of(store, ahead), Tick(STREAM, INITIAL_SYNC, ahead.now))
    (first,) = store.created
    store.jobs[first.uri] = replace(store.jobs[first.uri], status=Status.FAILED)
    try_tick(creator_of(store), tick(INITIAL_SYNC))
    assert len({job.uri for job in store.created}) == 2


def test_a_start_creates_no_second_initial_sync_while_another_replica_creates_one(
    store: FakeJobStore, creator: JobCreator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id depends on the newest job. Read after the state, that would be the other's job."""
    of_operations = store.of_operations

    def answer_before_the_other_writes(*args: Any) -> tuple[Job, ...]:
        answer = of_operations(*args)
        monkeypatch.undo()
        try_tick(creator_of(store), tick(INITIAL_SYNC))
        return answer

    monkeypatch.setattr(store, "of_operations", answer_before_the_other_writes)
    outcome = try_tick(creator, tick(INITIAL_SYNC))
    assert isinstance(outcome, AlreadyDone)
    assert len(store.created) == 1


def test_a_tick_reads_the_store_once_and_writes_once(
    store: FakeJobStore, creator: JobCreator
) -> None:
    try_tick(creator, tick(), fresh_until=NOW + SECOND)
    assert store.calls == ["state", "create"]


def test_a_fresh_tick_whose_state_comes_late_counts_finished_jobs_too(
    store: FakeJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another read, or a retry, held the read up; meanwhile a person's dump came and finished."""
    clock = TestClock()
    read = store.state

    def read_late(*arguments: Any) -> StreamState:
        clock.move_to(NOW + 15 * SECOND)
        return read(*arguments)

    done = job_of(DUMP, Status.SUCCESS, created=NOW + SECOND)
    store.add(done)
    monkeypatch.setattr(store, "state", read_late)
    outcome = try_tick(creator_of(store, clock), tick(), fresh_until=NOW + SECOND)
    assert isinstance(outcome, AlreadyDone)
    assert (outcome.job, store.created) == (done, [])


def test_a_slow_read_of_recent_jobs_does_not_keep_a_late_tick_from_its_job(
    store: FakeJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write must begin soon after the state was read, so the state is read again."""
    clock = TestClock(now=NOW + MINUTE)
    read = store.recent

    def read_slowly(*arguments: Any) -> tuple[Job, ...]:
        clock.elapsed += 2
        return read(*arguments)

    monkeypatch.setattr(store, "recent", read_slowly)
    assert isinstance(try_tick(creator_of(store, clock), tick()), SentJob)
    assert store.calls == ["state", "recent", "state", "create"]


@pytest.mark.parametrize(
    ("stream", "kind", "calls"),
    [
        (STREAM, DUMP, ["create", "find"]),
        (STREAM, INITIAL_SYNC, ["create", "find"]),
        (STREAM, HEALING, ["state", "create", "find"]),
        (INDEPENDENT, HEALING, ["create", "find"]),
    ],
    ids=["dump", "initial sync", "healing that waits", "healing that does not wait"],
)
def test_a_request_reads_the_state_only_if_the_decision_depends_on_it(
    store: FakeJobStore, creator: JobCreator, stream: Stream, kind: JobKind, calls: list[str]
) -> None:
    store.add(job_of(INITIAL_SYNC, Status.SUCCESS))
    creator.request(stream, kind)
    assert store.calls == calls


def test_a_tick_with_a_job_gets_no_other(store: FakeJobStore, creator: JobCreator) -> None:
    store.add(existing := job_of(DUMP, Status.SUCCESS, created=NOW))
    outcome = try_tick(creator, tick())
    assert outcome == AlreadyDone(f"done by job {existing}", existing)
    assert not store.created


def test_a_tick_that_has_to_wait_writes_nothing(store: FakeJobStore, creator: JobCreator) -> None:
    store.add(blocking := job_of(HEALING))
    outcome = try_tick(creator, tick())
    assert isinstance(outcome, Wait)
    assert outcome.blocking == (blocking,)
    assert "create" not in store.calls


def test_a_tick_whose_job_was_certainly_not_written_raises_the_error(
    store: FakeJobStore, creator: JobCreator
) -> None:
    store.failures["create"] = [REFUSED]
    with pytest.raises(StoreUnavailable):
        try_tick(creator, tick())


def test_a_tick_whose_answer_was_lost_is_in_doubt_and_not_sent_again(
    store: FakeJobStore, creator: JobCreator
) -> None:
    store.failures["create"] = [LOST]
    outcome = try_tick(creator, tick())
    assert isinstance(outcome, SentJob)
    assert outcome.doubt is LOST
    assert store.calls.count("create") == 1


def test_a_refused_request_raises_the_reason_and_writes_nothing(
    store: FakeJobStore, creator: JobCreator
) -> None:
    with pytest.raises(JobRefused, match="no initial sync has succeeded yet"):
        creator.request(STREAM, HEALING)
    assert not store.created
    assert not store.errors


@pytest.mark.parametrize("step", ["state", "create"])
def test_a_request_raises_the_error_of_the_store(
    store: FakeJobStore, creator: JobCreator, step: str
) -> None:
    store.add(job_of(INITIAL_SYNC, Status.SUCCESS))
    store.failures[step] = [StoreError("syntax error")]
    with pytest.raises(StoreError, match=r"^syntax error$"):
        creator.request(STREAM, HEALING)


def test_a_request_whose_answer_was_lost_succeeds_if_a_read_finds_the_job(
    store: FakeJobStore, creator: JobCreator
) -> None:
    store.late_failures["create"] = [LOST]
    job = creator.request(STREAM, DUMP)
    assert store.created == [job]
    assert store.calls == ["create", "find"]


def test_a_request_is_believed_if_only_the_confirming_read_fails(
    store: FakeJobStore, creator: JobCreator
) -> None:
    store.failures["find"] = [REFUSED]
    assert store.created == [creator.request(STREAM, DUMP)]


def test_a_request_is_not_believed_if_the_store_answers_nonsense(
    store: FakeJobStore, creator: JobCreator
) -> None:
    """A server that is no store may answer every request with 200."""
    store.failures["find"] = [StoreError("no JSON")]
    with pytest.raises(StoreRefused, match=r"no JSON; the dump job .* may still appear"):
        creator.request(STREAM, DUMP)


@pytest.mark.parametrize("find_fails", [False, True], ids=["not found", "read fails"])
def test_a_request_whose_answer_was_lost_names_the_job_that_may_still_appear(
    store: FakeJobStore, creator: JobCreator, *, find_fails: bool
) -> None:
    store.failures = {"create": [LOST], "find": [REFUSED] if find_fails else []}
    text = r"^no answer; the dump job http:\S+/id-1 may still appear$"
    with pytest.raises(StoreUnavailable, match=text) as failure:
        creator.request(STREAM, DUMP)
    assert failure.value.in_doubt


@pytest.mark.parametrize("stored", [False, True], ids=["nothing", "a job without its task"])
def test_a_request_fails_if_the_store_reports_success_but_stored_not_all(
    store: FakeJobStore, creator: JobCreator, *, stored: bool
) -> None:
    store.swallows.add(uri := "http://redpencil.data.gift/id/job/id-1")
    store.add(*[job_of(DUMP, uri=uri)] * stored)
    with pytest.raises(StoreUnavailable, match="reported success, but the job is not there"):
        creator.request(STREAM, DUMP)


def test_a_job_dated_in_the_future_is_ignored_with_a_warning(
    store: FakeJobStore, creator: JobCreator, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(job_of(DUMP, Status.SUCCESS, created=at("2050-01-01")))
    assert isinstance(try_tick(creator, tick()), SentJob)
    assert "in the future: ignored" in caplog.text


def test_a_healing_that_counts_as_the_initial_sync_is_logged_once(
    store: FakeJobStore, creator: JobCreator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store.add(healed := job_of(HEALING, Status.SUCCESS, created=NOW - DAY))
    for _ in range(3):
        creator.request(STREAM, HEALING)
    text = f"counts as synced: no initial sync job is left, but healing {healed} succeeded"
    assert caplog.text.count(text) == 1


@pytest.mark.parametrize("kind", [DUMP, INITIAL_SYNC])
def test_requests_that_read_no_state_do_not_wait_for_each_other(
    store: FakeJobStore, creator: JobCreator, monkeypatch: pytest.MonkeyPatch, kind: JobKind
) -> None:
    """As many wait for the store as callers, not as streams."""
    create, together = store.create, Barrier(2, timeout=PATIENCE)

    def meet(job: NewJob, send_by: Deadline, *, guarded: bool = False) -> None:
        together.wait()  # fails if only one call writes at a time
        create(job, send_by, guarded=guarded)

    monkeypatch.setattr(store, "create", meet)
    with ThreadPoolExecutor() as callers:
        jobs = list(callers.map(lambda _: creator.request(STREAM, kind), range(2)))
    assert {job.uri for job in jobs} == set(store.jobs)
