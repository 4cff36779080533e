"""Whether the service works, and whether it can do its work now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

INTERNAL_ERROR = "an internal error of the service; its log has the details"
SCHEDULER_DIED = "the scheduler's thread has died: no tick creates a job; restart the service"
NO_SCHEDULES = "no schedules: start it with `python app.py`"
STARTING = "not ready: the service waits for the store, or its start is not finished yet"


@dataclass
class Health:
    """The health of the process, without the store.

    `is_alive` returns whether the scheduler's thread runs. `is_armed` returns whether the start is
    finished, and `unarmed` is the problem until then. `overdue` returns which work is overdue, or
    None.
    """

    is_alive: Callable[[], bool]
    is_armed: Callable[[], bool]
    overdue: Callable[[], str | None]
    unarmed: str = STARTING

    def fatal_problem(self) -> str | None:
        """Return the problem that only a restart solves; None if there is none."""
        return self.overdue() if self.is_alive() else SCHEDULER_DIED

    def call_problem(self) -> str | None:
        """Return why no call can be served; None if calls can. Overdue work does not stop them."""
        if not self.is_alive():
            return SCHEDULER_DIED
        return None if self.is_armed() else self.unarmed

    def problem(self) -> str | None:
        """Return what keeps the service from working, the store aside; None if nothing does."""
        return self.fatal_problem() or (None if self.is_armed() else self.unarmed)
