"""Removing all jobs of a kind in batches, and what is reported about it."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import pytest

from jobs.deletion import delete_jobs, refuse_undeletable
from jobs.model import Job, JobKind, NoOperationError, Status, Stream
from jobs.store import StoreError, StoreUnavailable
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, job_of, stream_of
from tests.support.fakes import BATCH, LOST, REFUSED, FakeJobStore

STREAM = stream_of()


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


def removal(store: FakeJobStore, stream: Stream, kind: JobKind) -> tuple[Job, ...]:
    """Remove jobs, and check that all those that are gone were passed on to be forgotten."""
    forgotten: set[str] = set()
    before = set(store.jobs)
    try:
        return delete_jobs(store, stream, kind, forgotten.update).removed
    finally:
        assert before - set(store.jobs) <= forgotten


def dumps(count: int) -> list[Job]:
    return [job_of(DUMP, Status.SUCCESS, uri=f"urn:job:{number:05}") for number in range(count)]


def test_all_jobs_of_the_kind_are_removed_and_active_ones_are_named(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept, active, ended = job_of(HEALING), job_of(DUMP), job_of(DUMP, Status.SUCCESS)
    store.add(kept, active, ended)
    assert {job.uri for job in removal(store, STREAM, DUMP)} == {active.uri, ended.uri}
    assert set(store.jobs) == {kept.uri}
    text = f"2 jobs with their tasks and errors, 1 of them active: {active} (busy)"
    assert f"dump of stream public: cleaned by request: {text}" in caplog.messages


@pytest.mark.parametrize(
    ("number", "text"), [(0, "no jobs"), (1, "1 job with its tasks and errors")]
)
def test_the_log_line_counts_in_plain_english(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture, number: int, text: str
) -> None:
    caplog.set_level(logging.INFO)
    store.add(*dumps(number))
    assert len(removal(store, STREAM, DUMP)) == number
    assert caplog.messages == [f"dump of stream public: cleaned by request: {text}"]


def test_jobs_of_a_disabled_kind_are_removed(store: FakeJobStore) -> None:
    store.add(job := job_of(DUMP))
    assert removal(store, stream_of(disabled=[DUMP]), DUMP) == (job,)


def test_jobs_of_a_kind_without_an_operation_cannot_be_removed(store: FakeJobStore) -> None:
    with pytest.raises(NoOperationError, match="no dump job operation"):
        removal(store, stream_of(unconfigured=[DUMP]), DUMP)


def test_each_batch_is_read_and_removed(store: FakeJobStore) -> None:
    store.add(*dumps(10 * BATCH))
    assert len(removal(store, STREAM, DUMP)) == 10 * BATCH
    calls = [*["deletable_jobs", "delete"] * 10, "deletable_jobs", "undeletable_jobs"]
    assert store.calls == calls
    assert not store.jobs


def test_a_failure_after_the_first_batch_reports_what_was_removed(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store.add(*dumps(3 * BATCH))
    delete = store.delete

    def delete_once(jobs: Sequence[Job]) -> None:
        if len(store.jobs) < 3 * BATCH:
            raise REFUSED
        delete(jobs)

    store.delete = delete_once  # type: ignore[method-assign]
    text = f"refused; {BATCH} jobs removed before that, call again for the rest"
    with pytest.raises(StoreUnavailable, match=f"^{re.escape(text)}$"):
        removal(store, STREAM, DUMP)
    line = f"not cleaned by request: refused; {BATCH} jobs removed before that"
    assert f"dump of stream public: {line}" in caplog.messages


def test_a_part_that_was_removed_before_a_refusal_is_counted(store: FakeJobStore) -> None:
    """Virtuoso answers 404 under load, to some of the updates of one batch."""
    store.add(*dumps(4))
    delete = store.delete

    def delete_the_first(jobs: Sequence[Job]) -> None:
        delete(jobs[:1])
        raise REFUSED

    store.delete = delete_the_first  # type: ignore[method-assign]
    assert len(removal(store, STREAM, DUMP)) == 4
    assert not store.jobs


def test_a_batch_that_no_read_has_shown_may_be_removed_in_part(store: FakeJobStore) -> None:
    """The deadline came while the parts of the first batch were removed."""
    store.add(*dumps(3))
    delete = store.delete

    def delete_the_first(jobs: Sequence[Job]) -> None:
        delete(jobs[:1])
        store.failures["deletable_jobs"] = [REFUSED]
        raise LOST

    store.delete = delete_the_first  # type: ignore[method-assign]
    text = "no jobs removed before that, and perhaps some of 3 more, call again for the rest"
    with pytest.raises(StoreUnavailable, match=f"^refused; {text}$"):
        removal(store, STREAM, DUMP)


def test_jobs_that_may_have_been_removed_are_forgotten_too(store: FakeJobStore) -> None:
    """The update was applied, and no read could show it."""
    store.add(*dumps(3))
    store.late_failures["delete"] = [LOST]
    store.failures["deletable_jobs"] = []
    deletable = store.deletable_jobs

    def fail_after_the_first(operation: str) -> tuple[Job, ...]:
        if "delete" in store.calls:
            raise REFUSED
        return deletable(operation)

    store.deletable_jobs = fail_after_the_first  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        removal(store, STREAM, DUMP)
    assert store.jobs == {}


def test_a_store_that_is_down_is_not_logged_as_cleaned(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store.add(*dumps(1))
    store.failures["deletable_jobs"] = [REFUSED]
    with pytest.raises(StoreUnavailable, match=r"^refused$"):
        removal(store, STREAM, DUMP)
    line = "not cleaned by request: refused; no jobs removed before that"
    assert caplog.messages == [f"dump of stream public: {line}"]


def test_jobs_that_no_update_can_name_are_named_with_their_graphs() -> None:
    left = [job_of(DUMP, uri=f"_:b{number}", graph=f"urn:graph:{number}") for number in range(5)]
    with pytest.raises(StoreError) as caught:
        refuse_undeletable(left, 2)
    assert str(caught.value) == (
        "2 jobs removed, but 5 jobs cannot be removed: '_:b0' in graph urn:graph:0, '_:b1' in "
        "graph urn:graph:1, '_:b2' in graph urn:graph:2 and 2 more; no update can name a blank "
        "node or a relative IRI; remove the triples of such a job in the store itself"
    )


def test_a_failure_of_the_first_batch_is_reported_alone(store: FakeJobStore) -> None:
    store.add(*dumps(1))
    store.failures["delete"] = [StoreError("forbidden")] * 3
    with pytest.raises(StoreError, match=r"^forbidden$"):
        removal(store, STREAM, DUMP)
    assert store.calls.count("delete") == 3


def test_a_store_that_reports_success_without_removing_jobs_is_reported(
    store: FakeJobStore,
) -> None:
    store.add(*dumps(2))
    store.swallows.add("urn:job:00000")
    with pytest.raises(StoreUnavailable, match=r"^the store does not remove the jobs$"):
        removal(store, STREAM, DUMP)


def test_reported_failures_of_successful_updates_do_not_end_the_work(store: FakeJobStore) -> None:
    """Virtuoso reports some deadlocks although it removed the jobs."""
    store.add(*dumps(3 * BATCH))
    store.late_failures["delete"] = [LOST] * 3
    assert len(removal(store, STREAM, DUMP)) == 3 * BATCH
    assert not store.jobs


def test_an_update_that_fails_twice_in_doubt_is_sent_again(store: FakeJobStore) -> None:
    store.add(*dumps(2 * BATCH))
    store.failures["delete"] = [LOST] * 2
    assert len(removal(store, STREAM, DUMP)) == 2 * BATCH
    assert not store.jobs


def test_an_update_that_fails_three_times_in_doubt_is_reported(store: FakeJobStore) -> None:
    store.add(*dumps(2))
    store.failures["delete"] = [LOST] * 9
    with pytest.raises(StoreUnavailable, match=r"^no answer$"):
        removal(store, STREAM, DUMP)
    assert store.calls.count("delete") == 3


# what healings wait for afterwards

SYNC = job_of(INITIAL_SYNC, Status.SUCCESS)
WAITS = (
    "healings wait until an initial sync succeeds: POST /public/initial-sync-jobs to create one, or"
    " set HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false"
)


def test_the_log_says_that_healings_wait_after_their_initial_sync_was_removed(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(SYNC)
    assert delete_jobs(store, STREAM, INITIAL_SYNC, set[str]().update).consequence == WAITS
    assert f"initial sync of stream public: {WAITS}" in caplog.messages
    assert caplog.records[-1].levelno == logging.WARNING


@pytest.mark.parametrize(
    ("stream", "kind", "others"),
    [
        (STREAM, INITIAL_SYNC, [job_of(HEALING, Status.SUCCESS)]),
        (STREAM, DUMP, []),
        (stream_of(healing_waits=False), INITIAL_SYNC, []),
        (stream_of(disabled=[HEALING]), INITIAL_SYNC, []),
    ],
    ids=["a healing counts as one", "dumps", "healings need none", "healings are disabled"],
)
def test_nothing_is_said_where_no_healing_waits(
    store: FakeJobStore,
    caplog: pytest.LogCaptureFixture,
    stream: Stream,
    kind: JobKind,
    others: list[Job],
) -> None:
    store.add(SYNC, job_of(DUMP, Status.SUCCESS), *others)
    assert delete_jobs(store, stream, kind, set[str]().update).consequence == ""
    assert "wait" not in caplog.text


def test_nothing_is_said_where_nothing_was_removed(store: FakeJobStore) -> None:
    assert delete_jobs(store, STREAM, INITIAL_SYNC, set[str]().update).consequence == ""


def test_a_failed_read_of_the_consequence_does_not_fail_the_removal(store: FakeJobStore) -> None:
    store.add(SYNC)
    store.failures["state"] = [REFUSED]
    deleted = delete_jobs(store, STREAM, INITIAL_SYNC, set[str]().update)
    assert (deleted.removed, deleted.consequence) == ((SYNC,), "")
