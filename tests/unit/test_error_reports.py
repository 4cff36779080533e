"""Errors are logged at once, and stored once per period as soon as the store accepts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.error_reports import (
    MAX_MESSAGE,
    MAX_MESSAGE_BYTES,
    MAX_WAITING,
    WORK_TIMEOUTS,
    ErrorReport,
    ErrorReporter,
)
from jobs.model import ERROR_BASE, Tick
from jobs.store import ErrorResource, StoreError, StoreUnavailable
from tests.support.builders import DUMP, HEALING, NOW, TestClock, job_of, operation, stream_of
from tests.support.fakes import FakeJobStore

STREAM = stream_of()
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
REPORT = ErrorReport(
    stream=STREAM, kind=DUMP, subject=operation(DUMP), cause="missed", at=NOW, message="why"
)
PREFIX = "dump of stream public: "


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


@pytest.fixture
def reporter(store: FakeJobStore) -> ErrorReporter:
    return reporter_of(store)


def reporter_of(store: FakeJobStore) -> ErrorReporter:
    return ErrorReporter(store, TestClock().clock(), repeat=DAY)


def about(subject: str) -> ErrorReport:
    return replace(REPORT, subject=subject, message=subject)


def report(reporter: ErrorReporter, *reports: ErrorReport) -> None:
    for one in reports:
        reporter.report(one)
    reporter.flush()


def messages(store: FakeJobStore) -> list[str]:
    return [error.message.removeprefix(PREFIX) for error in store.errors]


def test_an_error_has_message_job_date_graph_and_creator(
    store: FakeJobStore, reporter: ErrorReporter, caplog: pytest.LogCaptureFixture
) -> None:
    report(reporter, replace(REPORT, job=job_of(DUMP)))
    (error,) = store.errors
    assert error.message == "dump of stream public: why"
    assert caplog.messages == [error.message]
    assert (error.job, error.created) == (job_of(DUMP).uri, NOW)
    assert (error.graph, error.creator) == (STREAM.jobs_graph, STREAM.error_creator)
    assert error.uri == ERROR_BASE + error.error_id


def test_an_error_without_a_job_references_none(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, REPORT)
    assert store.errors[0].job is None


@pytest.mark.parametrize("pause", [timedelta(0), MINUTE, DAY - MINUTE])
@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_a_problem_is_stored_once_per_period_whenever_it_begins(
    store: FakeJobStore, hour: int, pause: timedelta
) -> None:
    """After a restart, and in a second process, only the store shows what was reported."""
    first = replace(REPORT, at=NOW + timedelta(hours=hour))
    report(reporter_of(store), first)
    report(reporter_of(store), replace(first, at=first.at + pause, message="again"))
    assert messages(store) == ["why"]


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_a_problem_that_lasts_is_stored_again_in_each_period(
    store: FakeJobStore, reporter: ErrorReporter, hour: int
) -> None:
    for days in range(4):
        report(reporter, replace(REPORT, at=NOW + timedelta(hours=hour) + days * DAY))
    assert len({error.uri for error in store.errors}) == len(store.errors) == 4


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(REPORT, subject=operation(HEALING)), id="subject"),
        pytest.param(replace(REPORT, cause="stuck"), id="cause"),
    ],
)
def test_another_subject_or_cause_is_another_error(
    store: FakeJobStore, reporter: ErrorReporter, other: ErrorReport
) -> None:
    report(reporter, REPORT, other)
    assert len(store.errors) == 2


def test_a_stored_error_is_known_for_its_period(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, REPORT)
    reports = [replace(REPORT, at=NOW + MINUTE), replace(REPORT, at=NOW + DAY), about("urn:b")]
    assert reporter_of(store).known(reports) == [True, False, False]
    assert reporter.known([]) == []


def test_one_query_finds_known_errors_and_one_confirms_written_ones(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, *(about(f"urn:{number}") for number in range(50)))
    assert store.calls == ["find_errors", *["write_error"] * 50, "find_errors"]
    reporter.flush()
    assert len(store.calls) == 52, "no error waits any more"


def test_errors_wait_for_an_absent_store(
    store: FakeJobStore, reporter: ErrorReporter, caplog: pytest.LogCaptureFixture
) -> None:
    store.failures["write_error"] = [StoreUnavailable("no room", sent=True)]
    report(reporter, about("urn:one"), about("urn:two"))
    assert store.errors == []
    assert "error resources have to wait for the store: no room" in caplog.messages
    reporter.flush()
    assert messages(store) == ["urn:one", "urn:two"]


def test_a_problem_that_is_reported_again_while_it_waits_waits_once(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    """Otherwise one problem could push out all others while the store is absent for a night."""
    reporter.report(about("urn:other"))
    for seconds in range(2 * MAX_WAITING):
        reporter.report(replace(REPORT, at=NOW + seconds * SECOND))
    reporter.flush()
    assert messages(store) == ["urn:other", "why"]


def test_the_oldest_error_is_dropped_if_too_many_wait(
    store: FakeJobStore, reporter: ErrorReporter, caplog: pytest.LogCaptureFixture
) -> None:
    report(reporter, *(about(f"urn:{number}") for number in range(MAX_WAITING + 1)))
    assert len(store.errors) == MAX_WAITING
    assert "urn:0" not in messages(store)
    assert "too many errors wait for the store: the oldest one is dropped" in caplog.messages


def test_an_error_that_a_read_does_not_find_is_written_again(
    store: FakeJobStore, reporter: ErrorReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "write_error", lambda _: None)
        report(reporter, REPORT)
    assert store.errors == []
    reporter.flush()
    assert messages(store) == ["why"]


def test_a_long_message_is_cut_to_what_virtuoso_stores_in_place(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, replace(REPORT, message="x" * 10_000))
    assert len(store.errors[0].message) == MAX_MESSAGE


REMOVED = job_of(DUMP, uri="urn:removed")
ABOUT_REMOVED = replace(REPORT, subject=REMOVED.uri, job=REMOVED, message="removed")


def test_errors_about_removed_jobs_are_not_written_any_more(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    store.failures["find_errors"] = [StoreUnavailable("down", sent=False)]
    report(reporter, ABOUT_REMOVED, about("urn:other"))
    reporter.forget([REMOVED.uri])
    reporter.flush()
    assert messages(store) == ["urn:other"]


@pytest.mark.parametrize("removed_first", [True, False])
def test_the_record_of_a_missed_tick_stays_without_the_job_that_blocked_it(
    store: FakeJobStore, reporter: ErrorReporter, *, removed_first: bool
) -> None:
    missed = replace(ABOUT_REMOVED, subject=operation(DUMP), tick=Tick(STREAM, DUMP, NOW))
    if removed_first:
        reporter.forget([REMOVED.uri])
    reporter.report(missed)
    reporter.forget([REMOVED.uri])
    reporter.flush()
    assert [(error.message, error.job) for error in store.errors] == [(f"{PREFIX}removed", None)]


def test_stored_errors_stay_when_the_queue_is_full(
    store: FakeJobStore, reporter: ErrorReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.write_error

    def write_and_fill(error: ErrorResource) -> None:
        write(error)
        for number in range(MAX_WAITING):
            reporter.report(about(f"urn:other:{number}"))

    monkeypatch.setattr(store, "write_error", write_and_fill)
    report(reporter, about("urn:first"))
    assert "urn:first" in messages(store)


def test_work_that_read_a_job_before_its_removal_reports_it_in_vain(
    store: FakeJobStore, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TestClock()
    reporter = ErrorReporter(store, clock.clock(), repeat=DAY)
    reporter.forget([REMOVED.uri])
    report(reporter, ABOUT_REMOVED)
    assert (messages(store), caplog.messages) == ([], [f"{PREFIX}removed"])
    clock.elapsed += WORK_TIMEOUTS * clock.clock().timeout
    report(reporter, ABOUT_REMOVED)
    assert messages(store) == ["removed"]


def test_an_error_whose_job_is_removed_while_it_is_written_is_removed_too(
    store: FakeJobStore, reporter: ErrorReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store.write_error

    def write_and_forget(error: ErrorResource) -> None:
        reporter.forget([REMOVED.uri])
        write(error)

    monkeypatch.setattr(store, "write_error", write_and_forget)
    report(reporter, ABOUT_REMOVED, about("urn:other"))
    assert messages(store) == ["urn:other"]


def test_a_long_message_of_other_characters_is_cut_between_two_of_them(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, replace(REPORT, message="€" * 10_000))
    message = store.errors[0].message
    assert MAX_MESSAGE_BYTES - 3 < len(message.encode()) <= MAX_MESSAGE_BYTES
    assert set(message.removeprefix(PREFIX)) == {"€"}


def test_a_message_with_half_a_character_is_stored(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    report(reporter, replace(REPORT, message="half \ud800"))
    assert messages(store) == ["half ?"]


def test_an_error_that_the_store_refuses_does_not_delay_others(
    store: FakeJobStore, reporter: ErrorReporter
) -> None:
    store.failures["write_error"] = [StoreError("forbidden graph")]
    report(reporter, about("urn:refused"), about("urn:accepted"))
    assert messages(store) == ["urn:accepted"]
    reporter.flush()
    assert messages(store) == ["urn:accepted", "urn:refused"]
