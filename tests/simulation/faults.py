"""The faults that still wait for a request, and the outages of the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from tests.simulation.plan import Entry


class Faults:
    """Gives each request the fault that is due for it, if any."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._waiting: dict[tuple[str, int], deque[Entry]] = {}
        for entry in entries:
            if entry.kind in ("read", "write"):
                self._waiting.setdefault((entry.kind, entry.target), deque()).append(entry)
        self.outage: Entry | None = None
        self.met: dict[str, int] = {}

    def take(self, kind: str, slot: int, now: float) -> Entry | None:
        """Return the next fault of a slot's reads or writes if its instant has come."""
        waiting = self._waiting.get((kind, slot))
        if not waiting or waiting[0].at > now:
            return None
        entry = waiting.popleft()
        self.count(f"{kind} {entry.what}")
        return entry

    def count(self, name: str) -> None:
        self.met[name] = self.met.get(name, 0) + 1

    def stop(self) -> None:
        """Let the store and the network work from now on."""
        self._waiting.clear()
        self.outage = None
