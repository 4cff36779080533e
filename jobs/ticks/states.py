"""The states of ticks as values: pending, sent but unconfirmed, superseded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jobs.model import NewJob, Tick
from jobs.rules import Obstacle, Wait

FRESH = timedelta(seconds=1)  # age of a tick
NOT_TRIED = Wait("it could not be tried", obstacle=Obstacle.SERVICE)
NEVER_STORED = Wait("the job was sent, but never stored", obstacle=Obstacle.STORE)
LEFT_OVER = Wait(
    "it was left over: no process was running then, or it ended, the kind was disabled, or pattern "
    "or clock were changed",
    obstacle=Obstacle.SERVICE,
)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """The pending ticks of one schedule: `newest` is tried for all from `oldest` on.

    `others` is the number of ticks that it superseded, the first of which fired at `first`. `why`
    is why the last try failed. `verified` means that this try read the store, and so that no job
    did the ticks. `guarded` means that an earlier write for `newest` may still arrive; `writes` is
    the number of writes. `creatable_since` is since when a standby replica has seen the job
    creatable and absent. `expires_at` is when their window closes.
    """

    newest: Tick
    oldest: datetime
    first: datetime
    expires_at: datetime
    retry_at: float
    others: int = 0
    tries: int = 0
    writes: int = 0
    guarded: bool = False
    verified: bool = False
    creatable_since: float | None = None
    why: Wait = NOT_TRIED

    @classmethod
    def of(
        cls, newest: Tick, oldest: datetime, window: timedelta, retry_at: float, others: int
    ) -> Pending:
        """Return ticks whose window begins with the oldest one."""
        return cls(
            newest=newest,
            oldest=oldest,
            first=oldest,
            expires_at=oldest + window,
            retry_at=retry_at,
            others=others,
        )

    @property
    def fresh_until(self) -> datetime | None:
        """The instant up to which no job for the tick can have finished; None after its first try.

        A consumer takes about 1.2 s to begin with a task (measured). So every job that was created
        since the tick is active.
        """
        first = not (self.tries or self.guarded or self.creatable_since or self.others)
        return self.oldest + FRESH if first else None

    def superseded_by(self, newest: Tick, others: int, retry_at: float) -> Pending:
        """Return the ticks with a newer one, which has not been tried or written yet."""
        return replace(
            self,
            newest=newest,
            others=others,
            retry_at=retry_at,
            tries=0,
            guarded=False,
            verified=False,
        )

    def joined_by(self, lost: Pending, retry_at: float) -> Pending:
        """Return the ticks with older ones, whose job never arrived."""
        return replace(
            self,
            oldest=lost.oldest,
            first=lost.first,
            expires_at=lost.expires_at,
            others=lost.others + 1 + self.others,
            retry_at=retry_at,
            writes=lost.writes,
        )

    def since(self, oldest: datetime, window: timedelta, others: int) -> Pending:
        """Return the ticks from `oldest` on, since a job did the earlier ones."""
        return replace(
            self,
            oldest=oldest,
            first=oldest,
            expires_at=oldest + window,
            others=others,
            verified=False,
            creatable_since=None,
        )

    def up_to(self, newest: Tick, others: int) -> Pending | None:
        """Return those of the ticks that fired up to `newest`, with `others` superseded ones."""
        if self.oldest > newest.fire_time:
            return None
        others = others if self.first < newest.fire_time else 0
        return replace(self, newest=newest, others=others, verified=False)


@dataclass(frozen=True, kw_only=True)
class Unconfirmed:
    """A job that was sent for pending ticks, and that no read has confirmed yet."""

    job: NewJob
    lateness: timedelta
    sent_at: float
    check_at: float
    pending: Pending


@dataclass(frozen=True)
class Superseded:
    """`tick` replaced `count` earlier ones, the first of which fired at `since`."""

    tick: Tick
    count: int
    since: datetime
