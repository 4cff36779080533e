"""Instants and spans as a person reads them."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.builders import at
from web.times import Wall, span

NOW = at("2024-10-27T00:30:05")
WALL = Wall(NOW, ZoneInfo("Europe/Brussels"))


@pytest.mark.parametrize(
    ("seconds", "says"),
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
def test_a_span_is_told_in_two_units_at_most(seconds: float, says: str) -> None:
    assert span(timedelta(seconds=seconds)) == says


def test_what_is_ahead_and_what_is_past_is_counted_from_now() -> None:
    assert WALL.ahead(NOW + timedelta(hours=3, minutes=12)) == "in 3 h 12 min"
    assert WALL.ahead(NOW) == WALL.ahead(NOW - timedelta(hours=1)) == "due now"
    assert WALL.ago(NOW - timedelta(minutes=2)) == "2 min ago"
    assert WALL.ago(NOW) == WALL.ago(NOW + timedelta(hours=1)) == "just now"


def test_an_instant_is_shown_in_the_zone() -> None:
    assert WALL.date(NOW) == "Sun 2024-10-27 02:30"
    assert WALL.hour(NOW) == "Sun 02:30"
    assert WALL.to_the_second(NOW) == "Sun 2024-10-27 02:30:05"
    assert Wall(NOW, UTC).date(NOW) == "Sun 2024-10-27 00:30"


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    again = NOW + timedelta(hours=1)
    assert WALL.date(NOW) == WALL.date(again)
    assert WALL.exactly(NOW) == "Sun 2024-10-27 02:30:05 UTC+02:00"
    assert WALL.exactly(again) == "Sun 2024-10-27 02:30:05 UTC+01:00"
    assert WALL.iso(again) == "2024-10-27T02:30:05+01:00"


def test_instants_in_a_text_are_shown_in_the_zone() -> None:
    for instant in ("2024-10-27T04:00:00+00:00", "2024-10-27T04:00:00.123000Z"):
        assert WALL.read(f"since {instant}: b") == "since Sun 2024-10-27 05:00: b"
    for text in ("http://a/2024-10-27T04:00:00Z", "2024-99-27T04:00:00Z", "0001-01-01T00:00:00Z"):
        assert Wall(NOW, ZoneInfo("America/New_York")).read(text) == text


def test_seconds_are_shown_where_a_pattern_has_some() -> None:
    assert WALL.due(NOW) == "Sun 2024-10-27 02:30:05"
    assert WALL.due(at("2024-10-27T04:00")) == "Sun 2024-10-27 05:00"
