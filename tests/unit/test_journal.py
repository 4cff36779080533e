"""What became of ticks and calls is remembered by kind, and handed on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.agenda import Policy
from jobs.journal import Event, Journal, Result
from jobs.model import Status, Trigger
from jobs.store import StoreError, StoreUnavailable
from tests.builders import DUMP, HEALING, INITIAL_SYNC, World, at, job_of, stream_of
from tests.harness import Harness

SIX = at("2024-01-06T06:00:00")
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
STREAM = stream_of(patterns={DUMP: "0 6 * * *"}, disabled=[INITIAL_SYNC])
DONE = Event(stream=STREAM, kind=DUMP, result=Result.DONE, trigger=Trigger.TICK, at=SIX)


def test_the_last_event_of_each_kind_is_remembered() -> None:
    journal = Journal()
    journal.note(DONE)
    journal.note(later := replace(DONE, result=Result.WAITS))
    journal.note(replace(DONE, kind=HEALING))
    assert journal.last(STREAM, DUMP) == later
    assert journal.last(stream_of("other"), DUMP) is None


def test_a_superseded_tick_is_handed_on_but_is_not_how_things_stand() -> None:
    journal, heard = Journal(), list[Event]()
    journal.listen(heard.append)
    journal.note(DONE)
    journal.note(superseded := replace(DONE, result=Result.SUPERSEDED))
    assert journal.last(STREAM, DUMP) == DONE
    assert heard == [DONE, superseded]


class Heard(Harness):
    """A stream with a dump at six, and everything that its journal was told."""

    def __init__(self) -> None:
        policy = Policy(window=HOUR, settle=10 * SECOND)
        super().__init__((STREAM,), World(now=SIX - HOUR, policy=policy))
        self.events: list[Event] = []
        self.world.journal.listen(self.events.append)

    def look(self, after: timedelta) -> None:
        self.world.now = SIX + after
        self.settler.confirm()
        self.settler.look(STREAM)

    @property
    def told(self) -> list[tuple[Result, object]]:
        return [(event.result, event.tick and event.tick - SIX) for event in self.events]


@pytest.fixture
def heard() -> Heard:
    return Heard()


NOTHING = timedelta(0)


def test_a_tick_that_is_done_late_says_how_late(heard: Heard) -> None:
    heard.look(2 * SECOND)
    heard.look(4 * SECOND)
    (event,) = heard.events
    (job,) = heard.store.created
    assert (event.result, event.trigger, event.job) == (Result.CREATED, Trigger.TICK, job.uri)
    assert (event.tick, event.lateness) == (SIX, 2 * SECOND)


def test_a_tick_that_waits_and_is_missed_says_why_and_for_which_job(heard: Heard) -> None:
    heard.store.add(blocking := job_of(HEALING))
    heard.look(NOTHING)
    heard.look(HOUR)
    assert heard.told == [(Result.WAITS, NOTHING), (Result.MISSED, NOTHING)]
    assert {event.job for event in heard.events} == {blocking.uri}
    assert "active" in heard.events[-1].reason


def test_a_tick_that_somebody_did_says_so(heard: Heard) -> None:
    heard.store.add(made := job_of(DUMP, Status.SUCCESS, created=SIX + SECOND))
    heard.look(2 * SECOND)
    (event,) = heard.events
    assert (event.result, event.job) == (Result.DONE, made.uri)


def test_superseded_ticks_are_counted(heard: Heard) -> None:
    heard.store.failures["state"] = [StoreUnavailable("away", sent=False)] * 9
    heard.look(NOTHING)
    heard.look(72 * HOUR)
    counts = [event.count for event in heard.events if event.result is Result.SUPERSEDED]
    assert counts == [3]


def test_cleaning_is_told_with_the_tick_that_waited(heard: Heard) -> None:
    heard.store.add(job_of(HEALING), job_of(DUMP, Status.FAILED))
    heard.look(NOTHING)
    heard.settler.clean(STREAM, DUMP)
    event = heard.events[-1]
    assert (event.result, event.trigger, event.tick) == (Result.CLEANED, Trigger.REQUEST, SIX)
    assert event.reason == "jobs removed by request: 1"


def test_a_persons_call_is_told_without_a_tick(heard: Heard) -> None:
    heard.initiator.request(STREAM, DUMP)
    heard.initiator.request(STREAM, HEALING)
    heard.store.failures["state"] = [StoreError("no")]
    with pytest.raises(StoreError):
        heard.initiator.request(STREAM, DUMP)
    assert [(e.kind, e.result, e.tick, e.trigger) for e in heard.events] == [
        (DUMP, Result.CREATED, None, Trigger.REQUEST),
        (HEALING, Result.REFUSED, None, Trigger.REQUEST),
        (DUMP, Result.FAILED, None, Trigger.REQUEST),
    ]
    assert heard.events[-1].reason == "no"
