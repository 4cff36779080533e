"""The pending ticks of one schedule: a state machine without input or output.

A tick stays pending until it is done, superseded by a newer tick of its schedule, missed because
its window closed, or discarded because a person removed the jobs. The result depends only on the
current time and on earlier results, never on which wake-up called. Late, duplicate and lost
wake-ups are therefore harmless.

Two clocks count. Fire times and windows are wall-clock time (`now`, an aware datetime). Pauses, and
ages of this process's own writes, are monotonic seconds (`elapsed`), which no set clock changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobs.model import JobKind, NewJob, Stream, Tick
from jobs.rules import Wait
from jobs.ticks.policy import FIRST_PAUSE, MIN_CLOCK_STEP, FireTimes, Once, TickPolicy, between
from jobs.ticks.states import LEFT_OVER, NEVER_STORED, Pending, Superseded, Unconfirmed

STANDBY_READS = 4  # reads of a standby replica in its delay


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
    cleaned_at: float = field(default=-math.inf, init=False)  # when a person removed the jobs

    @property
    def operation(self) -> str:
        """The job operation of the schedule's jobs."""
        return self.stream.operation(self.kind)

    @property
    def recurs(self) -> bool:
        """Whether ticks come again and again; a start's job does not."""
        return not isinstance(self.schedule, Once)

    def next_due(self, instant: datetime) -> datetime:
        """Return when the first tick after `instant` has to be handled."""
        return self.schedule.next_after(instant)

    @property
    def retry_at(self) -> float | None:
        """When the pending ticks are to be tried; None if there is nothing to try now."""
        return self.pending.retry_at if self.pending and not self.unconfirmed else None

    def step_back(self, now: datetime) -> timedelta | None:
        """Follow a wall clock that was set back; return by how much, or None if it was not.

        Ticks that this process handled on a clock that was ahead become due again when they come.
        """
        ahead = self.handled_until - now
        if not self.recurs or ahead < MIN_CLOCK_STEP:
            return None
        self.handled_until = self.schedule.latest(now)
        newest, sent = Tick(self.stream, self.kind, self.handled_until), self.unconfirmed
        if self.pending and self.pending.newest.fire_time > now:
            left, _ = between(self.schedule, self.pending.first, self.handled_until)
            self.pending = self.pending.up_to(newest, others=left + 1)
        if sent and sent.pending.newest.fire_time > now:  # its job does no tick that comes later
            self.unconfirmed = replace(sent, pending=replace(sent.pending, newest=newest))
        return ahead

    def advance(self, now: datetime, elapsed: float) -> Superseded | None:
        """Make the newest tick that fired pending, and return the ticks that it supersedes."""
        fire_time = self.schedule.latest(now)
        if fire_time <= self.handled_until:
            return None
        count, since = between(self.schedule, self.handled_until, fire_time)
        older, others = self.pending, count
        if older:
            count, since, others = count + 1, older.newest.fire_time, count + 1 + older.others
        self.handled_until = fire_time
        newest = Tick(self.stream, self.kind, fire_time)
        if older:
            self.pending = older.superseded_by(newest, others, elapsed)
        else:
            self.pending = Pending.of(newest, since, self.policy.window, elapsed, others)
        return Superseded(newest, count, since) if count else None

    def resume(self, now: datetime, elapsed: float, since: datetime) -> Superseded | None:
        """Make the newest tick up to `handled_until` pending, if no job did it.

        An earlier process left it, or this one while its clock was wrong. Ticks up to `since` need
        nothing more. Return the ticks that the tick supersedes.
        """
        fire_time = self.handled_until
        if min(since, now) >= fire_time:
            return None
        count, since = between(self.schedule, since, fire_time)
        newest = Tick(self.stream, self.kind, fire_time)
        retry_at = elapsed + self.policy.resume_seconds
        pending = Pending.of(newest, fire_time, self.policy.window, retry_at, count)
        self.pending = replace(pending, first=since, guarded=True, why=LEFT_OVER)
        return Superseded(newest, count, since) if count else None

    def due(self, now: datetime, elapsed: float) -> Pending | None:
        """Return what is to be tried now; a window that closes needs one more read."""
        pending = self.pending
        if pending is None or self.unconfirmed:
            return None
        closing = self.recurs and pending.verified and now >= pending.expires_at
        return pending if closing or pending.retry_at <= elapsed else None

    def may_write(self, now: datetime, elapsed: float) -> bool:
        """Return whether a try may write, besides the rules.

        The window of the newest tick must be open; a window of 0 allows the first try. A standby
        replica must have seen the job creatable and absent for its delay.
        """
        pending, window = self.pending, self.policy.window
        if pending is None:
            return False
        only_try = not (window or pending.tries or pending.guarded)
        in_window = not self.recurs or only_try or now < pending.newest.fire_time + window
        delay, since = self.policy.standby_seconds, self._creatable_since(pending, elapsed)
        return in_window and (not delay or (since is not None and elapsed >= since + delay))

    def _creatable_since(self, pending: Pending, elapsed: float) -> float | None:
        """Return since when this replica has seen the job creatable, without a gap in its reads.

        While the process was paused, for example, another replica can have sent the job.
        """
        gap = elapsed > pending.retry_at + self.policy.standby_seconds / STANDBY_READS
        return None if gap else pending.creatable_since

    def stand_by(self, elapsed: float) -> bool:
        """Note that the job is creatable and absent; return whether this replica still waits."""
        delay = self.policy.standby_seconds
        if not delay or self.pending is None:
            return False
        since = self._creatable_since(self.pending, elapsed)
        since = elapsed if since is None else since
        if elapsed >= since + delay:
            return False
        retry_at = min(elapsed + delay / STANDBY_READS, since + delay)
        self.pending = replace(
            self.pending, creatable_since=since, retry_at=retry_at, verified=True
        )
        return True

    def mark_sent(self, job: NewJob, now: datetime, elapsed: float) -> None:
        """Note that a job was sent for the pending ticks; a read has to confirm it."""
        if self.pending:
            self.unconfirmed = Unconfirmed(
                job=job,
                lateness=now - self.pending.newest.fire_time,
                sent_at=elapsed,
                check_at=elapsed + FIRST_PAUSE,
                pending=replace(self.pending, writes=self.pending.writes + 1),
            )
            self.pending = None

    def complete(self, fire_time: datetime) -> None:
        """Note that every tick up to `fire_time` needs nothing more."""
        if self.unconfirmed and self.unconfirmed.pending.newest.fire_time <= fire_time:
            self.unconfirmed = None
        if self.pending and self.pending.newest.fire_time <= fire_time:
            self.pending = None
        elif self.pending and self.pending.oldest <= fire_time:
            oldest = self.schedule.next_after(fire_time)
            left, _ = between(self.schedule, fire_time, self.pending.newest.fire_time)
            self.pending = self.pending.since(oldest, self.policy.window, left)

    def settle_time_over(self, elapsed: float) -> bool:
        """Return whether what was sent can no longer arrive in the store."""
        sent = self.unconfirmed
        return sent is not None and elapsed >= sent.sent_at + self.policy.settle_seconds

    def confirm_later(self, elapsed: float) -> None:
        """Postpone the next confirming read, each time for twice as long."""
        sent = self.unconfirmed
        if sent:
            pause = self.policy.confirm_pause(elapsed - sent.sent_at)
            end = sent.sent_at + self.policy.settle_seconds
            check_at = min(elapsed + pause, end) if elapsed < end else elapsed + pause
            self.unconfirmed = replace(sent, check_at=check_at)

    def requeue(self, elapsed: float) -> Superseded | None:
        """Note that the sent job never arrived: its tick is pending again, or superseded.

        It is written again at most once per settle time, and each time after a longer pause.
        """
        if self.unconfirmed is None:
            return None
        lost, newer = self.unconfirmed.pending, self.pending
        self.unconfirmed = None
        retry_at = elapsed + self.policy.write_pause(lost.writes)
        if newer is None:
            self.pending = replace(
                lost, retry_at=retry_at, guarded=True, verified=True, why=NEVER_STORED
            )
            return None
        self.pending = replace(newer.joined_by(lost, retry_at), why=NEVER_STORED)
        return Superseded(newer.newest, 1, lost.newest.fire_time)

    def defer(self, elapsed: float, why: Wait, random: float = 1, *, verified: bool = True) -> None:
        """Postpone the pending ticks, each time for about twice as long; `random` is 0 to 1.

        `verified` means that the try read the store.
        """
        if self.pending is None:
            return
        self.pending = replace(
            self.pending,
            tries=self.pending.tries + 1,
            retry_at=elapsed + self.policy.retry_pause(self.pending.tries, random),
            creatable_since=None,
            verified=verified,
            why=why,
        )

    def expire(self, now: datetime) -> Pending | None:
        """Give up pending ticks whose window has closed, and return them.

        Only a read that showed no job allows that. An initial sync is not given up: it is returned
        once per period, and stays pending.
        """
        pending = self.pending
        if pending is None or not pending.verified or now < pending.expires_at:
            return None
        if self.recurs:
            self.pending = None
        else:
            self.pending = replace(pending, expires_at=now + self.policy.report_every)
        return pending

    def discard(self, now: datetime, elapsed: float) -> datetime | None:
        """Discard every tick up to now, since a person removed the jobs; return the newest."""
        self.advance(now, elapsed)
        self.cleaned_at = elapsed
        waiting = self.pending or (self.unconfirmed and self.unconfirmed.pending)
        self.complete(max(now, self.handled_until))
        return waiting.newest.fire_time if waiting else None
