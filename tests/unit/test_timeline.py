"""Positions, classes and texts of the shapes of a stream's timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from tests.support import reports
from tests.support.builders import at
from web.page.local_time import LocalTime
from web.page.shapes import PADDING, ROW, Lane
from web.page.timeline import MIN_WIDTH, draw
from web.status.report import JobStatus

NOW = at("2024-01-06T06:00")
STARTED = NOW - timedelta(days=3)
BRUSSELS = LocalTime(NOW, ZoneInfo("Europe/Brussels"))


def hours(number: float) -> datetime:
    """Return the instant so many hours from now."""
    return NOW + timedelta(hours=number)


def job(start: float, end: float, name: str = "a", status: Any = "success") -> Any:
    return reports.job(name, status, created=hours(start), modified=hours(end))


def lane(**kind: Any) -> Lane:
    """Return the lane of one kind."""
    return draw(reports.stream("public", reports.kind("dump", **kind)), BRUSSELS, STARTED).lanes[-1]


def spans(drawn: Lane) -> list[tuple[float, float]]:
    return [(bar.x, round(bar.x + bar.width, 2)) for bar in drawn.bars]


def rows(drawn: Lane) -> list[int]:
    return [(bar.y - drawn.y) // ROW for bar in drawn.bars]


def labels(now: str, zone: str) -> list[tuple[float, str]]:
    found = draw(reports.stream(), LocalTime(at(now), ZoneInfo(zone)), STARTED).labels
    return [(label.x, label.text) for label in found]


# bars


def test_a_bar_reaches_from_creation_to_the_newest_date() -> None:
    [bar] = lane(recent=(job(-12, -6),)).bars
    assert (bar.x, bar.width) == (25, 12.5)
    assert bar.text == (
        "success, Fri 19:00 to Sat 01:00 (6 h): http://redpencil.data.gift/id/job/a"
    )


def test_the_bar_of_an_active_job_reaches_until_now() -> None:
    silent = reports.active(created=hours(-6), modified=hours(-6))
    drawn = lane(active=(silent,), recent=(silent,))
    assert spans(drawn) == [(37.5, 50)]
    assert "Sat 01:00 to now (6 h)" in drawn.bars[0].text


def test_bars_end_where_the_timeline_does() -> None:
    assert spans(lane(active=(reports.active(created=hours(-100)),))) == [(0, 50)]
    assert spans(lane(recent=(job(-30, -12),))) == [(0, 25)]
    assert spans(lane(recent=(job(12, 30),))) == [(75, 100)]


def test_jobs_outside_the_timeline_are_left_out() -> None:
    assert lane(recent=(job(-30, -25), job(25, 26, "b"))).bars == ()


@pytest.mark.parametrize(("start", "x"), [(-24, 0), (-12, 25), (0, 49.6), (12, 75), (24, 99.6)])
def test_a_short_job_is_visible_and_stays_on_its_side_of_now(start: float, x: float) -> None:
    assert spans(lane(recent=(job(start, start),))) == [(x, round(x + MIN_WIDTH, 2))]


def test_a_job_modified_before_its_creation_is_a_short_one() -> None:
    assert spans(lane(recent=(job(-12, -13),))) == [(25, 25.4)]


def test_one_date_is_enough_and_jobs_without_dates_are_left_out() -> None:
    undated = reports.job(created=None, modified=hours(-12))
    assert spans(lane(recent=(undated,))) == [(25, 25.4)]
    assert lane(recent=(reports.job(created=None, modified=None),)).bars == ()
    open_end = reports.job(created=hours(-12), modified=None)
    assert spans(lane(recent=(open_end,))) == [(25, 25.4)]


def test_jobs_at_the_same_time_get_different_rows() -> None:
    drawn = lane(recent=(job(-9, -5, "a"), job(-8, -6, "b"), job(-5, -4, "c")))
    assert rows(drawn) == [0, 1, 0]
    assert drawn.rows == 2


def test_jobs_overlap_when_all_rows_are_full() -> None:
    drawn = lane(recent=tuple(job(-9 + n, -1 - n / 10, str(n)) for n in range(5)))
    assert rows(drawn) == [0, 1, 2, 2, 2]
    assert drawn.height == 3 * ROW + PADDING


def test_each_status_has_its_own_class_and_some_their_own_height() -> None:
    statuses = get_args(JobStatus)
    found = tuple(job(-20 + n, -19.5 + n, s, s) for n, s in enumerate(statuses))
    bars = lane(recent=found).bars
    assert [bar.css_class for bar in bars] == list(statuses)
    heights = {bar.css_class: bar.height for bar in bars}
    assert heights["failed"] > heights["success"] > heights["canceled"]


def test_the_bar_of_a_stuck_job_gives_the_cause() -> None:
    [bar] = lane(active=(reports.active(trouble=reports.diagnosis()),)).bars
    assert bar.css_class == "busy stuck"
    assert bar.text.startswith("stuck, no sign of life: busy, ")


def test_the_heights_of_the_lanes_add_up() -> None:
    crowd = reports.kind("healing", recent=(job(-9, -5, "a"), job(-8, -6, "b")))
    drawn = draw(reports.stream("public", crowd), BRUSSELS, STARTED)
    assert [lane.kind.kind for lane in drawn.lanes] == ["initial-sync", "healing", "dump"]
    assert [lane.y for lane in drawn.lanes] == [20, 46, 90]
    assert drawn.height == 116
    for found in drawn.lanes:
        for bar in found.bars:
            assert found.y <= bar.y
            assert bar.y + bar.height <= found.y + found.height


# ticks


def test_marks_are_where_ticks_are_due() -> None:
    marks = lane(coming=(hours(0), hours(6), hours(24), hours(25), hours(-1))).marks
    assert [(mark.x, mark.text) for mark in marks] == [
        (50, "due Sat 07:00"),
        (62.5, "due Sat 13:00"),
        (100, "due Sun 07:00"),
    ]


def test_a_past_tick_without_a_job_is_a_gap() -> None:
    passed = tuple(hours(n) for n in (-12, -9, -6, -3))
    done = (job(-12, -11, "a"), job(-5.9, -5, "late"))
    running = reports.active(created=hours(-3))
    drawn = lane(passed=passed, recent=done, active=(running,))
    assert [(gap.x, gap.text) for gap in drawn.gaps] == [(31.25, "was due Fri 22:00: no job")]
    assert [gap.x for gap in lane(passed=passed).gaps] == [25, 31.25, 37.5, 43.75]


def test_ticks_from_before_the_start_of_the_process_are_no_gaps() -> None:
    dump = reports.kind("dump", passed=tuple(hours(n) for n in (-9, -6, -3)))
    drawn = draw(reports.stream("public", dump), BRUSSELS, hours(-6))
    assert [gap.text for gap in drawn.lanes[-1].gaps] == [
        "was due Sat 01:00: no job",
        "was due Sat 04:00: no job",
    ]


def test_there_are_no_gaps_where_jobs_are_not_known() -> None:
    passed = tuple(hours(-n / 2) for n in range(47, 0, -1))
    full = tuple(job(-12 + n / 10, -12 + n / 10, str(n)) for n in range(100))
    assert min(gap.x for gap in lane(passed=passed, recent=full).gaps) > 25
    dump = reports.kind("dump", passed=passed)
    drawn = draw(reports.stream("public", dump), BRUSSELS, STARTED, jobs_known=False)
    assert [found.gaps for found in drawn.lanes] == [()] * 3


def test_two_kinds_that_are_due_together_overlap() -> None:
    healing = reports.kind("healing", coming=(hours(3), hours(6)))
    dump = reports.kind("dump", coming=(hours(6), hours(9)))
    drawn = draw(reports.stream("public", healing, dump), BRUSSELS, STARTED)
    [overlap] = drawn.overlaps
    assert overlap.x == 62.5
    assert overlap.text == "healing and dump are due together, Sat 13:00: one waits for the other"
    assert (overlap.top, overlap.bottom) == (drawn.lanes[1].middle, drawn.lanes[2].middle)


# what is not known


def test_without_the_store_the_past_is_not_known() -> None:
    drawn = draw(reports.stream(), BRUSSELS, STARTED, jobs_known=False)
    for found in drawn.lanes:
        [unknown] = found.unknown_ranges
        assert (unknown.x, unknown.width, unknown.y, unknown.height) == (
            0,
            50,
            found.y,
            found.height,
        )
        assert unknown.text == "not known, because the store does not answer"


def test_beyond_a_full_list_nothing_is_known() -> None:
    recent = tuple(job(-12 + n / 10, -12 + n / 10, str(n)) for n in range(100))
    coming = tuple(hours(n / 10) for n in range(1, 101))
    drawn = lane(recent=recent, coming=coming)
    assert [(unknown.x, unknown.width) for unknown in drawn.unknown_ranges] == [
        (0, 25),
        (70.83, 29.17),
    ]
    assert (len(drawn.bars), len(drawn.marks)) == (100, 100)
    assert lane(recent=recent[1:], coming=coming[1:]).unknown_ranges == ()


# hours


def test_every_sixth_local_hour_has_a_label_and_midnight_names_the_day() -> None:
    assert labels("2024-01-06T06:00", "Europe/Brussels") == [
        (10.42, "12:00"),
        (22.92, "18:00"),
        (35.42, "Sat 6"),
        (47.92, "06:00"),
        (60.42, "12:00"),
        (72.92, "18:00"),
        (85.42, "Sun 7"),
        (97.92, "06:00"),
    ]


def test_labels_at_both_ends_are_included() -> None:
    found = labels("2024-01-06T12:00", "UTC")
    assert (found[0], found[4], found[8]) == ((0, "12:00"), (50, "12:00"), (100, "12:00"))


@pytest.mark.parametrize(
    ("now", "night"),
    [
        pytest.param("2024-03-31T10:00", 5, id="an hour is skipped"),
        pytest.param("2024-10-27T10:00", 7, id="an hour comes twice"),
        pytest.param("2024-10-28T10:00", 6, id="the day after"),
    ],
)
def test_a_night_with_a_clock_change_has_its_true_length(now: str, night: int) -> None:
    found = labels(now, "Europe/Brussels")
    today = at(now).astimezone(ZoneInfo("Europe/Brussels"))
    midnight = [text for _, text in found].index(f"{today:%a} {today.day}")
    length = found[midnight + 1][0] - found[midnight][0]
    assert length == pytest.approx(night / 48 * 100, abs=0.011)


def test_a_day_without_midnight_begins_at_its_first_instant() -> None:
    """In that night the clocks in Chile were set from 00:00 to 01:00."""
    now, zone = "2024-09-08T12:00", "America/Santiago"
    begins = at("2024-09-08T04:00")
    assert begins.astimezone(ZoneInfo(zone)).hour == 1
    place = round(50 + (begins - at(now)) / timedelta(hours=48) * 100, 2)
    assert (place, "Sun 8") in labels(now, zone)


def test_labels_are_complete_and_unique_in_any_zone() -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Kolkata", "UTC"):
        for hour in range(24):
            now = datetime(2024, 1, 6, hour, 30, tzinfo=UTC)
            found = labels(now.isoformat(), zone)
            places = [x for x, _ in found]
            assert len(found) in (8, 9)
            assert places == sorted(set(places))
