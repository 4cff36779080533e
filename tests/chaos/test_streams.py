"""When ticks are due, by the auditor's own evaluation, and what the service is told of it."""

from __future__ import annotations

import json

import pytest

from chaos.streams import STREAMS, Kind, Stream, config_file, environ, fire_times, schedules

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


def test_fire_times_begin_after_and_end_with_their_bounds() -> None:
    assert fire_times("* * * * * *", START, START + 2) == [START + 1, START + 2]
    assert fire_times("* * * * * *", START + 0.5, START + 1.9) == [START + 1]


@pytest.mark.parametrize("pattern", ["0 0 0 * * *", "* * * * * 1", "* * * * *"])
def test_patterns_beyond_seconds_and_minutes_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="only seconds and minutes"):
        fire_times(pattern, START, START + 60)


def test_only_the_very_instant_is_a_fire_time() -> None:
    (schedule,) = schedules((Stream(name="a", dump="*/5 * * * * *"),))
    assert schedule.is_fire_time(START + 5)
    assert not schedule.is_fire_time(START + 5.001)
    assert not schedule.is_fire_time(START + 6)


def test_the_service_is_told_of_all_streams() -> None:
    entries = {entry["name"]: entry for entry in json.loads(config_file(STREAMS))}
    assert set(entries) == {stream.name for stream in STREAMS if stream.name}
    assert entries["delta"]["disableHealingJobOperation"]
    assert entries["gamma"]["healShouldNotWaitForInitialSync"]
    assert entries["alpha"]["cronPatternDumpJob"] == "*/5 * * * * *"
    (unnamed,) = (stream for stream in STREAMS if stream.name is None)
    assert environ(STREAMS)["CRON_PATTERN_DUMP_JOB"] == unnamed.dump
    assert unnamed.path(Kind.DUMP) == "/dump-publication-graph-jobs"
    assert str(unnamed) == "the environment's stream"
