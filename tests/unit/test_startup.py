"""The way into service: wait for the store, sync what is due, arm the schedules."""

from __future__ import annotations

import logging
from threading import Event

import pytest

from jobs.initiator import Initiator
from jobs.model import Status, Stream
from jobs.startup import Startup
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, INITIAL_SYNC, World, job_of, operation, stream_of
from tests.fakes import FakeJobStore


class Harness:
    """A startup with everything it touches; `armed` counts how often schedules were armed."""

    def __init__(self, *streams: Stream) -> None:
        self.store = FakeJobStore()
        self.armed = 0
        self.ready, self.stop = Event(), Event()
        world = World().surroundings()
        self.startup = Startup(
            streams=streams,
            store=self.store,
            initiator=Initiator(streams, self.store, world),
            world=world,
            ping_seconds=0.001,
            arm=self.arm,
            ready=self.ready,
            stop=self.stop,
        )

    def arm(self) -> None:
        assert not self.ready.is_set()
        self.armed += 1


def away(times: int) -> list[StoreError]:
    return [StoreUnavailable("connection refused", sent=False) for _ in range(times)]


def test_a_stream_that_was_never_synced_gets_its_sync() -> None:
    harness = Harness(stream_of())
    harness.startup.run()
    assert [job.job_operation for job in harness.store.created] == [operation(INITIAL_SYNC)]
    assert harness.ready.is_set()
    assert harness.armed == 1


def test_a_stream_without_leave_gets_none() -> None:
    harness = Harness(stream_of(disabled=[INITIAL_SYNC]))
    harness.startup.run()
    assert harness.store.calls == ["ping"]
    assert harness.ready.is_set()


def test_a_synced_stream_gets_no_second_sync() -> None:
    harness = Harness(stream_of())
    harness.store.add(job_of(INITIAL_SYNC, Status.SUCCESS))
    harness.startup.run()
    assert not harness.store.created


def test_a_blocked_sync_is_stored_as_an_error_and_the_schedules_are_armed() -> None:
    harness = Harness(stream_of())
    harness.store.add(job_of(DUMP))
    harness.startup.run()
    assert not harness.store.created
    assert [error.job for error in harness.store.errors] == [job_of(DUMP).uri]
    assert harness.armed == 1


def test_waiting_for_the_store_is_logged_once_at_each_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    harness = Harness(stream_of())
    harness.store.failures["ping"] = away(5)
    harness.startup.run()
    lines = [record.message for record in caplog.records]
    assert lines.count("waiting for the store: connection refused") == 1
    assert lines.count("the store answers") == 1
    assert len(harness.store.created) == 1


def test_a_store_that_goes_away_again_is_waited_for() -> None:
    harness = Harness(stream_of("one"), stream_of("two"))
    harness.store.failures["state"] = away(1)
    harness.startup.run()
    operations = [job.job_operation for job in harness.store.created]
    assert operations == [operation(INITIAL_SYNC, "two"), operation(INITIAL_SYNC, "one")]
    assert harness.armed == 1


def test_a_store_that_refuses_one_stream_does_not_keep_the_others_from_starting() -> None:
    harness = Harness(stream_of("one"), stream_of("two"))
    harness.store.failures["create"] = [StoreError("permission denied")]
    harness.startup.run()
    operations = [job.job_operation for job in harness.store.created]
    assert operations == [operation(INITIAL_SYNC, "two")]
    assert "permission denied" in harness.store.errors[0].message
    assert harness.ready.is_set()


def test_a_stop_ends_the_wait() -> None:
    harness = Harness(stream_of())
    harness.store.failures["ping"] = away(1)
    harness.stop.set()
    harness.startup.run()
    assert not harness.store.calls
    assert not harness.ready.is_set()
    assert not harness.armed
