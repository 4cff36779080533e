"""The services that run the tasks, and the job-controller that closes their jobs.

What one of them does with a task depends on the seed and on the task alone, so that deleting
another thing from the plan changes as little as possible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from tests.simulation.loop import Loop
from tests.simulation.store import Update, VirtualStore
from tests.simulation.triples import Change


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How consumers behave: seconds, and shares of the tasks."""

    at_once: bool = False
    dump_pickup: tuple[float, float] = (0.8, 1.6)
    sync_pickup: tuple[float, float] = (20.0, 45.0)
    work: tuple[float, float] = (0.5, 15.0)
    fails: float = 0.1
    hangs: float = 0.0
    deaf: float = 0.0
    not_closed: float = 0.0


@dataclass(eq=False)
class Consumers:
    """All consumers of the world; `reliable` ends hanging and the like."""

    loop: Loop
    store: VirtualStore
    seed: str
    manners: Manners
    wall: Callable[[], datetime]
    ran: Callable[[str], None]
    reliable: bool = False
    times: dict[str, int] = field(default_factory=dict)

    def inserted(self, task: str) -> None:
        """Hear of a task; the same insert again is heard of again."""
        times = self.times[task] = self.times.get(task, 0) + 1
        if not self.reliable and self._draw(f"deaf {task} {times}") < self.manners.deaf:
            return
        operation = next(iter(self.store.triples.values(task, "operation")), "")
        low, high = (
            self.manners.dump_pickup if "dump" in operation.lower() else self.manners.sync_pickup
        )
        wait = low + (high - low) * self._draw(f"pickup {task} {times}")
        self.loop.after(0.0 if self.manners.at_once else wait, self._pick_up, task)

    def _pick_up(self, task: str) -> None:
        if "scheduled" not in self.store.triples.values(task, "status"):
            return
        self._set(task, "busy")
        self.ran(task)
        if self.reliable or self._draw(f"hang {task}") >= self.manners.hangs:
            low, high = self.manners.work
            work = low + (high - low) * self._draw(f"work {task}") ** 3
            self.loop.after(0.0 if self.manners.at_once else work, self.end, task)

    def end(self, task: str) -> None:
        """Finish a task; the job-controller then closes its job."""
        fails = self._draw(f"fails {task}") < self.manners.fails
        self._set(task, "failed" if fails else "success")
        if self.reliable or self._draw(f"closed {task}") >= self.manners.not_closed:
            wait = 0.0 if self.manners.at_once else 0.1 + self._draw(f"close {task}")
            self.loop.after(wait, self.close, task)

    def close(self, task: str) -> None:
        """Give the job of a task the task's status."""
        triples = self.store.triples
        for job in triples.values(task, "job"):
            statuses = triples.values(task, "status")
            if triples.is_job(job) and statuses:
                self._set(job, statuses[0])

    def _set(self, uri: str, status: str) -> None:
        """Replace all statuses and dates of change, as mu services do."""
        triples = self.store.triples
        if not triples.values(uri, "type"):
            return
        gone = [
            Change(add=False, uri=uri, name=name, value=value)
            for name in ("status", "modified")
            for value in triples.values(uri, name)
        ]
        new = [
            Change(add=True, uri=uri, name="status", value=status),
            Change(add=True, uri=uri, name="modified", value=self.wall()),
        ]
        update = Update(name="consumer", operations=(), process="consumer", sent_at=self.loop.now)
        self.store.apply(update, 0, [*gone, *new])

    def _draw(self, what: str) -> float:
        """Return a number from 0 to 1 that depends on the seed and the words only."""
        return crc32(f"{self.seed} {what}".encode()) / 2**32
