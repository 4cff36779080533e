"""The schedules of all streams, with their pending ticks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from jobs.clock import EARLIEST
from jobs.model import Stream, Trigger
from jobs.rules import RULES
from jobs.ticks.pending import PendingTicks
from jobs.ticks.policy import Once, TickPolicy

TicksByStream = Mapping[str | None, tuple[PendingTicks, ...]]


def ticks_by_stream(
    streams: Iterable[Stream], start: datetime, policy: TickPolicy
) -> TicksByStream:
    """Return the pending ticks of each stream's enabled kinds, in the order of their handling."""
    groups = {stream.name: tuple(_ticks_of(stream, start, policy)) for stream in streams}
    return {name: group for name, group in groups.items() if group}


def _ticks_of(stream: Stream, start: datetime, policy: TickPolicy) -> Iterator[PendingTicks]:
    """Yield a schedule for each enabled kind; a start's job is the only tick of its schedule."""
    for plan in stream.plans:
        if plan.enabled and RULES[plan.kind].started_by is Trigger.STARTUP:
            yield PendingTicks(stream, plan.kind, Once(start), EARLIEST, policy)
        elif plan.schedule:
            handled_until = plan.schedule.latest(start)
            yield PendingTicks(stream, plan.kind, plan.schedule, handled_until, policy)
