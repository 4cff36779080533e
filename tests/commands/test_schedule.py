"""flask schedule: when jobs will be due, also when the clocks change."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from config import Settings
from tests.support.command_runner import run
from tests.support.configuring import CONFIG, ENVIRONMENT, loaded, stream

BRUSSELS = "Europe/Brussels"


def settings_of(
    *streams: dict[str, object], zone: str = BRUSSELS, environment: bool = False
) -> Settings:
    environ = ENVIRONMENT if environment else {}
    return loaded(environ, {CONFIG: list(streams)}, lambda: ZoneInfo(zone))


def dump_of(name: str = "public", pattern: str = "0 0 6 * * 6") -> dict[str, object]:
    return stream(name, cronPatternDumpJob=pattern, disableHealingJobOperation=True)


def printed(settings: Settings, *arguments: str) -> list[str]:
    result = run(settings, "schedule", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def dates(pattern: str, start: str, count: int = 3, zone: str = BRUSSELS) -> list[str]:
    settings = settings_of(dump_of(pattern=pattern), zone=zone)
    lines = printed(settings, "--from", start, "--count", str(count))
    return [line.strip() for line in lines[2:]]


def refusal(*arguments: str) -> str:
    settings = settings_of(dump_of("a"), dump_of("b"), environment=True)
    result = run(settings, "schedule", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1]


def test_every_schedule_is_shown_from_now_on() -> None:
    public = stream(cronPatternDumpJob="0 0 6 * * 6", cronPatternHealingJob="0 0 4 * * *")
    assert printed(settings_of(public, dump_of("b")), "--count", "2") == [
        "healing of stream public: 0 0 4 * * * (At 04:00 every day)",
        "  Sun 2024-01-07 04:00:00 CET  +01:00",
        "  Mon 2024-01-08 04:00:00 CET  +01:00",
        "dump of stream public: 0 0 6 * * 6 (At 06:00 on Saturday)",
        "  Sat 2024-01-13 06:00:00 CET  +01:00",
        "  Sat 2024-01-20 06:00:00 CET  +01:00",
        'healing of stream b: disabled; "disableHealingJobOperation": false enables it',
        "dump of stream b: 0 0 6 * * 6 (At 06:00 on Saturday)",
        "  Sat 2024-01-13 06:00:00 CET  +01:00",
        "  Sat 2024-01-20 06:00:00 CET  +01:00",
    ]


def test_five_fire_times_are_shown_by_default() -> None:
    assert len(printed(settings_of(dump_of()))) == 2 + 5


# one stream


def test_one_stream_is_chosen_without_regard_to_case() -> None:
    lines = printed(settings_of(dump_of("a"), dump_of("Public")), "--stream", "pUBLIC")
    assert next(line for line in lines if "stream" in line).startswith("healing of stream Public")
    assert "stream a" not in "\n".join(lines)


def test_a_dash_is_the_environments_stream() -> None:
    lines = printed(settings_of(dump_of(), environment=True), "--stream", "-")
    assert lines[0].startswith("healing of the environment's stream: ")
    assert "stream public" not in "\n".join(lines)


def test_an_unknown_stream_is_a_usage_error_that_lists_the_names() -> None:
    assert refusal("--stream", "nope") == (
        'Error: Invalid value for --stream: there is no stream "nope"; '
        "existing streams: a, b, - (the environment's)"
    )


# the start


@pytest.mark.parametrize(
    "start", ["2024-01-13T06:00", "2024-01-13 06:00:00", "2024-01-13T05:00Z", "2024-01-13"]
)
def test_a_start_without_an_offset_is_in_the_services_zone(start: str) -> None:
    assert dates("0 0 6 * * 6", start)[0] == "Sat 2024-01-13 06:00:00 CET  +01:00"


@pytest.mark.parametrize("start", ["2024-01-13T06:00:01", "2024-01-13T05:00:00.000001Z"])
def test_fire_times_before_the_start_are_not_shown(start: str) -> None:
    assert dates("0 0 6 * * 6", start)[0] == "Sat 2024-01-20 06:00:00 CET  +01:00"


@pytest.mark.parametrize("start", ["tomorrow", "2024-13-01", "", "nan", "1e3", "-1"])
def test_a_start_that_is_not_a_date_is_a_usage_error_with_a_fix(start: str) -> None:
    assert refusal("--from", start) == (
        f'Error: Invalid value for --from: got "{start}": not an ISO date and time; '
        "write e.g. 2024-01-06T06:00"
    )


@pytest.mark.parametrize("start", ["0001-01-01", "9999-12-31T23:59:59Z", "1969-12-31"])
def test_a_start_outside_the_supported_years_is_a_usage_error(start: str) -> None:
    assert refusal("--from", start).endswith("out of range; use a year from 1970 to 2199")


@pytest.mark.parametrize("count", ["0", "1001", "many", "-1", "1.5", "nan", "9" * 5000])
def test_a_count_out_of_range_is_a_usage_error(count: str) -> None:
    assert "Invalid value for '--count'" in refusal("--count", count)


# clock changes


def test_a_clock_change_is_marked_once() -> None:
    assert dates("0 0 6 * * *", "2024-03-30") == [
        "Sat 2024-03-30 06:00:00 CET   +01:00",
        "Sun 2024-03-31 06:00:00 CEST  +02:00  ← clocks go forward 2024-03-31",
        "Mon 2024-04-01 06:00:00 CEST  +02:00",
    ]


def test_a_skipped_local_time_is_marked_where_it_runs() -> None:
    assert dates("0 30 2 * * *", "2024-03-31", 2) == [
        "Sun 2024-03-31 03:00:00 CEST  +02:00  ← clocks go forward 2024-03-31",
        "Mon 2024-04-01 02:30:00 CEST  +02:00",
    ]


def test_a_skipped_local_time_is_marked_although_the_fire_time_before_has_the_same_offset() -> None:
    assert dates("0 30 2 31 3 *", "2023-01-01", 2) == [
        "Fri 2023-03-31 02:30:00 CEST  +02:00  ← clocks go forward 2023-03-26",
        "Sun 2024-03-31 03:00:00 CEST  +02:00  ← clocks go forward 2024-03-31",
    ]


def test_repeated_local_times_differ_in_their_offset() -> None:
    assert dates("0 */30 * * * *", "2024-10-27T02:30") == [
        "Sun 2024-10-27 02:30:00 CEST  +02:00",
        "Sun 2024-10-27 02:00:00 CET   +01:00  ← clocks go back 2024-10-27",
        "Sun 2024-10-27 02:30:00 CET   +01:00",
    ]


def test_the_mark_has_the_date_of_a_change_long_before_the_fire_time() -> None:
    assert dates("0 0 0 1 7 *", "2024-01-01", 1) == [
        "Mon 2024-07-01 00:00:00 CEST  +02:00  ← clocks go forward 2024-03-31",
    ]


def test_a_zone_without_clock_changes_has_no_marks() -> None:
    assert dates("0 0 6 * * *", "2024-03-30", 2, "Asia/Tokyo") == [
        "Sat 2024-03-30 06:00:00 JST  +09:00",
        "Sun 2024-03-31 06:00:00 JST  +09:00",
    ]
