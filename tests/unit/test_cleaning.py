"""Removing all jobs of a kind, in batches, and saying what was removed."""

from __future__ import annotations

import logging
import re

import pytest

from jobs.cleaning import clean
from jobs.model import Job, NoOperationError, Status
from jobs.store import Deadline, StoreError, StoreUnavailable
from tests.builders import DUMP, HEALING, World, job_of, stream_of
from tests.fakes import BATCH, FakeJobStore

STREAM = stream_of()


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


def soon() -> Deadline:
    return World().surroundings().deadline()


def dumps(count: int) -> list[Job]:
    return [job_of(DUMP, Status.SUCCESS, uri=f"urn:job:{number:05}") for number in range(count)]


def test_all_jobs_of_the_operation_go_running_ones_too_and_are_named(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept, running, done = job_of(HEALING), job_of(DUMP), job_of(DUMP, Status.SUCCESS)
    store.add(kept, running, done)
    removed = clean(store, STREAM, DUMP, soon())
    assert set(removed) == {running, done}
    assert set(store.jobs) == {kept.uri}
    assert f"2 jobs with their tasks and errors, 1 of them running: {running}" in caplog.text


def test_a_disabled_kind_can_be_cleaned(store: FakeJobStore) -> None:
    store.add(job := job_of(DUMP))
    assert clean(store, stream_of(disabled=[DUMP]), DUMP, soon()) == (job,)


def test_a_kind_needs_an_operation_to_be_cleaned(store: FakeJobStore) -> None:
    with pytest.raises(NoOperationError, match="no dump job operation"):
        clean(store, stream_of(unconfigured=[DUMP]), DUMP, soon())


def test_cleaning_nothing_is_fine(store: FakeJobStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert clean(store, STREAM, DUMP, soon()) == ()
    assert "cleaned by request: no jobs" in caplog.text


def test_the_number_of_requests_grows_by_two_for_a_thousand_jobs(store: FakeJobStore) -> None:
    store.add(*dumps(10 * BATCH))
    assert len(clean(store, STREAM, DUMP, soon())) == 10 * BATCH
    assert store.calls == [*["batch_of", "delete"] * 10, "batch_of"]
    assert not store.jobs


def test_what_was_removed_before_a_failure_is_told(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    store.add(*dumps(3 * BATCH))
    delete = store.delete

    def delete_once(jobs: tuple[Job, ...], deadline: Deadline) -> None:
        delete(jobs, deadline)
        store.failures["delete"] = [StoreUnavailable("gone", sent=False)]

    monkeypatch.setattr(store, "delete", delete_once)
    text = f"gone; {BATCH} jobs were removed before that, call again for the rest"
    with pytest.raises(StoreUnavailable, match=re.escape(text)):
        clean(store, STREAM, DUMP, soon())
    assert len(store.jobs) == 2 * BATCH
    assert f"{BATCH} jobs with their tasks" in caplog.text


def test_a_failure_at_once_is_told_as_it_is(store: FakeJobStore) -> None:
    store.add(*dumps(1))
    store.failures["delete"] = [StoreError("forbidden")]
    with pytest.raises(StoreError, match=r"^forbidden$"):
        clean(store, STREAM, DUMP, soon())


def test_a_store_that_only_says_it_removed_them_is_found_out(store: FakeJobStore) -> None:
    store.add(*dumps(2))
    store.swallows.add("urn:job:00000")
    with pytest.raises(StoreUnavailable, match="does not remove what it says"):
        clean(store, STREAM, DUMP, soon())


def test_a_failure_that_was_none_does_not_end_the_work(
    store: FakeJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtuoso says so of a deadlock, though it removed them."""
    store.add(*dumps(3 * BATCH))
    delete = store.delete

    def delete_and_say_no(jobs: tuple[Job, ...], deadline: Deadline) -> None:
        delete(jobs, deadline)
        raise StoreUnavailable("deadlocked", sent=True)

    monkeypatch.setattr(store, "delete", delete_and_say_no)
    assert len(clean(store, STREAM, DUMP, soon())) == 3 * BATCH
    assert not store.jobs


def test_an_update_that_fails_once_is_sent_again(store: FakeJobStore) -> None:
    store.add(*dumps(2 * BATCH))
    store.failures["delete"] = [StoreUnavailable("deadlocked", sent=True)] * 2
    assert len(clean(store, STREAM, DUMP, soon())) == 2 * BATCH


def test_one_that_fails_again_and_again_is_told_with_its_reason(store: FakeJobStore) -> None:
    store.add(*dumps(2))
    store.failures["delete"] = [StoreUnavailable("deadlocked", sent=True)] * 9
    with pytest.raises(StoreUnavailable, match=r"^deadlocked$"):
        clean(store, STREAM, DUMP, soon())
    assert store.calls.count("delete") == 3
