"""The start of the service: wait for the store, resume ticks, start the schedules."""

from __future__ import annotations

import logging
from threading import Event

import pytest

from jobs.events import Result
from jobs.model import Stream
from jobs.ticks.startup import Startup
from tests.support.builders import DUMP, HOUR, NOW, stream_of, tick_job_of
from tests.support.domain import Harness
from tests.support.fakes import REFUSED


class Starting(Harness):
    """A startup with everything that it uses; `started` counts the starts of the schedules."""

    def __init__(self, stream: Stream | None = None) -> None:
        super().__init__((stream or stream_of(),))
        self.started = 0
        self.ready, self.stop = Event(), Event()
        self.startup = Startup(
            store=self.store,
            reconciler=self.reconciler,
            start_schedules=self.start_schedules,
            clock=self.domain.clock,
            ping_seconds=0.001,
            ready=self.ready,
            stop=self.stop,
        )

    def start_schedules(self) -> None:
        assert not self.ready.is_set()
        self.started += 1


@pytest.fixture
def starting() -> Starting:
    return Starting()


def test_a_store_that_answers_lets_the_schedules_start_at_once(starting: Starting) -> None:
    starting.startup.run()
    assert starting.store.calls[:3] == ["ping", "of_operations", "find"]
    assert starting.ready.is_set()
    assert starting.started == 1


@pytest.mark.parametrize("step", ["ping", "of_operations", "find", "in_use"])
def test_the_wait_for_the_store_is_logged_once_at_its_start_and_end(
    starting: Starting, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    caplog.set_level(logging.INFO)
    starting.store.failures[step] = [REFUSED] * 5
    starting.startup.run()
    assert caplog.messages == [
        "waiting for the store: refused",
        "the store answers",
        "ready: the schedules are armed",
    ]
    assert starting.started == 1


def test_superseded_ticks_count_once_although_a_start_was_tried_again() -> None:
    starting = Starting(stream_of(patterns={DUMP: "0 * * * *"}))
    starting.store.add(tick_job_of(DUMP, NOW - 10 * HOUR))
    starting.store.failures["find"] = [REFUSED] * 3
    starting.startup.run()
    found = [event.count for event in starting.recorded if event.result is Result.SUPERSEDED]
    assert found == [9]


def test_a_stop_ends_the_wait(starting: Starting) -> None:
    starting.store.failures["ping"] = [REFUSED]
    starting.stop.set()
    starting.startup.run()
    assert not starting.store.calls
    assert not starting.ready.is_set()
    assert not starting.started
