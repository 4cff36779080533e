"""The way into service: wait for the store, take up what was left, arm the schedules."""

from __future__ import annotations

import logging
from threading import Event

import pytest

from jobs.startup import Startup
from jobs.store import StoreError, StoreUnavailable
from tests.builders import stream_of
from tests.harness import Harness


class Starting(Harness):
    """A startup with everything it touches; `armed` counts how often schedules were armed."""

    def __init__(self) -> None:
        super().__init__((stream_of(),))
        self.armed = 0
        self.ready, self.stop = Event(), Event()
        self.startup = Startup(
            store=self.store,
            settler=self.settler,
            world=self.about,
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


def test_a_store_that_answers_leads_straight_into_service() -> None:
    starting = Starting()
    starting.startup.run()
    assert starting.store.calls == ["ping", "newest"]
    assert starting.ready.is_set()
    assert starting.armed == 1


@pytest.mark.parametrize("step", ["ping", "newest"])
def test_waiting_for_the_store_is_logged_once_at_each_end(
    step: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    starting = Starting()
    starting.store.failures[step] = away(5)
    starting.startup.run()
    lines = [record.message for record in caplog.records]
    assert lines.count("waiting for the store: connection refused") == 1
    assert lines.count("the store answers") == 1
    assert starting.armed == 1


def test_a_stop_ends_the_wait() -> None:
    starting = Starting()
    starting.store.failures["ping"] = away(1)
    starting.stop.set()
    starting.startup.run()
    assert not starting.store.calls
    assert not starting.ready.is_set()
    assert not starting.armed
