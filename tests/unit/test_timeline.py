"""Where the shapes of a stream's picture lie, and what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from tests import reports
from tests.builders import at
from web import timeline
from web.report import JobStatus
from web.shapes import PADDING, ROW, Lane
from web.timeline import picture
from web.times import Wall

NOW = at("2024-01-06T06:00")
BRUSSELS = Wall(NOW, ZoneInfo("Europe/Brussels"))


def hours(number: float) -> datetime:
    """Return the instant so many hours from now."""
    return NOW + timedelta(hours=number)


def job(start: float, end: float, name: str = "a", status: Any = "success") -> Any:
    return reports.job(name, status, created=hours(start), modified=hours(end))


def lane(wall: Wall = BRUSSELS, **kind: Any) -> Lane:
    """Draw one kind."""
    return picture(reports.stream("public", reports.kind("dump", **kind)), wall).lanes[-1]


def spans(drawn: Lane) -> list[tuple[float, float]]:
    return [(bar.x, round(bar.x + bar.width, 2)) for bar in drawn.bars]


def rows(drawn: Lane) -> list[int]:
    return [(bar.y - drawn.y) // ROW for bar in drawn.bars]


def labels(now: str, zone: str) -> list[tuple[float, str]]:
    found = picture(reports.stream(), Wall(at(now), ZoneInfo(zone))).labels
    return [(label.x, label.says) for label in found]


# bars


def test_a_bar_reaches_from_when_a_job_was_created_to_its_last_sign_of_life() -> None:
    [bar] = lane(recent=(job(-12, -6),)).bars
    assert (bar.x, bar.width) == (25, 12.5)
    assert bar.says == (
        "success, Fri 19:00 to Sat 01:00 (6 h): http://redpencil.data.gift/id/job/a"
    )


def test_an_active_job_reaches_till_now_however_silent_it_is() -> None:
    silent = reports.active(created=hours(-6), modified=hours(-6))
    drawn = lane(active=(silent,), recent=(silent,))
    assert spans(drawn) == [(37.5, 50)]
    assert "Sat 01:00 to now (6 h)" in drawn.bars[0].says


def test_bars_end_where_the_picture_does() -> None:
    assert spans(lane(active=(reports.active(created=hours(-100)),))) == [(0, 50)]
    assert spans(lane(recent=(job(-30, -12),))) == [(0, 25)]
    assert spans(lane(recent=(job(12, 30),))) == [(75, 100)]


def test_what_is_over_before_the_picture_begins_is_not_in_it() -> None:
    assert lane(recent=(job(-30, -25), job(25, 26, "b"))).bars == ()


@pytest.mark.parametrize(("start", "x"), [(-24, 0), (-12, 25), (0, 49.6), (12, 75), (24, 99.6)])
def test_a_short_job_is_seen_and_stays_on_its_side_of_now(start: float, x: float) -> None:
    assert spans(lane(recent=(job(start, start),))) == [(x, round(x + timeline.THINNEST, 2))]


def test_a_job_that_is_modified_before_it_is_created_is_a_short_one() -> None:
    assert spans(lane(recent=(job(-12, -13),))) == [(25, 25.4)]


def test_a_job_lies_where_any_of_its_dates_is_and_without_one_nowhere() -> None:
    undated = reports.job(created=None, modified=hours(-12))
    assert spans(lane(recent=(undated,))) == [(25, 25.4)]
    assert lane(recent=(reports.job(created=None, modified=None),)).bars == ()
    open_end = reports.job(created=hours(-12), modified=None)
    assert spans(lane(recent=(open_end,))) == [(25, 25.4)]


def test_jobs_that_run_at_one_time_lie_below_each_other() -> None:
    drawn = lane(recent=(job(-9, -5, "a"), job(-8, -6, "b"), job(-5, -4, "c")))
    assert rows(drawn) == [0, 1, 0]
    assert drawn.rows == 2


def test_when_the_rows_are_full_jobs_cover_each_other() -> None:
    drawn = lane(recent=tuple(job(-9 + n, -1 - n / 10, str(n)) for n in range(5)))
    assert rows(drawn) == [0, 1, 2, 2, 2]
    assert drawn.height == 3 * ROW + PADDING


def test_each_status_has_a_look_of_its_own_beside_its_colour() -> None:
    statuses = get_args(JobStatus)
    found = tuple(job(-20 + n, -19.5 + n, s, s) for n, s in enumerate(statuses))
    bars = lane(recent=found).bars
    assert [bar.look for bar in bars] == list(statuses)
    heights = {bar.look: bar.height for bar in bars}
    assert heights["failed"] > heights["success"] > heights["canceled"]


def test_a_stuck_job_looks_so_and_says_why() -> None:
    [bar] = lane(active=(reports.active(trouble=reports.trouble()),)).bars
    assert bar.look == "busy stuck"
    assert bar.says.startswith("stuck, no sign of life: busy, ")


def test_lanes_lie_below_each_other_and_make_up_the_height() -> None:
    crowd = reports.kind("healing", recent=(job(-9, -5, "a"), job(-8, -6, "b")))
    drawn = picture(reports.stream("public", crowd), BRUSSELS)
    assert [lane.kind.kind for lane in drawn.lanes] == ["initial-sync", "healing", "dump"]
    assert [lane.y for lane in drawn.lanes] == [20, 46, 90]
    assert drawn.height == 116
    for found in drawn.lanes:
        for bar in found.bars:
            assert found.y <= bar.y
            assert bar.y + bar.height <= found.y + found.height


# ticks


def test_a_mark_lies_where_a_tick_is_due() -> None:
    marks = lane(coming=(hours(0), hours(6), hours(24), hours(25), hours(-1))).marks
    assert [(mark.x, mark.says) for mark in marks] == [
        (50, "due Sat 07:00"),
        (62.5, "due Sat 13:00"),
        (100, "due Sun 07:00"),
    ]


def test_a_tick_that_passed_without_a_job_is_a_gap() -> None:
    passed = tuple(hours(n) for n in (-12, -9, -6, -3))
    done = (job(-12, -11, "a"), job(-5.9, -5, "late"))
    running = reports.active(created=hours(-3))
    drawn = lane(passed=passed, recent=done, active=(running,))
    assert [(gap.x, gap.says) for gap in drawn.gaps] == [(31.25, "was due Fri 22:00: no job")]
    assert [gap.x for gap in lane(passed=passed).gaps] == [25, 31.25, 37.5, 43.75]


def test_no_gap_is_seen_where_jobs_are_not_known() -> None:
    passed = tuple(hours(-n / 2) for n in range(47, 0, -1))
    full = tuple(job(-12 + n / 10, -12 + n / 10, str(n)) for n in range(100))
    assert min(gap.x for gap in lane(passed=passed, recent=full).gaps) > 25
    dump = reports.kind("dump", passed=passed)
    drawn = picture(reports.stream("public", dump), BRUSSELS, jobs_known=False)
    assert [found.gaps for found in drawn.lanes] == [()] * 3


def test_two_kinds_that_are_due_at_once_clash() -> None:
    healing = reports.kind("healing", coming=(hours(3), hours(6)))
    dump = reports.kind("dump", coming=(hours(6), hours(9)))
    drawn = picture(reports.stream("public", healing, dump), BRUSSELS)
    [clash] = drawn.clashes
    assert clash.x == 62.5
    assert clash.says == "healing and dump are due at once, Sat 13:00: one waits for the other"
    assert (clash.top, clash.bottom) == (drawn.lanes[1].middle, drawn.lanes[2].middle)


# what is not known


def test_without_the_store_the_past_is_veiled_not_empty() -> None:
    drawn = picture(reports.stream(), BRUSSELS, jobs_known=False)
    for found in drawn.lanes:
        [veil] = found.veils
        assert (veil.x, veil.width, veil.y, veil.height) == (0, 50, found.y, found.height)
        assert veil.says == "not known: the store does not answer"


def test_what_a_full_list_leaves_out_is_veiled() -> None:
    recent = tuple(job(-12 + n / 10, -12 + n / 10, str(n)) for n in range(100))
    coming = tuple(hours(n / 10) for n in range(1, 101))
    drawn = lane(recent=recent, coming=coming)
    assert [(veil.x, veil.width) for veil in drawn.veils] == [(0, 25), (70.83, 29.17)]
    assert (len(drawn.bars), len(drawn.marks)) == (100, 100)
    assert lane(recent=recent[1:], coming=coming[1:]).veils == ()


# hours


def test_every_sixth_hour_is_labelled_in_the_zone_and_a_day_begins_with_its_name() -> None:
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


def test_labels_on_the_very_edges_are_there() -> None:
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
def test_a_night_is_as_long_as_it_is(now: str, night: int) -> None:
    found = labels(now, "Europe/Brussels")
    today = at(now).astimezone(ZoneInfo("Europe/Brussels"))
    midnight = [says for _, says in found].index(f"{today:%a} {today.day}")
    length = found[midnight + 1][0] - found[midnight][0]
    assert length == pytest.approx(night / 48 * 100, abs=0.011)


def test_a_day_whose_midnight_is_skipped_begins_when_it_does() -> None:
    """In Chile the clocks of that night went from 23:59 on to 01:00."""
    now, zone = "2024-09-08T12:00", "America/Santiago"
    begins = at("2024-09-08T04:00")
    assert begins.astimezone(ZoneInfo(zone)).hour == 1
    place = round(50 + (begins - at(now)) / timedelta(hours=48) * 100, 2)
    assert (place, "Sun 8") in labels(now, zone)


def test_no_label_is_left_out_or_given_twice_in_any_zone() -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Niue", "Asia/Kolkata", "UTC"):
        for hour in range(24):
            now = datetime(2024, 1, 6, hour, 30, tzinfo=UTC)
            found = labels(now.isoformat(), zone)
            places = [x for x, _ in found]
            assert len(found) in (8, 9)
            assert places == sorted(set(places))
