"""Which ticks of a schedule are due, and what became of the others: a state machine without I/O.

A tick stays due until it is settled: done, superseded by a newer tick of its schedule, missed
because its window closed, or cleaned by request. An agenda looks at the present and at what it
was told before, not at what somebody woke it for: a wake-up that comes late, twice or never is
made good by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from jobs.model import Obstacle, Tick, Wait

if TYPE_CHECKING:
    from jobs.model import JobKind, NewJob, Stream

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
MOST_COUNTED = 10_000  # superseded ticks; what a pattern of seconds brings in three hours
FIRST_PAUSE = timedelta(seconds=1)
NOT_TRIED = Wait("it could not be tried", obstacle=Obstacle.SERVICE)
NOT_RUNNING = Wait("the service was not running, or the pattern changed", obstacle=Obstacle.SERVICE)


class FireTimes(Protocol):
    """When ticks fire: a cron schedule, or `Once`."""

    def next_after(self, instant: datetime) -> datetime:
        """Return the first fire time after `instant`."""

    def latest(self, instant: datetime) -> datetime:
        """Return the newest fire time up to `instant`."""


@dataclass(frozen=True)
class Once:
    """Fires one time, at `instant`: what is due when the service starts."""

    instant: datetime

    def next_after(self, instant: datetime) -> datetime:
        """Return the one fire time, or after it one that never comes."""
        return self.instant if instant < self.instant else NEVER

    def latest(self, instant: datetime) -> datetime:
        """Return the one fire time, or before it one that is long gone."""
        return self.instant if instant >= self.instant else datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long ticks stay due, and how often they are tried.

    `window`: how long a tick stays due; it runs from the oldest unsettled tick of a schedule, so
    that a short period can't hide a block for ever. `settle`: how long an update may still be
    applied after its answer was lost, and how long a 200 may be a lie. `delay`: how long after
    its fire time this replica takes a tick up. `longest_pause`: between two tries.
    """

    window: timedelta = timedelta(hours=6)
    settle: timedelta = timedelta(seconds=60)
    delay: timedelta = timedelta(0)
    longest_pause: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The unsettled ticks of one schedule: `newest` is tried for all from `oldest` on.

    `others` counts those that it superseded; `why` tells why the last try failed.
    """

    newest: Tick
    oldest: datetime
    retry_at: datetime
    others: int = 0
    tries: int = 0
    why: Wait = NOT_TRIED


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A job that was sent for a backlog `at` an instant, and not yet confirmed by a read."""

    job: NewJob
    at: datetime
    look_at: datetime
    backlog: Backlog


@dataclass(frozen=True)
class Superseded:
    """`tick` took the place of `count` earlier ones, the first of which fired at `since`."""

    tick: Tick
    count: int
    since: datetime


