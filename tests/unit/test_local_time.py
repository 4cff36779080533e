"""Instants and durations as text for people."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.builders import at
from web.page.local_time import LocalTime, duration

NOW = at("2024-10-27T00:30:05")
BRUSSELS = LocalTime(NOW, ZoneInfo("Europe/Brussels"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (11_520, "3 h 12 min"),
        (86_400, "1 d"),
        (86_400 + 3599, "1 d"),
        (100 * 86_400 + 7200, "100 d 2 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


def test_ago_and_ahead_count_from_now() -> None:
    assert BRUSSELS.ahead(NOW + timedelta(hours=3, minutes=12)) == "in 3 h 12 min"
    assert BRUSSELS.ahead(NOW) == BRUSSELS.ahead(NOW - timedelta(hours=1)) == "due now"
    assert BRUSSELS.ago(NOW - timedelta(minutes=2)) == "2 min ago"
    assert BRUSSELS.ago(NOW) == BRUSSELS.ago(NOW + timedelta(hours=1)) == "just now"


def test_an_instant_is_shown_in_the_zone() -> None:
    assert BRUSSELS.date(NOW) == "Sun 2024-10-27 02:30"
    assert BRUSSELS.hour(NOW) == "Sun 02:30"
    assert BRUSSELS.to_the_second(NOW) == "Sun 2024-10-27 02:30:05"
    assert LocalTime(NOW, UTC).date(NOW) == "Sun 2024-10-27 00:30"


def test_the_offset_distinguishes_an_hour_that_occurs_twice() -> None:
    again = NOW + timedelta(hours=1)
    assert BRUSSELS.date(NOW) == BRUSSELS.date(again)
    assert BRUSSELS.exact(NOW) == "Sun 2024-10-27 02:30:05 UTC+02:00"
    assert BRUSSELS.exact(again) == "Sun 2024-10-27 02:30:05 UTC+01:00"
    assert BRUSSELS.iso(again) == "2024-10-27T02:30:05+01:00"


def test_instants_in_a_text_are_shown_in_the_zone() -> None:
    for instant in ("2024-10-27T04:00:00+00:00", "2024-10-27T04:00:00.123000Z"):
        assert BRUSSELS.localized(f"since {instant}: b") == "since Sun 2024-10-27 05:00: b"
    for text in ("http://a/2024-10-27T04:00:00Z", "2024-99-27T04:00:00Z", "0001-01-01T00:00:00Z"):
        assert LocalTime(NOW, ZoneInfo("America/New_York")).localized(text) == text


def test_due_times_show_seconds_unless_they_are_zero() -> None:
    assert BRUSSELS.due(NOW) == "Sun 2024-10-27 02:30:05"
    assert BRUSSELS.due(at("2024-10-27T04:00")) == "Sun 2024-10-27 05:00"
