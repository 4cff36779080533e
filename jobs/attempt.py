"""One attempt to create the job of a tick, and what it can come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from jobs.model import NewJob
from jobs.rules import AlreadyDone, Create, Refuse, Wait
from jobs.store import StoreError


@dataclass(frozen=True)
class SentJob:
    """A job that was sent to the store, and that a read still has to confirm.

    `doubt` is the error after which the job may have been written or not; None after a success.
    """

    job: NewJob
    doubt: StoreError | None = None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How a tick is tried; `since` is its oldest pending tick.

    Without `write`, a job that could be created is not sent. A `guarded` write does nothing if the
    job exists by then: another write for it may be under way. A replica that is not `alone` takes
    any job since `since` as proof that another replica works. Up to `fresh_until`, no job for the
    tick can have finished.
    """

    since: datetime
    write: bool
    guarded: bool
    alone: bool
    fresh_until: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Return whether no job for the tick can have finished."""
        return self.fresh_until is not None and self.since <= now < self.fresh_until


TickOutcome: TypeAlias = SentJob | Create | AlreadyDone | Wait | Refuse
