"""The pending ticks of one schedule: a state machine without input or output.

A tick stays pending until it is done, superseded by a newer tick of its schedule, missed because
its window closed, or discarded because a person removed the jobs. The result depends only on the
current time and on earlier results, never on which wake-up called. Late, duplicate and lost
wake-ups are therefore harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobs.model import JobKind, NewJob, Stream, Tick
from jobs.rules import Obstacle, Wait
from jobs.ticks.policy import FireTimes, Once, TickPolicy, between

FIRST_PAUSE = timedelta(seconds=1)
MAX_DOUBLINGS = 20  # of a pause; more would only make the number large
NOT_TRIED = Wait("it could not be tried", obstacle=Obstacle.SERVICE)
NOT_RUNNING = Wait("the service was not running, or the pattern changed", obstacle=Obstacle.SERVICE)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """The pending ticks of one schedule: `newest` is tried for all from `oldest` on.

    `others` is the number of ticks that it superseded; `why` is why the last try failed.
    """

    newest: Tick
    oldest: datetime
    retry_at: datetime
    others: int = 0
    tries: int = 0
    why: Wait = NOT_TRIED


@dataclass(frozen=True, kw_only=True)
class Unconfirmed:
    """A job that was sent for pending ticks, and that no read has confirmed yet."""

    job: NewJob
    sent_at: datetime
    check_at: datetime
    pending: Pending


@dataclass(frozen=True)
class Superseded:
    """`tick` replaced `count` earlier ones, the first of which fired at `since`."""

    tick: Tick
    count: int
    since: datetime


@dataclass(eq=False)
class PendingTicks:
    """The ticks of one schedule that fired after `handled_until`."""

    stream: Stream
    kind: JobKind
    schedule: FireTimes
    handled_until: datetime
    policy: TickPolicy
    pending: Pending | None = field(default=None, init=False)
    unconfirmed: Unconfirmed | None = field(default=None, init=False)

    def __str__(self) -> str:
        """Return the name of the schedule as logs write it."""
        return f"{self.kind.value} of {self.stream}"

    @property
    def operation(self) -> str:
        """The job operation of the schedule's jobs."""
        return self.stream.operation(self.kind)

    @property
    def recurs(self) -> bool:
        """Whether ticks come again and again, so that an earlier process may have left one."""
        return not isinstance(self.schedule, Once)

    def next_due(self, instant: datetime) -> datetime:
        """Return when this replica has to handle the first tick after `instant`."""
        delay = self.policy.standby_delay
        return self.schedule.next_after(instant - delay) + delay

    @property
    def retry_at(self) -> datetime | None:
        """When the pending ticks are to be tried; None if there is nothing to try now."""
        return self.pending.retry_at if self.pending and not self.unconfirmed else None

    def advance(self, now: datetime) -> Superseded | None:
        """Make the newest tick that fired pending, and return the ticks that it supersedes.

        A standby slot waits until a tick is late by its delay, but then handles the newest tick,
        as the slot before it would. Two slots that write at one instant then write the same.
        """
        if self.schedule.latest(now - self.policy.standby_delay) <= self.handled_until:
            return None
        fire_time = self.schedule.latest(now)
        count, since = between(self.schedule, self.handled_until, fire_time)
        older, others = self.pending, count
        if older:
            count, since, others = count + 1, older.newest.fire_time, count + 1 + older.others
        self.handled_until = fire_time
        self.pending = Pending(
            newest=Tick(self.stream, self.kind, fire_time),
            oldest=older.oldest if older else since,
            retry_at=now,
            others=others,
            why=older.why if older else NOT_TRIED,
        )
        return Superseded(self.pending.newest, count, since) if count else None

    def resume(self, now: datetime, last_job: datetime | None) -> Superseded | None:
        """Make the newest tick from before this process pending, as an earlier process left it.

        `last_job` is when the newest job of the operation was created. Without any job the
        operation is new, and nothing is resumed. Return the ticks that the tick supersedes.
        """
        fire_time = self.handled_until
        if last_job is None or last_job >= fire_time:
            return None
        count, since = between(self.schedule, last_job, fire_time)
        self.pending = Pending(
            newest=Tick(self.stream, self.kind, fire_time),
            oldest=fire_time,
            retry_at=max(now + self.policy.settle_time, fire_time + self.policy.standby_delay),
            others=count,
            why=NOT_RUNNING,
        )
        return Superseded(self.pending.newest, count, since) if count else None

    def due(self, now: datetime) -> Pending | None:
        """Return what is to be tried now; not a tick whose own window has closed."""
        if self.unconfirmed or not self.pending or self.pending.retry_at > now:
            return None
        window = self.policy.window
        closed = window and now >= self.pending.newest.fire_time + window
        return None if closed else self.pending

    def mark_sent(self, job: NewJob, now: datetime) -> None:
        """Note that a job was sent for the pending ticks; nothing else is sent until it is read."""
        if self.pending:
            self.unconfirmed = Unconfirmed(
                job=job, sent_at=now, check_at=now + FIRST_PAUSE, pending=self.pending
            )
            self.pending = None

    def complete(self, fire_time: datetime) -> None:
        """Note that every tick up to `fire_time` needs nothing more."""
        if self.unconfirmed and self.unconfirmed.pending.newest.fire_time <= fire_time:
            self.unconfirmed = None
        if self.pending and self.pending.newest.fire_time <= fire_time:
            self.pending = None

    def settle_time_over(self, now: datetime) -> bool:
        """Return whether what was sent can no longer arrive in the store."""
        sent = self.unconfirmed
        return sent is not None and now >= sent.sent_at + self.policy.settle_time

    def confirm_later(self, now: datetime) -> None:
        """Postpone the next confirming read, each time for twice as long."""
        sent = self.unconfirmed
        if sent:
            pause = min(max(FIRST_PAUSE, now - sent.sent_at), self.policy.max_pause)
            end = sent.sent_at + self.policy.settle_time
            check_at = min(now + pause, end) if now < end else now + pause
            self.unconfirmed = replace(sent, check_at=check_at)

    def requeue(self, now: datetime) -> Superseded | None:
        """Note that the sent job never arrived: its tick is pending again, or superseded."""
        if self.unconfirmed is None:
            return None
        lost, newer = self.unconfirmed.pending, self.pending
        self.unconfirmed = None
        if newer is None:
            self.pending = replace(lost, retry_at=now)
            return None
        others = lost.others + 1 + newer.others
        self.pending = replace(newer, oldest=lost.oldest, others=others, retry_at=now)
        return Superseded(newer.newest, 1, lost.newest.fire_time)

    def defer(self, now: datetime, why: Wait, random: float = 1) -> None:
        """Postpone the pending ticks, each time for about twice as long; `random` is 0 to 1."""
        if self.pending is None:
            return
        doublings = min(self.pending.tries, MAX_DOUBLINGS)
        pause = min(FIRST_PAUSE * 2**doublings, self.policy.max_pause)
        self.pending = replace(
            self.pending,
            tries=self.pending.tries + 1,
            retry_at=now + pause * (0.5 + random / 2),
            why=why,
        )

    def expire(self, now: datetime) -> Pending | None:
        """Give up pending ticks whose window has closed, and return them.

        A newest tick that is still within a window of its own is tried once before that.
        """
        pending, window = self.pending, self.policy.window
        if pending is None or now < pending.oldest + window:
            return None
        if not pending.tries and now < pending.newest.fire_time + window:
            return None
        self.pending = None
        return pending

    def discard(self, now: datetime) -> datetime | None:
        """Discard every tick up to now, since a person removed the jobs; return the newest."""
        self.advance(now)
        self.handled_until = max(self.handled_until, self.schedule.latest(now))
        waiting = self.pending or (self.unconfirmed and self.unconfirmed.pending)
        self.complete(now)
        return waiting.newest.fire_time if waiting else None
