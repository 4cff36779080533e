"""Whether the service lives, and whether it can do its work now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEAD = "the scheduler's thread has died: no tick is taken up any more; restart the service"
STARTING = "not ready: the service waits for the store, or its start is not done yet"


@dataclass(frozen=True)
class Health:
    """`is_alive` looks at the scheduler's thread, `is_armed` whether the start is done."""

    is_alive: Callable[[], bool]
    is_armed: Callable[[], bool]

    def death(self) -> str | None:
        """Return what only a restart mends; None if there is nothing."""
        return None if self.is_alive() else DEAD

    def problem(self) -> str | None:
        """Return what keeps the service from its work, the store aside; None if nothing does."""
        return self.death() or (None if self.is_armed() else STARTING)
