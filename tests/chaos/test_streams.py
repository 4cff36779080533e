"""The auditor's own evaluation of patterns, and the settings that the service gets."""

from __future__ import annotations

import json

import pytest

from tests.chaos.streams import STREAMS, Kind, Stream, config_file, environ, fire_times, schedules

START = 1_800_000_000  # a full hour in UTC


@pytest.mark.parametrize(
    ("pattern", "offsets"),
    [
        ("*/20 * * * * *", [0, 20, 40, 60]),
        ("5/30 * * * * *", [5, 35]),
        ("1,59 * * * * *", [1, 59]),
        ("0 */1 * * * *", [0, 60]),
        ("30 1 * * * *", []),
    ],
)
def test_fire_times(pattern: str, offsets: list[int]) -> None:
    assert fire_times(pattern, START - 1, START + 60) == [START + offset for offset in offsets]


def test_fire_times_exclude_the_start_and_include_the_end() -> None:
    assert fire_times("* * * * * *", START, START + 2) == [START + 1, START + 2]
    assert fire_times("* * * * * *", START + 0.5, START + 1.9) == [START + 1]


@pytest.mark.parametrize("pattern", ["0 0 0 * * *", "* * * * * 1", "* * * * *"])
def test_other_patterns_than_of_seconds_and_minutes_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="only seconds and minutes"):
        fire_times(pattern, START, START + 60)


def test_only_the_exact_instant_is_a_fire_time() -> None:
    (schedule,) = schedules((Stream(name="a", dump="*/5 * * * * *"),))
    assert schedule.is_fire_time(START + 5)
    assert not schedule.is_fire_time(START + 5.001)
    assert not schedule.is_fire_time(START + 6)


def test_the_service_is_configured_with_all_streams() -> None:
    entries = {entry["name"]: entry for entry in json.loads(config_file(STREAMS))}
    assert set(entries) == {stream.name for stream in STREAMS if stream.name}
    assert entries["delta"]["disableHealingJobOperation"]
    assert entries["gamma"]["healShouldNotWaitForInitialSync"]
    assert entries["alpha"]["cronPatternDumpJob"] == "*/5 * * * * *"
    (unnamed,) = (stream for stream in STREAMS if stream.name is None)
    assert environ(STREAMS)["CRON_PATTERN_DUMP_JOB"] == unnamed.dump
    assert unnamed.path(Kind.DUMP) == "/dump-publication-graph-jobs"
    assert str(unnamed) == "the environment's stream"
