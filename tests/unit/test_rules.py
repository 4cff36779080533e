"""Which job may be created when: each row is a sentence of the documented decision table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from jobs.model import Job, JobKind, Status, Stream, StreamState, Trigger
from jobs.rules import (
    AlreadyDone,
    Create,
    Decision,
    Obstacle,
    Refuse,
    Wait,
    decide,
    from_the_future,
    needs_state,
)
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, MINUTE, NOW, job_of, stream_of

STARTUP, TICK, REQUEST = Trigger.STARTUP, Trigger.TICK, Trigger.REQUEST

RUNNING_SYNC = job_of(INITIAL_SYNC)
QUEUED_SYNC = job_of(INITIAL_SYNC, Status.SCHEDULED)
RUNNING_HEALING = job_of(HEALING)
RUNNING_DUMP = job_of(DUMP)
DONE_SYNC = job_of(INITIAL_SYNC, Status.SUCCESS)
DONE_HEALING = job_of(HEALING, Status.SUCCESS)
INDEPENDENT = stream_of(healing_waits=False)


@dataclass(frozen=True)
class Row:
    kind: JobKind
    trigger: Trigger
    expected: type[Decision]
    active: tuple[Job, ...] = ()
    synced: bool = True
    healed: bool = False
    stream: Stream = field(default_factory=stream_of)
    words: tuple[str, ...] = ()


ROWS = {
    "a start creates an initial sync of a stream that never had one": Row(
        INITIAL_SYNC, STARTUP, Create, synced=False
    ),
    "a start creates no initial sync after one that succeeded": Row(
        INITIAL_SYNC, STARTUP, AlreadyDone, words=(DONE_SYNC.uri,)
    ),
    "a start creates no initial sync while one is busy": Row(
        INITIAL_SYNC,
        STARTUP,
        AlreadyDone,
        synced=False,
        active=(RUNNING_DUMP, RUNNING_SYNC),
        words=(RUNNING_SYNC.uri,),
    ),
    "a start creates no initial sync while one is scheduled": Row(
        INITIAL_SYNC,
        STARTUP,
        AlreadyDone,
        synced=False,
        active=(QUEUED_SYNC,),
        words=(QUEUED_SYNC.uri,),
    ),
    "a start waits for an active job of another kind": Row(
        INITIAL_SYNC,
        STARTUP,
        Wait,
        synced=False,
        active=(RUNNING_DUMP,),
        words=("active", RUNNING_DUMP.uri, "busy"),
    ),
    "a healing tick creates a job after the initial sync": Row(HEALING, TICK, Create),
    "a healing tick waits for the initial sync": Row(
        HEALING, TICK, Wait, synced=False, words=("no initial sync has succeeded yet",)
    ),
    "a healing tick accepts a healing in place of a removed initial sync": Row(
        HEALING, TICK, Create, synced=False, healed=True
    ),
    "a requested healing accepts a healing in place of a removed initial sync": Row(
        HEALING, REQUEST, Create, synced=False, healed=True
    ),
    "a start creates an initial sync although a healing succeeded": Row(
        INITIAL_SYNC, STARTUP, Create, synced=False, healed=True
    ),
    "a healing tick waits for an active initial sync although a healing succeeded": Row(
        HEALING,
        TICK,
        Wait,
        synced=False,
        healed=True,
        active=(RUNNING_SYNC,),
        words=(RUNNING_SYNC.uri,),
    ),
    "a healing tick names the active initial sync that it waits for": Row(
        HEALING,
        TICK,
        Wait,
        synced=False,
        active=(RUNNING_DUMP, RUNNING_SYNC),
        words=(RUNNING_SYNC.uri,),
    ),
    "a healing tick needs no initial sync if the setting allows it": Row(
        HEALING, TICK, Create, synced=False, stream=INDEPENDENT
    ),
    "a healing tick that needs no initial sync waits for an active job": Row(
        HEALING,
        TICK,
        Wait,
        synced=False,
        active=(RUNNING_DUMP,),
        stream=INDEPENDENT,
        words=(RUNNING_DUMP.uri,),
    ),
    "a healing tick waits for an active healing": Row(
        HEALING, TICK, Wait, active=(RUNNING_HEALING,), words=(RUNNING_HEALING.uri,)
    ),
    "a dump tick creates a job if no job is active": Row(DUMP, TICK, Create),
    "a dump tick needs no initial sync": Row(DUMP, TICK, Create, synced=False),
    "a dump tick waits for an active job of any kind": Row(
        DUMP, TICK, Wait, active=(RUNNING_HEALING,), words=(RUNNING_HEALING.uri,)
    ),
    "a request creates a dump although jobs are active": Row(
        DUMP, REQUEST, Create, active=(RUNNING_DUMP, RUNNING_HEALING)
    ),
    "a request creates a second initial sync although one is active": Row(
        INITIAL_SYNC, REQUEST, Create, active=(RUNNING_SYNC,)
    ),
    "a request creates a healing although one is active": Row(
        HEALING, REQUEST, Create, active=(RUNNING_HEALING,)
    ),
    "a request for a healing before the initial sync is refused with its setting": Row(
        HEALING,
        REQUEST,
        Refuse,
        synced=False,
        active=(RUNNING_SYNC,),
        words=(
            "healing of stream public",
            RUNNING_SYNC.uri,
            "; wait for it, or set HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false",
        ),
    ),
    "a request for a healing that no initial sync precedes is refused with the way to one": Row(
        HEALING,
        REQUEST,
        Refuse,
        synced=False,
        words=("; POST /public/initial-sync-jobs to create one, or set HEAL",),
    ),
    "a request for a healing is refused with the setting that allows an initial sync": Row(
        HEALING,
        REQUEST,
        Refuse,
        synced=False,
        stream=stream_of(disabled=[INITIAL_SYNC]),
        words=("; set ENABLE_INITIAL_SYNC=true to allow one, or set HEAL",),
    ),
    "a request creates a healing without an initial sync if the setting allows it": Row(
        HEALING, REQUEST, Create, synced=False, stream=INDEPENDENT
    ),
    **{
        f"a request for a disabled {kind.value} is refused with its setting": Row(
            kind,
            REQUEST,
            Refuse,
            stream=stream_of(disabled=[kind]),
            words=(kind.value, "stream public", f"ENABLE_{kind.name}=true"),
        )
        for kind in JobKind
    },
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_decision(row: Row) -> None:
    state = StreamState(
        active=row.active,
        synced=(DONE_SYNC,) if row.synced else (),
        healed=(DONE_HEALING,) if row.healed else (),
    )
    decision = decide(row.stream, row.kind, row.trigger, state, NOW)
    assert isinstance(decision, row.expected)
    for word in row.words:
        assert word in getattr(decision, "reason", "")


@pytest.mark.parametrize(
    ("kind", "synced", "obstacle", "blocking"),
    [
        (DUMP, True, Obstacle.ACTIVE_JOB, (RUNNING_SYNC, RUNNING_DUMP)),
        (HEALING, False, Obstacle.NO_INITIAL_SYNC, (RUNNING_SYNC,)),
    ],
    ids=["active jobs", "no initial sync"],
)
def test_a_wait_returns_the_obstacle_and_the_blocking_jobs(
    kind: JobKind, *, synced: bool, obstacle: Obstacle, blocking: tuple[Job, ...]
) -> None:
    state = StreamState((RUNNING_SYNC, RUNNING_DUMP), synced=(DONE_SYNC,) if synced else ())
    decision = decide(stream_of(), kind, TICK, state, NOW)
    assert isinstance(decision, Wait)
    assert (decision.obstacle, decision.blocking) == (obstacle, blocking)


def test_a_wait_names_three_of_many_jobs_and_counts_the_others() -> None:
    jobs = tuple(job_of(DUMP, uri=f"http://example.org/{number}") for number in range(30))
    decision = decide(stream_of(), DUMP, TICK, StreamState(active=jobs), NOW)
    assert isinstance(decision, Wait)
    assert "http://example.org/2 (busy) and 27 more" in decision.reason
    assert "http://example.org/3" not in decision.reason


def test_a_wait_names_a_job_with_two_operations_once() -> None:
    jobs = tuple(job_of(kind, uri="http://example.org/1") for kind in (DUMP, HEALING))
    decision = decide(stream_of(), DUMP, TICK, StreamState(active=jobs), NOW)
    assert isinstance(decision, Wait)
    assert decision.reason == "active: http://example.org/1 (busy)"


@pytest.mark.parametrize(
    ("created", "done"),
    [
        pytest.param(NOW, True, id="at the fire time"),
        pytest.param(NOW + MINUTE, True, id="later"),
        pytest.param(NOW + 6 * MINUTE, True, id="a little ahead of this clock"),
        pytest.param(NOW + 8 * MINUTE, False, id="in the future"),
        pytest.param(NOW - MINUTE, False, id="earlier"),
        pytest.param(None, False, id="without a date"),
    ],
)
def test_a_tick_is_done_by_a_job_of_its_kind_created_since_its_fire_time(
    created: datetime | None, *, done: bool
) -> None:
    job = job_of(DUMP, Status.FAILED, created=created)
    other = job_of(HEALING, Status.SUCCESS, created=NOW)
    state, now = StreamState(recent=(other, job)), NOW + 2 * MINUTE
    decision = decide(stream_of(), DUMP, TICK, state, now, fire_time=NOW)
    assert decision == (AlreadyDone(f"done by job {job}", job) if done else Create())


def test_a_tick_is_done_by_the_newest_of_several_jobs_although_another_is_active() -> None:
    older, newer = (
        job_of(
            DUMP, Status.SUCCESS, uri=f"http://example.org/{minute}", created=NOW + minute * MINUTE
        )
        for minute in range(2)
    )
    state = StreamState(active=(RUNNING_HEALING,), recent=(newer, older))
    decision = decide(stream_of(), DUMP, TICK, state, NOW + MINUTE, fire_time=NOW)
    assert decision == AlreadyDone(f"done by job {newer}", newer)


@pytest.mark.parametrize("trigger", Trigger, ids=lambda trigger: trigger.value)
@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    "stream",
    [stream_of(), INDEPENDENT, stream_of(disabled=[*JobKind])],
    ids=["healing waits", "healing does not wait", "disabled"],
)
def test_a_decision_that_needs_no_state_is_the_same_for_every_state(
    stream: Stream, kind: JobKind, trigger: Trigger
) -> None:
    states = [
        StreamState(),
        StreamState(active=(RUNNING_SYNC, RUNNING_HEALING, RUNNING_DUMP)),
        StreamState(synced=(DONE_SYNC,)),
        StreamState(healed=(DONE_HEALING,)),
    ]
    decisions = [decide(stream, kind, trigger, state, NOW) for state in states]
    assert needs_state(stream, kind, trigger) or decisions == decisions[:1] * len(states)


@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.value)
def test_of_all_requests_only_a_healing_that_waits_needs_the_state(kind: JobKind) -> None:
    assert needs_state(stream_of(), kind, REQUEST) is (kind is HEALING)


def test_only_jobs_well_ahead_of_the_clock_are_from_the_future() -> None:
    soon, late = (job_of(DUMP, created=NOW + minutes * MINUTE) for minutes in (4, 6))
    assert from_the_future(StreamState(recent=(soon, late)), NOW) == (late,)
