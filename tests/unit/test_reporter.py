"""Errors reach the log at once, and the store as soon as it takes them, each once."""

from __future__ import annotations

import pytest

from jobs.reporter import MESSAGE_LIMIT, Reporter
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, NOW, World, job_of, stream_of
from tests.fakes import FakeJobStore

STREAM = stream_of()


@pytest.fixture
def store() -> FakeJobStore:
    return FakeJobStore()


@pytest.fixture
def reporter(store: FakeJobStore) -> Reporter:
    about = World().surroundings()
    return Reporter(store, now=about.now, new_id=about.new_id, deadline=about.deadline)


def test_an_error_says_what_where_and_when(
    store: FakeJobStore, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    reporter.report(STREAM, "why", job_of(DUMP))
    reporter.flush()
    (error,) = store.errors
    assert (error.message, error.job, error.created) == ("why", job_of(DUMP).uri, NOW)
    assert (error.graph, error.creator) == (STREAM.jobs_graph, STREAM.error_creator)
    assert "why" in caplog.text


def test_an_error_without_a_job_references_none(store: FakeJobStore, reporter: Reporter) -> None:
    reporter.report(STREAM, "why")
    reporter.flush()
    assert store.errors[0].job is None


def test_an_error_with_an_identity_is_stored_once(store: FakeJobStore, reporter: Reporter) -> None:
    for message in ("first", "second"):
        reporter.report(STREAM, message, error_id="same")
        reporter.flush()
    assert [error.message for error in store.errors] == ["first"]


def test_an_error_that_the_store_does_not_take_waits(
    store: FakeJobStore, reporter: Reporter, caplog: pytest.LogCaptureFixture
) -> None:
    store.failures["record"] = [StoreUnavailable("no room", sent=True)]
    reporter.report(STREAM, "one")
    reporter.report(STREAM, "two")
    reporter.flush()
    assert store.errors == []
    assert "no room" in caplog.text
    reporter.flush()
    assert [error.message for error in store.errors] == ["one", "two"]


def test_an_error_that_the_store_only_says_it_took_is_written_again(
    store: FakeJobStore, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "record", lambda *_: None)
        reporter.report(STREAM, "why")
        reporter.flush()
    assert store.errors == []
    reporter.flush()
    assert [error.message for error in store.errors] == ["why"]


def test_long_messages_are_cut_to_what_virtuoso_keeps_in_place(
    store: FakeJobStore, reporter: Reporter
) -> None:
    reporter.report(STREAM, "x" * 10_000)
    reporter.flush()
    assert len(store.errors[0].message) == MESSAGE_LIMIT


def test_an_error_that_the_store_refuses_holds_up_no_other(
    store: FakeJobStore, reporter: Reporter
) -> None:
    store.failures["record"] = [StoreError("forbidden graph")]
    reporter.report(STREAM, "refused")
    reporter.report(STREAM, "taken")
    reporter.flush()
    assert [error.message for error in store.errors] == ["taken"]
    reporter.flush()
    assert [error.message for error in store.errors] == ["taken", "refused"]
