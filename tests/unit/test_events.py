"""What became of ticks and calls: the last event of each kind, and the listeners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.creation import JobRefused
from jobs.events import Event, EventLog, Result
from jobs.model import Status, Trigger
from jobs.store import StoreError
from jobs.ticks.policy import TickPolicy
from tests.support.builders import (
    DUMP,
    HEALING,
    HOUR,
    INITIAL_SYNC,
    SECOND,
    TestClock,
    at,
    job_of,
    stream_of,
)
from tests.support.domain import Harness
from tests.support.fakes import REFUSED

SIX = at("2024-01-06T06:00:00")
NO_TIME = timedelta(0)
STREAM = stream_of(patterns={DUMP: "0 6 * * *"}, disabled=[INITIAL_SYNC])
DONE = Event(stream=STREAM, kind=DUMP, result=Result.DONE, trigger=Trigger.TICK, at=SIX)


def test_the_last_event_of_each_stream_and_kind_is_kept() -> None:
    events = EventLog()
    events.record(DONE)
    events.record(later := replace(DONE, result=Result.WAITS))
    events.record(replace(DONE, kind=HEALING))
    assert events.last(STREAM, DUMP) == later
    assert events.last(stream_of("other"), DUMP) is None


def test_superseded_ticks_reach_the_listeners_but_are_not_kept() -> None:
    heard: list[Event] = []
    events = EventLog((heard.append,))
    events.record(DONE)
    events.record(superseded := replace(DONE, result=Result.SUPERSEDED))
    assert events.last(STREAM, DUMP) == DONE
    assert heard == [DONE, superseded]


class DailyDump(Harness):
    """A stream with a dump at six o'clock."""

    def __init__(self) -> None:
        policy = TickPolicy(window=HOUR, settle_time=10 * SECOND)
        super().__init__((STREAM,), TestClock(now=SIX - HOUR), policy=policy)

    def reconcile(self, after: timedelta) -> None:
        self.clock.move_to(SIX + after)
        self.confirmation.confirm()
        self.reconciler.reconcile(STREAM)


@pytest.fixture
def dump() -> DailyDump:
    return DailyDump()


def test_a_confirmed_job_is_recorded_with_its_lateness(dump: DailyDump) -> None:
    dump.reconcile(2 * SECOND)
    dump.reconcile(4 * SECOND)
    (event,) = dump.recorded
    (job,) = dump.store.created
    assert (event.result, event.trigger, event.job) == (Result.CREATED, Trigger.TICK, job.uri)
    assert (event.tick, event.lateness) == (SIX, 2 * SECOND)


def test_a_waiting_and_then_missed_tick_is_recorded_with_reason_and_job(dump: DailyDump) -> None:
    dump.store.add(blocking := job_of(HEALING))
    dump.reconcile(NO_TIME)
    dump.reconcile(HOUR)
    assert [(event.result, event.tick) for event in dump.recorded] == [
        (Result.WAITS, SIX),
        (Result.WAITS, SIX),
        (Result.MISSED, SIX),
    ]
    assert {event.job for event in dump.recorded} == {blocking.uri}
    assert "active" in dump.recorded[-1].reason


def test_a_tick_that_another_job_did_is_recorded_with_that_job(dump: DailyDump) -> None:
    dump.store.add(job := job_of(DUMP, Status.SUCCESS, created=SIX + SECOND))
    dump.reconcile(2 * SECOND)
    (event,) = dump.recorded
    assert (event.result, event.job) == (Result.DONE, job.uri)


def test_superseded_ticks_are_counted(dump: DailyDump) -> None:
    dump.store.failures["state"] = [REFUSED] * 9
    dump.reconcile(NO_TIME)
    dump.reconcile(72 * HOUR)
    counts = [event.count for event in dump.recorded if event.result is Result.SUPERSEDED]
    assert counts == [3]


def test_a_deletion_is_recorded_with_the_tick_that_it_discarded(dump: DailyDump) -> None:
    dump.store.add(job_of(HEALING), job_of(DUMP, Status.FAILED))
    dump.reconcile(NO_TIME)
    dump.reconciler.delete(STREAM, DUMP)
    event = dump.recorded[-1]
    assert (event.result, event.trigger, event.tick) == (Result.CLEANED, Trigger.REQUEST, SIX)
    assert event.reason == "jobs removed by request: 1"


def test_requests_are_recorded_without_a_tick(dump: DailyDump) -> None:
    job = dump.creator.request(STREAM, DUMP)
    with pytest.raises(JobRefused):
        dump.creator.request(STREAM, HEALING)
    dump.store.failures["create"] = [StoreError("no")]
    with pytest.raises(StoreError):
        dump.creator.request(STREAM, DUMP)
    assert [(e.kind, e.result, e.tick, e.trigger, e.job) for e in dump.recorded] == [
        (DUMP, Result.CREATED, None, Trigger.REQUEST, job.uri),
        (HEALING, Result.REFUSED, None, Trigger.REQUEST, None),
        (DUMP, Result.FAILED, None, Trigger.REQUEST, None),
    ]
    assert "no initial sync has succeeded yet" in dump.recorded[1].reason
    assert dump.recorded[2].reason == "no"
