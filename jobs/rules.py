"""Which job may be created when: one decision over one table of kinds.

`decide` is a pure function of values: each row of the documented decision table is a test.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from jobs.model import Job, JobKind, Stream, StreamState, Trigger
from jobs.text import first_few

CLOCK_TOLERANCE = timedelta(minutes=5)  # by which the clocks of two machines may differ
MAX_NAMED = 3  # blocking jobs that a message names


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What sets one kind apart; `started_by` is the trigger that needs no person."""

    started_by: Trigger
    once: bool = False
    needs_initial_sync: bool = False


RULES: Mapping[JobKind, Rule] = {
    JobKind.INITIAL_SYNC: Rule(started_by=Trigger.STARTUP, once=True),
    JobKind.HEALING: Rule(started_by=Trigger.TICK, needs_initial_sync=True),
    JobKind.DUMP: Rule(started_by=Trigger.TICK),
}


class Obstacle(Enum):
    """What keeps a tick from becoming a job; each kind of obstacle is reported separately."""

    ACTIVE_JOB = "active job"
    NO_INITIAL_SYNC = "no initial sync"
    STORE = "store"
    SERVICE = "service"


@dataclass(frozen=True)
class Create:
    """The job is to be created now."""


@dataclass(frozen=True)
class AlreadyDone:
    """Nothing is left to do; `job` did the work, or does it now."""

    reason: str
    job: Job


@dataclass(frozen=True)
class Wait:
    """The job may not be created yet; `blocking` are the jobs that prevent it."""

    reason: str
    blocking: tuple[Job, ...] = ()
    obstacle: Obstacle = Obstacle.ACTIVE_JOB


@dataclass(frozen=True)
class Refuse:
    """The job is not to be created; `reason` names the setting or state that would change it."""

    reason: str


Decision: TypeAlias = Create | AlreadyDone | Wait | Refuse


def needs_state(stream: Stream, kind: JobKind, trigger: Trigger) -> bool:
    """Return whether a decision depends on the store: most requests of a person do not."""
    return trigger is not Trigger.REQUEST or (needs_sync(stream, kind) and _enabled(stream, kind))


def decide(  # noqa: PLR0913 - the rule depends on exactly these facts
    stream: Stream,
    kind: JobKind,
    trigger: Trigger,
    state: StreamState,
    now: datetime,
    *,
    fire_time: datetime | None = None,
) -> Decision:
    """Decide whether a job of `kind` is to be created now, and if not, why.

    A tick, known by its `fire_time`, is done if a job of its operation was created since then. A
    person's request is refused by configuration and by a missing initial sync, not by active
    jobs: a request is how operators get past a job that hangs. A successful healing counts as an
    initial sync, because a retention service may have removed the initial sync job.
    """
    done = _newest_since(stream, kind, fire_time, state, now) if fire_time else None
    if done:
        return AlreadyDone(f"done by job {done}", done)
    if not _enabled(stream, kind):
        setting = stream.plan(kind).enabled_by
        return Refuse(f"{kind.value} is disabled for {stream}; set {setting} to allow it")
    asked = trigger is Trigger.REQUEST
    if needs_sync(stream, kind) and not (state.synced or state.healed):
        wait = _no_initial_sync(stream, state)
        way = f"{_way_to_sync(stream, wait)}, or set {stream.freed_by} to do without"
        return Refuse(f"{kind.value} of {stream}: {wait.reason}; {way}") if asked else wait
    return Create() if asked else _decide_unasked(stream, kind, state)


def why_healings_wait(stream: Stream, state: StreamState) -> str | None:
    """Return that the healings of a stream wait for an initial sync, and what ends that.

    Return None if they do not.
    """
    kind = JobKind.HEALING
    if not (_enabled(stream, kind) and needs_sync(stream, kind)) or state.synced or state.healed:
        return None
    way = _way_to_sync(stream, _no_initial_sync(stream, state))
    return f"healings wait until an initial sync succeeds: {way}, or set {stream.freed_by}"


def _enabled(stream: Stream, kind: JobKind) -> bool:
    return stream.plan(kind).enabled