class Agenda:
    """The ticks of one schedule that fire after `seen`."""

    def __init__(
        self, stream: Stream, kind: JobKind, schedule: FireTimes, seen: datetime, policy: Policy
    ) -> None:
        self.stream = stream
        self.kind = kind
        self.operation = stream.plan(kind).job_operation or ""
        self.backlog: Backlog | None = None
        self.sent: Sent | None = None
        self._schedule = schedule
        self._seen = seen
        self._policy = policy

    def __str__(self) -> str:
        """Name the schedule as logs do."""
        return f"{self.kind.value} of {self.stream}"

    @property
    def recurs(self) -> bool:
        """Whether its ticks come again and again, so that a predecessor may have left one."""
        return not isinstance(self._schedule, Once)

    def next_arrival(self, instant: datetime) -> datetime:
        """Return when the first tick after `instant` is to be taken up here."""
        return self._schedule.next_after(instant - self._policy.delay) + self._policy.delay

    def next_look(self) -> datetime | None:
        """Return when something is to be done about the ticks that arrived; None if nothing is."""
        if self.sent:
            return self.sent.look_at
        return self.backlog.retry_at if self.backlog else None

    def arrive(self, now: datetime) -> Superseded | None:
        """Take up the newest tick that fired, and return those that it supersedes.

        A standby slot waits until a tick is overdue by its delay, but then takes the newest one,
        as the slot before it would: what two slots write at one instant is the same.
        """
        if self._schedule.latest(now - self._policy.delay) <= self._seen:
            return None
        fire_time = self._schedule.latest(now)
        count, since = self._skipped(self._seen, fire_time)
        older, others = self.backlog, count
        if older:
            count, since, others = count + 1, older.newest.fire_time, count + 1 + older.others
        self._seen = fire_time
        self.backlog = Backlog(
            newest=Tick(self.stream, self.kind, fire_time),
            oldest=older.oldest if older else since,
            retry_at=now,
            others=others,
            why=older.why if older else NOT_TRIED,
        )
        return Superseded(self.backlog.newest, count, since) if count else None

    @property
    def before(self) -> datetime:
        """The newest fire time before this process."""
        return self._seen

    def inherit(self, now: datetime, last_job: datetime | None) -> Superseded | None:
        """Take up the newest tick of the time before this process, as a predecessor left it.

        `last_job` is when the newest job of the operation was created. Without any, nothing was
        ever done here and nothing is caught up. Return the ticks that it supersedes.
        """
        fire_time = self._seen
        if last_job is None or last_job >= fire_time:
            return None
        count, since = self._skipped(last_job, fire_time)
        self.backlog = Backlog(
            newest=Tick(self.stream, self.kind, fire_time),
            oldest=fire_time,
            retry_at=max(now + self._policy.settle, fire_time + self._policy.delay),
            others=count,
            why=NOT_RUNNING,
        )
        return Superseded(self.backlog.newest, count, since) if count else None

    def due(self, now: datetime) -> Backlog | None:
        """Return what is to be tried now; not a tick whose own window has closed."""
        if self.sent or not self.backlog or self.backlog.retry_at > now:
            return None
        window = self._policy.window
        closed = window and now >= self.backlog.newest.fire_time + window
        return None if closed else self.backlog

    def wrote(self, job: NewJob, now: datetime) -> None:
        """Remember that a job was sent for the backlog; nothing is sent again until it is known."""
        if self.backlog:
            look_at = now + FIRST_PAUSE
            self.sent = Sent(job=job, at=now, look_at=look_at, backlog=self.backlog)
            self.backlog = None

    def settled(self, fire_time: datetime) -> None:
        """Note that every tick up to `fire_time` is done with."""
        if self.sent and self.sent.backlog.newest.fire_time <= fire_time:
            self.sent = None
        if self.backlog and self.backlog.newest.fire_time <= fire_time:
            self.backlog = None
        elif self.backlog and self.backlog.oldest <= fire_time:
            oldest = self._schedule.next_after(fire_time)
            left, _ = self._skipped(fire_time, self.backlog.newest.fire_time)
            self.backlog = replace(self.backlog, oldest=oldest, others=left)

    def overdue(self, now: datetime) -> bool:
        """Return whether what was sent had all the time there is to arrive in the store."""
        return self.sent is not None and now >= self.sent.at + self._policy.settle

    def look_later(self, now: datetime) -> None:
        """Put the next look for what was sent off, each time for twice as long."""
        if self.sent:
            pause = min(max(FIRST_PAUSE, now - self.sent.at), self._policy.longest_pause)
            end = self.sent.at + self._policy.settle
            look_at = min(now + pause, end) if now < end else now + pause
            self.sent = replace(self.sent, look_at=look_at)

    def lost(self, now: datetime) -> Superseded | None:
        """Note that what was sent never arrived: its tick is due again, or superseded by now."""
        if self.sent is None:
            return None
        lost, newer = self.sent.backlog, self.backlog
        self.sent = None
        if newer is None:
            self.backlog = replace(lost, retry_at=now)
            return None
        others = lost.others + 1 + newer.others
        self.backlog = replace(newer, oldest=lost.oldest, others=others, retry_at=now)
        return Superseded(newer.newest, 1, lost.newest.fire_time)

    def waits(self, now: datetime, why: Wait, chance: float = 1) -> None:
        """Put the backlog off, each time for about twice as long; `chance` is from 0 to 1."""
        if self.backlog is None:
            return
        pause = min(FIRST_PAUSE * 2 ** min(self.backlog.tries, 20), self._policy.longest_pause)
        self.backlog = replace(
            self.backlog,
            tries=self.backlog.tries + 1,
            retry_at=now + pause * (0.5 + chance / 2),
            why=why,
        )

    def missed(self, now: datetime) -> Backlog | None:
        """Give a backlog up whose window has closed, and return it.

        A newest tick that is still within a window of its own gets a try first.
        """
        backlog, window = self.backlog, self._policy.window
        if backlog is None or now < backlog.oldest + window:
            return None
        if not backlog.tries and now < backlog.newest.fire_time + window:
            return None
        self.backlog = None
        return backlog

    def clean(self, now: datetime) -> datetime | None:
        """Settle every tick up to now, since a person removed the jobs; return the newest."""
        self.arrive(now)
        self._seen = max(self._seen, self._schedule.latest(now))
        waiting = self.backlog or (self.sent and self.sent.backlog)
        self.settled(now)
        return waiting.newest.fire_time if waiting else None

    def _skipped(self, after: datetime, before: datetime) -> tuple[int, datetime]:
        """Count the fire times strictly between two instants; return the first one too."""
        first = instant = self._schedule.next_after(after)
        count = 0
        while instant < before and count < MOST_COUNTED:
            count += 1
            instant = self._schedule.next_after(instant)
        return count, first
