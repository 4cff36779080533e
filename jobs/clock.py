"""Time, new ids and random numbers: passed in, so that tests and simulations control them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.store import Deadline

EARLIEST = datetime.fromtimestamp(0, UTC)  # older dates come from a clock that was never set
LATEST = datetime(9999, 1, 1, tzinfo=UTC)  # one year before the end, so that every zone has it


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The sources of time and chance.

    `now` returns the current time as an aware datetime; `monotonic` returns seconds that never
    jump. `new_id` returns a UUID that was never used before; `random` a number from 0 to 1.
    `timeout` is how many seconds one piece of work may take with all its requests to the store.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    random: Callable[[], float]
    timeout: float

    def deadline(self, seconds: float | None = None) -> Deadline:
        """Return the deadline of work that begins now; by default it has `timeout` seconds."""
        return Deadline.after(self.timeout if seconds is None else seconds, self.monotonic)
