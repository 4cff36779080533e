"""The virtual store, which all processes and consumers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.simulation.loop import Loop
from tests.simulation.triples import Change, Triples
from tests.simulation.updates import Operation


@dataclass(kw_only=True, eq=False)
class Update:
    """An update request; `gap` is the time between its reading and its writing half.

    `read_at` is when the state that it rests on was read. `beyond` means that it is applied after
    the settle time.
    """

    name: str
    operations: Sequence[Operation]
    process: str
    sent_at: float
    job: str = ""
    guarded: bool = False
    gap: float = 0.0
    beyond: bool = False
    applied: list[tuple[float, int, bool]] = field(default_factory=list)


@dataclass(eq=False)
class VirtualStore:
    """Applies updates; the listener hears of every change, with the update that made it."""

    loop: Loop
    listener: Callable[[Update, Sequence[Change]], None]
    triples: Triples = field(default_factory=Triples)

    def run(self, update: Update, index: int) -> None:
        """Run one operation of an update: both halves, or the second one after the gap."""
        changes = update.operations[index](self.triples)
        if update.gap and update.guarded:
            self.loop.after(update.gap, self.apply, update, index, changes)
        else:
            self.apply(update, index, changes)

    def apply(self, update: Update, index: int, changes: Sequence[Change]) -> None:
        self.triples.apply(changes)
        update.applied.append((self.loop.now, index, bool(changes)))
        self.listener(update, changes)
