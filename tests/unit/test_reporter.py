"""Errors reach the log at once, and the store as soon as it takes them, each once in a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.model import ERROR_BASE
from jobs.reporter import MESSAGE_LIMIT, MOST_WAITING, Report, Reporter
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, HEALING, NOW, World, job_of, operation, stream_of
from tests.fakes import FakeJobStore

STREAM = stream_of()
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WHY = Report(stream=STREAM, thing=operation(DUMP), what="missed", at=NOW, message="why")


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


@pytest.fixture
def reporter(store: FakeJobStore) -> Reporter:
    return reporter_of(store)


def reporter_of(store: FakeJobStore) -> Reporter:
    return Reporter(store, repeat=DAY, deadline=World().surroundings().deadline)


def about(thing: str) -> Report:
    return replace(WHY, thing=thing, message=thing)


def messages(store: FakeJobStore) -> list[str]:
    return [error.message for error in store.errors]


def test_an_error_says_what_where_and_when(
    store: FakeJobStore, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    reporter.report(replace(WHY, job=job_of(DUMP)))
    reporter.flush()
    (error,) = store.errors
    assert (error.message, error.job, error.created) == ("why", job_of(DUMP).uri, NOW)
    assert (error.graph, error.creator) == (STREAM.jobs_graph, STREAM.error_creator)
    assert error.uri == ERROR_BASE + error.error_id
    assert "why" in caplog.text


def test_an_error_without_a_job_references_none(store: FakeJobStore, reporter: Reporter) -> None:
    reporter.report(WHY)
    reporter.flush()
    assert store.errors[0].job is None


@pytest.mark.parametrize("pause", [timedelta(0), MINUTE, DAY - MINUTE])
@pytest.mark.parametrize("begin", range(0, 24, 5))
def test_one_thing_is_stored_once_in_the_time_whenever_it_begins(
    store: FakeJobStore, begin: int, pause: timedelta
) -> None:
    """A process restarted in between, or a second one, has only the store to know it from."""
    first = replace(WHY, at=NOW + timedelta(hours=begin))
    for report in (first, replace(first, at=first.at + pause, message="again")):
        reporter = reporter_of(store)
        reporter.report(report)
        reporter.flush()
    assert messages(store) == ["why"]


@pytest.mark.parametrize("begin", range(0, 24, 5))
def test_what_lasts_is_stored_again_when_the_time_is_over(
    store: FakeJobStore, reporter: Reporter, begin: int
) -> None:
    for days in range(4):
        reporter.report(replace(WHY, at=NOW + timedelta(hours=begin) + days * DAY))
        reporter.flush()
    assert len(store.errors) == 4
    assert len({error.uri for error in store.errors}) == 4


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(WHY, thing=operation(HEALING)), id="another thing"),
        pytest.param(replace(WHY, what="stuck"), id="another thing wrong with it"),
    ],
)
def test_something_else_is_stored_for_itself(
    store: FakeJobStore, reporter: Reporter, other: Report
) -> None:
    for report in (WHY, other):
        reporter.report(report)
    reporter.flush()
    assert len(store.errors) == 2


def test_what_was_stored_before_is_known(store: FakeJobStore, reporter: Reporter) -> None:
    reporter.report(WHY)
    reporter.flush()
    later = replace(WHY, at=NOW + MINUTE)
    reports = [later, replace(WHY, at=NOW + DAY), about("urn:b")]
    assert reporter_of(store).known(reports) == [True, False, False]
    assert reporter.known([]) == []


def test_errors_are_asked_for_and_confirmed_together(
    store: FakeJobStore, reporter: Reporter
) -> None:
    for number in range(50):
        reporter.report(about(f"urn:{number}"))
    reporter.flush()
    assert store.calls == ["recorded", *["record"] * 50, "recorded"]
    reporter.flush()
    assert len(store.calls) == 52, "nothing waits any more"


def test_an_error_that_the_store_does_not_take_waits(
    store: FakeJobStore, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    store.failures["record"] = [StoreUnavailable("no room", sent=True)]
    reporter.report(about("urn:one"))
    reporter.report(about("urn:two"))
    reporter.flush()
    assert store.errors == []
    assert "no room" in caplog.text
    reporter.flush()
    assert messages(store) == ["urn:one", "urn:two"]


def test_what_is_reported_again_while_it_waits_waits_once(
    store: FakeJobStore, reporter: Reporter
) -> None:
    """A store that is away for a night must not push out what else was to be told."""
    reporter.report(about("urn:other"))
    for minutes in range(2 * MOST_WAITING):
        reporter.report(replace(WHY, at=NOW + minutes * timedelta(seconds=1)))
    reporter.flush()
    assert messages(store) == ["urn:other", "why"]


def test_when_too_many_wait_the_oldest_goes_and_the_log_says_so(
    store: FakeJobStore, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST_WAITING + 1):
        reporter.report(about(f"urn:{number}"))
    reporter.flush()
    assert len(store.errors) == MOST_WAITING
    assert "urn:0" not in messages(store)
    assert "too many errors wait" in caplog.text


def test_an_error_that_the_store_only_says_it_took_is_written_again(
    store: FakeJobStore, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "record", lambda *_: None)
        reporter.report(WHY)
        reporter.flush()
    assert store.errors == []
    reporter.flush()
    assert messages(store) == ["why"]


def test_long_messages_are_cut_to_what_virtuoso_keeps_in_place(
    store: FakeJobStore, reporter: Reporter
) -> None:
    reporter.report(replace(WHY, message="x" * 10_000))
    reporter.flush()
    assert len(store.errors[0].message) == MESSAGE_LIMIT


def test_an_error_that_the_store_refuses_holds_up_no_other(
    store: FakeJobStore, reporter: Reporter
) -> None:
    store.failures["record"] = [StoreError("forbidden graph")]
    reporter.report(about("urn:refused"))
    reporter.report(about("urn:taken"))
    reporter.flush()
    assert messages(store) == ["urn:taken"]
    reporter.flush()
    assert messages(store) == ["urn:taken", "urn:refused"]
