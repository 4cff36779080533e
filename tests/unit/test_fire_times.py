"""The fire times around now, which are remembered from one report to the next."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs import cron
from tests.support.builders import at
from web.status.fire_times import DAY, FireTimes
from web.status.report import MAX_LISTED

NOW = at("2024-01-06T06:00")
BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("pattern", "hours"),
    [("0 0 4 * * *", [-3]), ("0 0 7 * * *", [-24, 0]), ("0 0 0 * * 0", [])],
)
def test_fire_times_of_the_last_day_are_listed_oldest_first(pattern: str, hours: list[int]) -> None:
    passed, _ = FireTimes().around(NOW, cron.parse(pattern, BRUSSELS))
    assert passed == [NOW + timedelta(hours=hour) for hour in hours]


def test_at_most_the_newest_hundred_are_listed() -> None:
    passed, _ = FireTimes().around(NOW, cron.parse("* * * * *", BRUSSELS))
    assert passed == [NOW - timedelta(minutes=minute) for minute in range(99, -1, -1)]


@pytest.mark.parametrize(
    "pattern", ["* * * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0 0 1 1 *"]
)
def test_remembered_fire_times_are_those_of_the_schedule(pattern: str) -> None:
    """The clock may jump by any time between two reports, also backwards and over DST changes."""
    schedule, remembered = cron.parse(pattern, BRUSSELS), FireTimes()
    steps = [0, 1, 59, 3600, -7200, 3 * 86_400, 7, -86_400, 90_000, 40 * 86_400]
    now = at("2024-03-30T00:30:00.250")
    for step in steps:
        now += timedelta(seconds=step)
        expected = [schedule.next_after(now)]
        while len(expected) < MAX_LISTED and expected[-1] <= now + DAY:
            expected.append(schedule.next_after(expected[-1]))
        passed, coming = remembered.around(now, schedule)
        assert coming == expected
        assert passed == FireTimes().around(now, schedule)[0]


def test_only_new_fire_times_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[datetime] = []
    schedule, remembered = cron.parse("*/7 * * * *", BRUSSELS), FireTimes()
    next_after = cron.Schedule.next_after

    def counted(schedule: cron.Schedule, instant: datetime) -> datetime:
        computed.append(instant)
        return next_after(schedule, instant)

    monkeypatch.setattr(cron.Schedule, "next_after", counted)
    _, first = remembered.around(NOW, schedule)
    assert len(computed) == MAX_LISTED
    _, second = remembered.around(NOW + timedelta(minutes=7), schedule)
    assert len(computed) == MAX_LISTED + 1
    assert second[:-1] == first[1:]
