"""Which job may be created when: one decision over one table of kinds.

`decide` is a function of values alone, so each row of the README's decision table is a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.model import (
    AlreadyDone,
    Create,
    Decision,
    JobKind,
    Obstacle,
    Refuse,
    Trigger,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from jobs.model import Job, Stream, StreamState


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What sets one kind apart from the others.

    `started_by` is the trigger that considers it without a person asking.
    """

    started_by: Trigger
    once: bool = False
    needs_initial_sync: bool = False


CLOCK_TOLERANCE = timedelta(minutes=5)  # by which the clocks of two machines may differ
MOST_NAMED = 3  # blocking jobs that a message names

RULES: Mapping[JobKind, Rule] = {
    JobKind.INITIAL_SYNC: Rule(started_by=Trigger.STARTUP, once=True),
    JobKind.HEALING: Rule(started_by=Trigger.TICK, needs_initial_sync=True),
    JobKind.DUMP: Rule(started_by=Trigger.TICK),
}


def decide(
    kind: JobKind,
    stream: Stream,
    state: StreamState,
    trigger: Trigger,
    done: Job | None = None,
) -> Decision:
    """Decide whether a job of `kind` is to be created now, and if not, say why not.

    A person's request is stopped by configuration and by a missing initial sync, not by active
    jobs: asking for a job is how operators get past one that hangs. A successful healing stands
    in for an initial sync that a retention service removed. `done` is the job that a tick has
    already, see `newest_since`.
    """
    plan, rule = stream.plan(kind), RULES[kind]
    asked = trigger is Trigger.REQUEST
    if done:
        return AlreadyDone(f"done by job {done}", done)
    if not plan.enabled:
        return Refuse(f"{kind.value} is disabled for {stream}; set {plan.enabled_by} to allow it")
    if rule.needs_initial_sync and stream.healing_waits and not (state.synced or state.healed):
        wait = _no_initial_sync(stream, state)
        refusal = f"{kind.value} of {stream}: {wait.reason}; set {stream.freed_by} to do without"
        return Refuse(refusal) if asked else wait
    if asked:
        return Create()
    return _unasked(kind, stream, state, once=rule.once)


def _unasked(kind: JobKind, stream: Stream, state: StreamState, *, once: bool) -> Decision:
    """Decide what no person asked for: it never disturbs an active job of its stream."""
    if once and state.synced:
        return AlreadyDone(f"done by job {state.synced[-1]}", state.synced[-1])
    own = _active(kind, stream, state)
    if once and own:
        return AlreadyDone(f"being done by job {own[0]}", own[0])
    if state.active:
        return Wait(_describe(state.active), state.active)
    return Create()


def _no_initial_sync(stream: Stream, state: StreamState) -> Wait:
    """Explain that no initial sync has succeeded, and name the one that is under way."""
    reason = "no initial sync has succeeded yet"
    running = _active(JobKind.INITIAL_SYNC, stream, state)
    text = f"{reason}; {_describe(running)}" if running else reason
    return Wait(text, running, Obstacle.NO_INITIAL_SYNC)


def _active(kind: JobKind, stream: Stream, state: StreamState) -> tuple[Job, ...]:
    operation = stream.plan(kind).job_operation
    return tuple(job for job in state.active if job.operation == operation)


def _describe(jobs: tuple[Job, ...]) -> str:
    return f"active: {listed(jobs)}"


def listed(jobs: Sequence[Job]) -> str:
    """Name the first few of `jobs`: an error message has to stay short."""
    named = jobs[:MOST_NAMED]
    shown = ", ".join(f"{job} ({job.status.value if job.status else '?'})" for job in named)
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    return shown + more


def newest_since(
    operation: str | None, instant: datetime, state: StreamState, now: datetime
) -> Job | None:
    """Return the newest job of an operation that was created at `instant` or later, if any.

    It has done what the ticks up to its date asked for, whoever made it. A date from the future
    says nothing, see `from_the_future`.
    """
    return max(
        (
            job
            for job in state.recent
            if job.operation == operation
            and job.created
            and instant <= job.created <= now + CLOCK_TOLERANCE
        ),
        key=lambda job: (job.created, job.uri),
        default=None,
    )


def from_the_future(state: StreamState, now: datetime) -> tuple[Job, ...]:
    """Return the recent jobs that are dated too far ahead to be believed."""
    return tuple(job for job in state.recent if job.created and job.created > now + CLOCK_TOLERANCE)
