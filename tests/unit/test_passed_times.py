"""The fire times that are behind: what the picture looks for jobs at."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs import cron
from tests.builders import at
from web.assembly import FireTimes

NOW = at("2024-01-06T06:00")
BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("pattern", "hours"),
    [("0 0 4 * * *", [-3]), ("0 0 7 * * *", [-24, 0]), ("0 0 0 * * 0", [])],
)
def test_fire_times_of_the_last_day_are_told_the_oldest_first(
    pattern: str, hours: list[int]
) -> None:
    passed, _ = FireTimes().around(NOW, cron.parse(pattern, BRUSSELS))
    assert passed == [NOW + timedelta(hours=hour) for hour in hours]


def test_of_many_the_newest_hundred_are_told() -> None:
    passed, _ = FireTimes().around(NOW, cron.parse("* * * * *", BRUSSELS))
    assert passed == [NOW - timedelta(minutes=minute) for minute in range(99, -1, -1)]
