"""Which job may be created when: one decision over one table of kinds.

`decide` is a function of values alone, so each row of the README's decision table is a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.model import AlreadyDone, Create, Decision, JobKind, Refuse, Trigger, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from jobs.model import Job, Stream, StreamState


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What sets one kind apart from the others.

    `started_by` is the trigger that considers it without a person asking.
    """

    started_by: Trigger
    once: bool = False
    needs_initial_sync: bool = False


MOST_NAMED = 3  # blocking jobs that a message names

RULES: Mapping[JobKind, Rule] = {
    JobKind.INITIAL_SYNC: Rule(started_by=Trigger.STARTUP, once=True),
    JobKind.HEALING: Rule(started_by=Trigger.TICK, needs_initial_sync=True),
    JobKind.DUMP: Rule(started_by=Trigger.TICK),
}


def decide(kind: JobKind, stream: Stream, state: StreamState, trigger: Trigger) -> Decision:
    """Decide whether a job of `kind` is to be created now, and if not, say why not.

    A person's request is stopped by configuration and by a missing initial sync, not by active
    jobs: asking for a job is how operators get past one that hangs.
    """
    plan, rule = stream.plan(kind), RULES[kind]
    asked = trigger is Trigger.REQUEST
    if not plan.enabled:
        return Refuse(f"{kind.value} is disabled for {stream}; set {plan.enabled_by} to allow it")
    if rule.needs_initial_sync and stream.healing_waits and not state.synced:
        wait = _no_initial_sync(kind, stream, state)
        return Refuse(f"{wait.reason}; set {stream.freed_by} to heal without it") if asked else wait
    if asked:
        return Create()
    return _unasked(kind, stream, state, once=rule.once)


def _unasked(kind: JobKind, stream: Stream, state: StreamState, *, once: bool) -> Decision:
    """Decide what no person asked for: it never disturbs an active job of its stream."""
    if once and state.synced:
        done = state.synced[-1]
        return AlreadyDone(f"{kind.value} of {stream} was done by {done}", done)
    operation = stream.plan(kind).job_operation
    own = [job for job in state.active if job.operation == operation]
    if once and own:
        return AlreadyDone(f"{kind.value} of {stream} is being done by {own[0]}", own[0])
    if state.active:
        return Wait(f"{kind.value} of {stream} waits for {_describe(state.active)}", state.active)
    return Create()


def _no_initial_sync(kind: JobKind, stream: Stream, state: StreamState) -> Wait:
    """Explain that no initial sync has succeeded, and name the one that is under way."""
    operation = stream.plan(JobKind.INITIAL_SYNC).job_operation
    running = tuple(job for job in state.active if job.operation == operation)
    reason = f"no {kind.value} of {stream} before an initial sync has succeeded"
    return Wait(f"{reason}; it waits for {_describe(running)}" if running else reason, running)


def _describe(jobs: tuple[Job, ...]) -> str:
    """Name the oldest few of `jobs`: an error message has to stay short."""
    shown = ", ".join(f"{job} ({job.status.value})" for job in jobs[:MOST_NAMED])
    more = f" and {len(jobs) - MOST_NAMED} more" if len(jobs) > MOST_NAMED else ""
    return f"{shown}{more}"


def timed_out(
    jobs: Iterable[Job], seen: Mapping[str, datetime], timeout: timedelta, now: datetime
) -> tuple[Job, ...]:
    """Return the jobs without a sign of life for longer than `timeout`.

    A job's silence counts from its last `dct:modified`, but not from before `seen`, the moment
    this process first saw it active: a job that is dated into the past must get its time too.
    """
    return tuple(job for job in jobs if now - _silent_since(job, seen[job.uri]) > timeout)


def _silent_since(job: Job, first_seen: datetime) -> datetime:
    return max(job.last_sign_of_life or first_seen, first_seen)
