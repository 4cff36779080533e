"""Which ticks of a stream are due, and when the next one comes.

An agenda looks at the clock's present and at what it handed out before, not at what somebody
woke it for: a wake-up that comes late, twice or never is made good by the next one.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from jobs.model import JobKind, Tick

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.model import Stream

_ORDER = {kind: position for position, kind in enumerate(JobKind)}


class Agenda:
    """The ticks of one stream that fire after `since`, each handed out once."""

    def __init__(self, stream: Stream, since: datetime) -> None:
        self.stream = stream
        self._schedules = {plan.kind: plan.schedule for plan in stream.plans if plan.schedule}
        self._handed_out = dict.fromkeys(self._schedules, since)
        self._lock = Lock()

    def next_after(self, instant: datetime) -> datetime | None:
        """Return when the next tick fires; None where nothing is scheduled."""
        times = [schedule.next_after(instant) for schedule in self._schedules.values()]
        return min(times, default=None)

    def take(self, now: datetime) -> list[Tick]:
        """Return the ticks that became due, the oldest first and of two at once the healing.

        Of several ticks of one schedule only the newest is returned: it supersedes the others.
        """
        with self._lock:
            due = [
                Tick(self.stream, kind, fire_time)
                for kind, schedule in self._schedules.items()
                if (fire_time := schedule.latest(now)) > self._handed_out[kind]
            ]
            self._handed_out.update({tick.kind: tick.fire_time for tick in due})
        return sorted(due, key=lambda tick: (tick.fire_time, _ORDER[tick.kind]))
