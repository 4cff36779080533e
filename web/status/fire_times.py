"""The fire times of schedules around now, remembered from one report to the next."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from jobs.cron import Schedule
from web.status.report import MAX_LISTED

DAY = timedelta(days=1)


class FireTimes:
    """The fire times of schedules around now.

    Fire times are remembered, because computing thousands of them anew for each report is too slow.
    """

    def __init__(self) -> None:
        self._known: dict[Schedule, tuple[datetime, list[datetime], list[datetime]]] = {}
        self._next: dict[Schedule, tuple[datetime, datetime]] = {}

    def after(self, now: datetime, schedule: Schedule) -> datetime:
        """Return the first fire time after now."""
        known_at, following = self._next.get(schedule, (now, now))
        if known_at > now or following <= now:  # the first report, a tick, or a clock that jumped
            following = schedule.next_after(now)
        self._next[schedule] = now, following
        return following

    def around(self, now: datetime, schedule: Schedule) -> tuple[list[datetime], list[datetime]]:
        """Return the fire times of the last 24 hours, and those after now.

        The second list holds the next fire time, and all others of the next 24 hours. Each list
        holds at most the `MAX_LISTED` fire times that are nearest to now.
        """
        known_at, passed, coming = self._known.get(schedule, (now, [], []))
        arrived = bisect_right(coming, now)
        if known_at > now or arrived == len(coming):  # the first report, or the clock has jumped
            passed, coming = _passed(schedule, now), []
        else:
            passed, coming = [*passed, *coming[:arrived]], coming[arrived:]
        passed = [tick for tick in passed if tick >= now - DAY][-MAX_LISTED:]
        while len(coming) < MAX_LISTED and (not coming or coming[-1] <= now + DAY):
            coming.append(schedule.next_after(coming[-1] if coming else now))
        self._known[schedule] = now, passed, coming
        return passed, coming


def _passed(schedule: Schedule, now: datetime) -> list[datetime]:
    """Return the newest `MAX_LISTED` fire times of the last 24 hours, the oldest first."""
    found: list[datetime] = []
    instant = schedule.latest(now)
    while instant >= now - DAY and len(found) < MAX_LISTED:
        found.append(instant)
        instant = schedule.latest(instant - timedelta.resolution)
    return found[::-1]
