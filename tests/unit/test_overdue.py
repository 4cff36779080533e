"""Success is overdue once a second tick is due without one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.builders import DUMP, HEALING, at, stream_of
from web.overdue import OverdueSuccess

WEEKDAYS = stream_of("public", patterns={DUMP: "0 6 * * 1-5", HEALING: "0 4 * * *"})


def overdue(success: str, now: str, kind: str = "dump") -> str | None:
    since = OverdueSuccess([WEEKDAYS]).since("public", kind, at(success), at(now))
    return f"{since:%a %H:%M}" if since else None


@pytest.mark.parametrize(
    ("success", "now", "since"),
    [
        ("2024-01-04T06:00", "2024-01-08T05:59", None),  # of Thursday; Friday's is the last one
        ("2024-01-04T06:00", "2024-01-08T06:00", "Fri 06:00"),
        ("2024-01-05T06:00", "2024-01-08T06:00", None),  # of Friday, and now it is Monday's turn
        ("2024-01-05T06:00", "2024-01-09T06:00", "Mon 06:00"),
        ("2024-01-09T07:00", "2024-01-09T08:00", None),
    ],
)
def test_the_last_two_ticks_led_to_no_success(success: str, now: str, since: str | None) -> None:
    """A weekend has no ticks, so that a time between two successes says nothing by itself."""
    assert overdue(success, now) == since


@pytest.mark.parametrize(
    "stream",
    [stream_of("public", disabled=[DUMP]), stream_of("other"), stream_of(None)],
    ids=["disabled", "another stream", "the environment's stream"],
)
def test_nothing_is_overdue_without_the_schedule(stream: object) -> None:
    found = OverdueSuccess([stream])  # type: ignore[list-item] # parametrize knows no types
    assert found.since("public", "dump", at("2020-01-01T00:00"), at("2024-01-01T00:00")) is None


def test_an_initial_sync_has_no_schedule() -> None:
    assert overdue("2020-01-01T00:00", "2024-01-01T00:00", "initial-sync") is None


def test_each_later_tick_counts_and_a_clock_set_back_does_not() -> None:
    found, success = OverdueSuccess([WEEKDAYS]), at("2024-01-01T04:00")
    now = at("2024-01-02T05:00")
    seen = [
        found.since("public", "healing", success, now + timedelta(days=days))
        for days in (0, 1, 2, 1, 0)
    ]
    assert [s and s.day for s in seen] == [None, 2, 3, 2, None]