def needs_sync(stream: Stream, kind: JobKind) -> bool:
    """Return whether jobs of a kind wait until an initial sync has succeeded."""
    return RULES[kind].needs_initial_sync and stream.healing_waits


def _decide_unasked(stream: Stream, kind: JobKind, state: StreamState) -> Decision:
    """Decide about a job that no person asked for: it never disturbs an active job."""
    once, own = RULES[kind].once, _active(stream, kind, state)
    if once and state.synced:
        return AlreadyDone(f"done by job {state.synced[-1]}", state.synced[-1])
    if once and own:
        return AlreadyDone(f"being done by job {own[0]}", own[0])
    if state.active:
        return Wait(f"active: {listed(state.active)}", state.active)
    return Create()


def decide_task(
    stream: Stream, job: Job, state: StreamState, incomplete: Collection[str], now: datetime
) -> Decision:
    """Decide whether an active job that has no task gets one now.

    It gets one where the rules allow such a job, and no other job of the stream is active. The
    `incomplete` jobs, given as URIs, do not count as active as long as they have no task either. A
    job that is wanted only once is done by a successful one that is not older: an older one did
    not keep a person from the request.
    """
    kind, synced = stream.kind_of(job), state.synced
    if RULES[kind].once:
        synced = tuple(one for one in synced if _is_between(job, one, now))
    alone = replace(state, active=(), synced=synced)
    decision = decide(stream, kind, Trigger.TICK, alone, now)
    others = tuple(one for one in state.active if one.tasks or one.uri not in incomplete)
    if others and isinstance(decision, Create):
        return Wait(f"active: {listed(others)}", others)
    return decision


def _is_between(earlier: Job, later: Job, now: datetime) -> bool:
    """Return whether a job is as new as another one, and not from the future."""
    begin, created = earlier.created, later.created
    return bool(begin and created and begin <= created <= now + CLOCK_TOLERANCE)


def _no_initial_sync(stream: Stream, state: StreamState) -> Wait:
    """Explain that no initial sync has succeeded, and name one that is active."""
    reason = "no initial sync has succeeded yet"
    running = _active(stream, JobKind.INITIAL_SYNC, state)
    text = f"{reason}; active: {listed(running)}" if running else reason
    return Wait(text, running, Obstacle.NO_INITIAL_SYNC)


def _way_to_sync(stream: Stream, wait: Wait) -> str:
    """Return what brings about the initial sync that a healing needs."""
    plan = stream.plan(JobKind.INITIAL_SYNC)
    if wait.blocking:
        return "wait for it"
    if plan.enabled:
        return f"POST {stream.address(JobKind.INITIAL_SYNC)} to create one"
    return f"set {plan.enabled_by} to allow one"


def _active(stream: Stream, kind: JobKind, state: StreamState) -> tuple[Job, ...]:
    operation = stream.plan(kind).job_operation
    return tuple(job for job in state.active if job.operation == operation)


def _newest_since(
    stream: Stream, kind: JobKind, instant: datetime, state: StreamState, now: datetime
) -> Job | None:
    """Return the newest job of a kind that was created at `instant` or later, by any service.

    A date in the future proves nothing, see `from_the_future`.
    """
    operation = stream.plan(kind).job_operation
    done = [
        (job.created, job.uri, job)
        for job in state.recent
        if job.operation == operation
        and job.created
        and instant <= job.created <= now + CLOCK_TOLERANCE
    ]
    return max(done, key=lambda one: one[:2])[2] if done else None


def from_the_future(state: StreamState, now: datetime) -> tuple[Job, ...]:
    """Return the recent jobs whose date is too far ahead to be true."""
    return tuple(job for job in state.recent if job.created and job.created > now + CLOCK_TOLERANCE)


def listed(jobs: Sequence[Job]) -> str:
    """Return the first few jobs with their statuses, so that a message stays short.

    A job with two operations is there twice, and is named once.
    """
    named = {job.uri: f"{job} ({job.status.value if job.status else '?'})" for job in jobs}
    return first_few(list(named.values()), MAX_NAMED)
