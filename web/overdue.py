"""Which schedules have had no success for two periods.

An alert cannot find out by itself: the period of a schedule follows from its cron pattern, and is
not the same between all of its ticks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jobs.cron import Schedule
from jobs.model import Stream


class OverdueSuccess:
    """The enabled schedules of all streams, and the tick before the last one of each.

    Ticks are remembered until the next one is due, because there may be thousands of schedules.
    """

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._schedules = {
            (stream.name, plan.kind.slug): plan.schedule
            for stream in streams
            for plan in stream.plans
            if plan.enabled and plan.schedule
        }
        self._known: dict[Schedule, tuple[datetime, datetime, datetime]] = {}

    def since(
        self, stream: str | None, kind: str, success: datetime, now: datetime
    ) -> datetime | None:
        """Return when the tick before the last one was due, if the newest `success` is older.

        Return None if it is not, or if the kind has no schedule.
        """
        schedule = self._schedules.get((stream, kind))
        due = self._tick_before_the_last(schedule, now) if schedule else None
        return due if due and success < due else None

    def _tick_before_the_last(self, schedule: Schedule, now: datetime) -> datetime:
        before, last, following = self._known.get(schedule, (now, now, now))
        if not last <= now < following:
            last, following = schedule.latest(now), schedule.next_after(now)
            before = schedule.latest(last - datetime.resolution)
            self._known[schedule] = before, last, following
        return before
