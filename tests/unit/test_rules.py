"""Which job may be created when: every row is a sentence of the README's decision table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from jobs.model import (
    AlreadyDone,
    Create,
    Decision,
    Job,
    JobKind,
    Refuse,
    Status,
    Stream,
    StreamState,
    Trigger,
    Wait,
)
from jobs.rules import decide, from_the_future, newest_since
from tests.builders import DUMP, HEALING, INITIAL_SYNC, NOW, job_of, stream_of

STARTUP, TICK, REQUEST = Trigger.STARTUP, Trigger.TICK, Trigger.REQUEST

RUNNING_SYNC = job_of(INITIAL_SYNC)
QUEUED_SYNC = job_of(INITIAL_SYNC, Status.SCHEDULED)
RUNNING_HEALING = job_of(HEALING)
RUNNING_DUMP = job_of(DUMP)
DONE_SYNC = job_of(INITIAL_SYNC, Status.SUCCESS)
DONE_HEALING = job_of(HEALING, Status.SUCCESS)


@dataclass(frozen=True, kw_only=True)
class Row:
    sentence: str
    kind: JobKind
    trigger: Trigger
    expected: type[Decision]
    active: tuple[Job, ...] = ()
    synced: bool = True
    healed: bool = False
    stream: Stream = field(default_factory=stream_of)
    says: tuple[str, ...] = ()


ROWS = [
    Row(
        sentence="a startup syncs a stream that was never synced",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        synced=False,
        expected=Create,
    ),
    Row(
        sentence="a startup leaves a synced stream alone",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        expected=AlreadyDone,
        says=(DONE_SYNC.uri,),
    ),
    Row(
        sentence="a startup leaves a stream alone whose sync is running",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        synced=False,
        active=(RUNNING_DUMP, RUNNING_SYNC),
        expected=AlreadyDone,
        says=(RUNNING_SYNC.uri,),
    ),
    Row(
        sentence="a startup leaves a stream alone whose sync is queued",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        synced=False,
        active=(QUEUED_SYNC,),
        expected=AlreadyDone,
        says=(QUEUED_SYNC.uri,),
    ),
    Row(
        sentence="a startup waits for another job of the stream",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        synced=False,
        active=(RUNNING_DUMP,),
        expected=Wait,
        says=("active", RUNNING_DUMP.uri, "busy"),
    ),
    Row(
        sentence="a healing tick creates a job on a synced, idle stream",
        kind=HEALING,
        trigger=TICK,
        expected=Create,
    ),
    Row(
        sentence="a healing tick waits for a first sync",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        expected=Wait,
        says=("no initial sync has succeeded yet",),
    ),
    Row(
        sentence="a healing tick takes a healing for a sync that was cleaned away",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        healed=True,
        expected=Create,
    ),
    Row(
        sentence="a healing asked for takes a healing for a sync that was cleaned away",
        kind=HEALING,
        trigger=REQUEST,
        synced=False,
        healed=True,
        expected=Create,
    ),
    Row(
        sentence="a startup syncs a stream that was only healed",
        kind=INITIAL_SYNC,
        trigger=STARTUP,
        synced=False,
        healed=True,
        expected=Create,
    ),
    Row(
        sentence="a healing tick of a healed stream waits for its sync all the same",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        healed=True,
        active=(RUNNING_SYNC,),
        expected=Wait,
        says=(RUNNING_SYNC.uri,),
    ),
    Row(
        sentence="a healing tick names the sync it waits for",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        active=(RUNNING_DUMP, RUNNING_SYNC),
        expected=Wait,
        says=(RUNNING_SYNC.uri,),
    ),
    Row(
        sentence="a healing tick needs no sync where that is switched off",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        stream=stream_of(healing_waits=False),
        expected=Create,
    ),
    Row(
        sentence="a healing tick waits for an active job even where it needs no sync",
        kind=HEALING,
        trigger=TICK,
        synced=False,
        active=(RUNNING_DUMP,),
        stream=stream_of(healing_waits=False),
        expected=Wait,
        says=(RUNNING_DUMP.uri,),
    ),
    Row(
        sentence="a healing tick waits for the healing before it",
        kind=HEALING,
        trigger=TICK,
        active=(RUNNING_HEALING,),
        expected=Wait,
        says=(RUNNING_HEALING.uri,),
    ),
    Row(
        sentence="a dump tick creates a job on an idle stream",
        kind=DUMP,
        trigger=TICK,
        expected=Create,
    ),
    Row(
        sentence="a dump tick needs no initial sync",
        kind=DUMP,
        trigger=TICK,
        synced=False,
        expected=Create,
    ),
    Row(
        sentence="a dump tick waits for any active job",
        kind=DUMP,
        trigger=TICK,
        active=(RUNNING_HEALING,),
        expected=Wait,
        says=(RUNNING_HEALING.uri,),
    ),
    Row(
        sentence="a person gets a dump although a job is active",
        kind=DUMP,
        trigger=REQUEST,
        active=(RUNNING_DUMP, RUNNING_HEALING),
        expected=Create,
    ),
    Row(
        sentence="a person gets a second initial sync",
        kind=INITIAL_SYNC,
        trigger=REQUEST,
        active=(RUNNING_SYNC,),
        expected=Create,
    ),
    Row(
        sentence="a person gets a healing on a synced stream",
        kind=HEALING,
        trigger=REQUEST,
        active=(RUNNING_HEALING,),
        expected=Create,
    ),
    Row(
        sentence="a person gets no healing before the first sync, and hears which setting matters",
        kind=HEALING,
        trigger=REQUEST,
        synced=False,
        active=(RUNNING_SYNC,),
        expected=Refuse,
        says=(
            "healing of stream public",
            RUNNING_SYNC.uri,
            "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false",
        ),
    ),
    Row(
        sentence="a person gets a healing without a sync where that is switched off",
        kind=HEALING,
        trigger=REQUEST,
        synced=False,
        stream=stream_of(healing_waits=False),
        expected=Create,
    ),
    *(
        Row(
            sentence=f"nothing creates a disabled {kind.value}, not even a person",
            kind=kind,
            trigger=REQUEST,
            stream=stream_of(disabled=[kind]),
            expected=Refuse,
            says=(kind.value, "stream public", f"ENABLE_{kind.name}=true"),
        )
        for kind in JobKind
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_decision(row: Row) -> None:
    state = StreamState(
        active=row.active,
        synced=(DONE_SYNC,) if row.synced else (),
        healed=(DONE_HEALING,) if row.healed else (),
    )
    decision = decide(row.kind, row.stream, state, row.trigger)
    assert isinstance(decision, row.expected)
    for words in row.says:
        assert words in getattr(decision, "reason", "")


def test_a_wait_hands_over_the_blocking_jobs() -> None:
    decision = decide(DUMP, stream_of(), StreamState(active=(RUNNING_SYNC, RUNNING_DUMP)), TICK)
    assert isinstance(decision, Wait)
    assert decision.blocking == (RUNNING_SYNC, RUNNING_DUMP)


def test_a_wait_names_three_of_many_jobs_and_counts_the_rest() -> None:
    jobs = tuple(job_of(DUMP, uri=f"http://example.org/{number}") for number in range(30))
    decision = decide(DUMP, stream_of(), StreamState(active=jobs), TICK)
    assert isinstance(decision, Wait)
    assert "http://example.org/2 (busy) and 27 more" in decision.reason
    assert "http://example.org/3" not in decision.reason


MADE = job_of(DUMP, Status.FAILED, uri="http://example.org/made", created=NOW)


def test_a_tick_that_has_its_job_needs_no_other() -> None:
    state = StreamState(active=(RUNNING_HEALING,))
    decision = decide(DUMP, stream_of(), state, TICK, done=MADE)
    assert isinstance(decision, AlreadyDone)
    assert decision.job == MADE


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("created", "found"),
    [
        pytest.param(NOW, True, id="at the tick's instant"),
        pytest.param(NOW + MINUTE, True, id="after it"),
        pytest.param(NOW - MINUTE, False, id="before it"),
        pytest.param(NOW + 8 * MINUTE, False, id="in the future"),
        pytest.param(None, False, id="at an unknown time"),
    ],
)
def test_a_job_does_what_ticks_up_to_its_date_asked_for(
    created: datetime | None, *, found: bool
) -> None:
    job = job_of(DUMP, Status.SUCCESS, created=created)
    other = job_of(HEALING, Status.SUCCESS, created=NOW)
    state = StreamState(recent=(other, job))
    newest = newest_since(job.operation, NOW, state, NOW + 2 * MINUTE)
    assert newest == (job if found else None)


def test_jobs_from_the_future_are_told() -> None:
    soon, late = (job_of(DUMP, created=NOW + minutes * MINUTE) for minutes in (4, 6))
    assert from_the_future(StreamState(recent=(soon, late)), NOW) == (late,)
