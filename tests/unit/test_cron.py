"""Cron patterns: their meaning, their refusal with a fix, and clock changes."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, product
from zoneinfo import ZoneInfo

import pytest

from jobs.cron import CronError, parse

BRUSSELS = "Europe/Brussels"
LORD_HOWE = "Australia/Lord_Howe"
SAO_PAULO = "America/Sao_Paulo"


def due(pattern: str, zone: str, start: str, count: int) -> list[str]:
    """Return the fire times after a start, as local times with their offset."""
    schedule = parse(pattern, ZoneInfo(zone))
    fires = list(islice(schedule.fire_times(datetime.fromisoformat(start)), count))
    assert [schedule.latest(fire) for fire in fires] == fires
    return [fire.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") for fire in fires]


def days(pattern: str, start: str, count: int) -> list[str]:
    """Return the dates of the fire times after a start, in UTC, with their day of the week."""
    fires = due(pattern, "UTC", f"{start}T00:00Z", count)
    return [f"{datetime.fromisoformat(fire):%a %Y-%m-%d}" for fire in fires]


def refusal(pattern: str) -> CronError:
    """Return the error of a pattern that is refused."""
    with pytest.raises(CronError) as caught:
        parse(pattern, UTC)
    return caught.value


# what a pattern means


def test_weekday_6_is_saturday() -> None:
    """A dump on day 6 runs on Saturday, as in the Node service, and not on Sunday."""
    assert days("0 0 6 * * 6", "2024-01-01", 2) == ["Sat 2024-01-06", "Sat 2024-01-13"]


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN", "Sun", "07", "7-7", "7/2", "*/7"])
def test_weekdays_0_and_7_are_sunday(weekday: str) -> None:
    """Sunday has two numbers."""
    assert days(f"0 0 * * {weekday}", "2024-01-01", 2) == ["Sun 2024-01-07", "Sun 2024-01-14"]


@pytest.mark.parametrize("weekdays", ["5-7", "fri-7", "5,6,0", "fri,sat,sun", "5/1,sun"])
def test_a_weekend_may_end_on_7(weekdays: str) -> None:
    """A range that ends at 7 ends on Sunday."""
    expected = ["Fri 2024-01-05", "Sat 2024-01-06", "Sun 2024-01-07", "Fri 2024-01-12"]
    assert days(f"0 0 * * {weekdays}", "2024-01-01", 4) == expected


def test_a_step_from_a_weekday_ends_on_saturday() -> None:
    """mon/2 does not include Sunday as day 7, because Sunday is day 0."""
    expected = ["Mon 2024-01-08", "Wed 2024-01-10", "Fri 2024-01-12", "Mon 2024-01-15"]
    assert days("0 0 * * mon/2", "2024-01-06", 4) == expected


@pytest.mark.parametrize("month", ["1", "01", "0001", "jan", "Jan", "JAN"])
def test_month_1_is_january(month: str) -> None:
    """Months start at 1 and have names."""
    assert days(f"0 0 1 {month} *", "2024-01-15", 1) == ["Wed 2025-01-01"]


def test_day_of_month_or_day_of_week() -> None:
    """If both are restricted, one of them is enough."""
    assert days("0 0 13 * 5", "2024-01-01", 3) == [
        "Fri 2024-01-05",
        "Fri 2024-01-12",
        "Sat 2024-01-13",
    ]


def test_a_star_with_a_step_restricts() -> None:
    """*/2 or Monday: a star in front does not turn the OR into an AND."""
    assert days("0 0 */2 * 1", "2024-01-05", 3) == [
        "Sun 2024-01-07",
        "Mon 2024-01-08",
        "Tue 2024-01-09",
    ]


@pytest.mark.parametrize("everything", ["*", "*/1", "0-6", "1-7", "0-7", "0/1", "sun-sat"])
def test_every_weekday_restricts_nothing(everything: str) -> None:
    """With all days of the week listed, only the 13th matches."""
    assert days(f"0 0 13 * {everything}", "2024-01-01", 2) == ["Sat 2024-01-13", "Tue 2024-02-13"]


@pytest.mark.parametrize("everything", ["*", "*/1", "1-31", "1/1", "1-15,16-31"])
def test_every_day_of_the_month_restricts_nothing(everything: str) -> None:
    """With all days of the month listed, only Fridays match."""
    assert days(f"0 0 {everything} * 5", "2024-01-01", 2) == ["Fri 2024-01-05", "Fri 2024-01-12"]


def test_five_fields_run_at_second_zero() -> None:
    """A pattern without seconds runs at second 0."""
    assert due("20 05 * * *", "UTC", "2024-01-01T05:19:59Z", 1) == ["2024-01-01T05:20:00+00:00"]


def test_six_fields_begin_with_seconds() -> None:
    """The first of six fields holds the seconds, as in the Node service."""
    expected = ["2024-01-01T00:00:15+00:00", "2024-01-01T00:00:30+00:00"]
    assert due("0/15 * * * * *", "UTC", "2024-01-01T00:00:00Z", 2) == expected


def test_a_step_on_a_single_value_range_is_that_value() -> None:
    """5-5/2 is 5; only 5/2 without a range goes on to the end of the field."""
    assert due("5-5/2 * * * *", "UTC", "2024-01-01T00:00Z", 2) == [
        "2024-01-01T00:05:00+00:00",
        "2024-01-01T01:05:00+00:00",
    ]


def test_a_step_larger_than_the_field_leaves_its_first_value() -> None:
    """*/100 is unusual but has one clear meaning."""
    for step in ["*/100", "*/0100", "*/9999"]:
        fires = due(f"{step} * * * *", "UTC", "2024-01-01T00:00Z", 1)
        assert fires == ["2024-01-01T01:00:00+00:00"]


@pytest.mark.parametrize(
    ("nickname", "fields"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@Hourly", "0 * * * *"),
    ],
)
def test_nicknames_stand_for_fields(nickname: str, fields: str) -> None:
    """A nickname is due when its fields are due, also around clock changes."""
    start = "2026-10-24T22:30Z"
    assert due(nickname, BRUSSELS, start, 9) == due(fields, BRUSSELS, start, 9)


def test_white_space_around_and_between_fields_does_not_matter() -> None:
    """Tabs, double spaces and the newline of a YAML block are accepted."""
    start = "2024-01-01T00:00Z"
    assert due(" 20\t05  * * *\r\n", "UTC", start, 3) == due("20 05 * * *", "UTC", start, 3)


# What \s matches in JavaScript, and U+0085, which other languages count as a space
SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_every_space_of_unicode_separates_fields(space: str) -> None:
    """The Node service read them so; they come from pages and chats."""
    pattern = f"{space}0{space}0 4{space}{space}* * 6{space}"
    assert parse(pattern, UTC) == parse("0 0 4  * * 6", UTC)
    assert parse(f"{space}@daily{space}", UTC).pattern == "@daily"


def test_29_february_waits_for_the_leap_year() -> None:
    """The longest possible wait is eight years, because 2100 has no 29 February."""
    assert days("0 0 29 2 *", "2096-03-01", 1) == ["Fri 2104-02-29"]
    schedule = parse("0 0 29 2 *", UTC)
    newest = schedule.latest(datetime(2104, 2, 28, tzinfo=UTC))
    assert newest == datetime(2096, 2, 29, tzinfo=UTC)


def test_a_date_that_exists_in_some_months_is_accepted() -> None:
    """Day 30 of January and February exists in January; day 1 or 30 of February is day 1."""
    assert days("0 0 30 1,2 *", "2027-01-31", 1) == ["Sun 2028-01-30"]
    assert days("0 0 1,30 2 *", "2027-02-02", 1) == ["Tue 2028-02-01"]


def test_a_weekday_makes_a_date_that_never_comes_acceptable() -> None:
    """30 February or Monday means every Monday in February."""
    assert days("0 0 30 2 1", "2027-01-01", 2) == ["Mon 2027-02-01", "Mon 2027-02-08"]


# schedules


def test_a_schedule_is_a_value() -> None:
    """Schedules with the same pattern and zone are equal, have the same hash and can be pickled."""
    schedule = parse("0 0 * * *", ZoneInfo(BRUSSELS))
    assert schedule == parse("0 0 * * *", ZoneInfo(BRUSSELS))
    assert len({schedule, parse("0 0 * * *", ZoneInfo(BRUSSELS)), parse("@daily", UTC)}) == 2
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301
    assert (schedule.pattern, schedule.zone) == ("0 0 * * *", ZoneInfo(BRUSSELS))


def test_the_repr_of_a_schedule_shows_pattern_and_zone_only() -> None:
    """The fields for cronsim are an internal detail."""
    expected = "Schedule(pattern='@daily', zone=datetime.timezone.utc)"
    assert repr(parse("@daily", UTC)) == expected


def test_naive_instants_are_refused() -> None:
    """A naive time would be taken as a time in the zone of the machine."""
    naive = datetime(2024, 1, 1)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(ValueError, match="aware datetime"):
        parse("@daily", UTC).next_after(naive)
    with pytest.raises(ValueError, match="aware datetime"):
        parse("@daily", UTC).latest(naive)


def test_answers_are_in_utc() -> None:
    """The zone of the argument does not matter."""
    schedule = parse("0 0 * * *", ZoneInfo(BRUSSELS))
    now = datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=-5)))
    assert schedule.next_after(now).isoformat() == "2024-01-01T23:00:00+00:00"
    assert schedule.latest(now).isoformat() == "2023-12-31T23:00:00+00:00"


def test_next_is_strictly_after_and_latest_includes_the_instant() -> None:
    """One microsecond decides whether an instant is before or after a fire time."""
    schedule = parse("0 0 * * *", UTC)
    midnight, moment = datetime(2024, 1, 2, tzinfo=UTC), timedelta(microseconds=1)
    tomorrow, yesterday = midnight + timedelta(days=1), midnight - timedelta(days=1)
    assert schedule.next_after(midnight - moment) == midnight
    assert schedule.next_after(midnight) == schedule.next_after(midnight + moment) == tomorrow
    assert schedule.latest(midnight - moment) == yesterday
    assert schedule.latest(midnight) == schedule.latest(midnight + moment) == midnight


@pytest.mark.parametrize("year", [1970, 2200])
@pytest.mark.parametrize("zone", [BRUSSELS, LORD_HOWE, "UTC", "Pacific/Apia"])
def test_far_years_are_answered(zone: str, year: int) -> None:
    """A wrong system clock does not stop the scheduler."""
    schedule = parse("0 0 29 2 *", ZoneInfo(zone))
    now = datetime(year, 1, 1, tzinfo=UTC)
    assert schedule.latest(now) < now < schedule.next_after(now)


# clock changes: in Brussels, 02:00 to 03:00 is skipped on 2026-03-29 and repeated on 2026-10-25


def test_times_in_the_gap_run_once_at_its_end() -> None:
    """Three skipped runs become one, at second zero."""
    assert due("30 0,20,40 2 * * *", BRUSSELS, "2026-03-28T12:00+01:00", 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:30+02:00",
        "2026-03-30T02:20:30+02:00",
    ]


def test_the_end_of_the_gap_is_not_due_twice() -> None:
    """The skipped 02:00 and 03:00 itself are one run."""
    assert due("0 2,3 * * *", BRUSSELS, "2026-03-28T12:00+01:00", 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
        "2026-03-30T03:00:00+02:00",
    ]


def test_repeated_local_times_run_once_at_their_first_occurrence() -> None:
    """A healing at 02:30 runs once in the night in which 02:30 occurs twice."""
    assert due("30 2 * * *", BRUSSELS, "2026-10-25T00:00+02:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_runs_of_the_first_occurrence_are_not_repeated_at_the_second() -> None:
    """During the second occurrence of 02:10, the latest run is 02:45 at its first occurrence."""
    schedule = parse("15,45 2,3 * * *", ZoneInfo(BRUSSELS))
    second_0210 = datetime.fromisoformat("2026-10-25T02:10+01:00")
    assert schedule.next_after(second_0210) == datetime.fromisoformat("2026-10-25T03:15+01:00")
    assert schedule.latest(second_0210) == datetime.fromisoformat("2026-10-25T02:45+02:00")


def test_a_star_follows_elapsed_time_through_the_gap() -> None:
    """There is one run in each hour of elapsed time."""
    assert due("42 * * * *", BRUSSELS, "2026-03-29T01:00+01:00", 2) == [
        "2026-03-29T01:42:00+01:00",
        "2026-03-29T03:42:00+02:00",
    ]


def test_a_star_follows_elapsed_time_through_the_overlap() -> None:
    """There is one run in each hour of elapsed time, so 02:42 has two."""
    assert due("42 * * * *", BRUSSELS, "2026-10-25T01:00+02:00", 4) == [
        "2026-10-25T01:42:00+02:00",
        "2026-10-25T02:42:00+02:00",
        "2026-10-25T02:42:00+01:00",
        "2026-10-25T03:42:00+01:00",
    ]


def test_the_latest_run_of_a_star_can_be_at_a_first_occurrence() -> None:
    """At the second 02:10, the latest run is the first 02:42."""
    schedule = parse("42 * * * *", ZoneInfo(BRUSSELS))
    newest = schedule.latest(datetime.fromisoformat("2026-10-25T02:10+01:00"))
    assert newest == datetime.fromisoformat("2026-10-25T02:42+02:00")


def test_a_star_in_the_minutes_alone_follows_elapsed_time() -> None:
    """`*/20 2` does not run in a skipped hour, and runs through both occurrences of an hour."""
    assert due("*/20 2 * * *", BRUSSELS, "2026-03-28T12:00+01:00", 1) == [
        "2026-03-30T02:00:00+02:00"
    ]
    assert due("*/20 2 * * *", BRUSSELS, "2026-10-25T00:00+02:00", 7)[2:5] == [
        "2026-10-25T02:40:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:20:00+01:00",
    ]


def test_five_and_six_fields_behave_alike_at_clock_changes() -> None:
    """A seconds field makes no difference."""
    for start, pattern in product(
        ["2026-03-29T00:30+01:00", "2026-10-25T00:30+02:00"], ["30 2 * * *", "30 * * * *"]
    ):
        assert due(pattern, BRUSSELS, start, 6) == due(f"0 {pattern}", BRUSSELS, start, 6)


def test_only_a_star_at_the_beginning_of_a_field_counts() -> None:
    """0-59 matches the same minutes as *, but each local time is due once."""
    start = "2026-10-25T02:59+02:00"
    assert due("0-59 0-23 * * *", BRUSSELS, start, 1) == ["2026-10-25T03:00:00+01:00"]
    assert due("* * * * *", BRUSSELS, start, 1) == ["2026-10-25T02:00:00+01:00"]


def test_half_an_hour_is_skipped() -> None:
    """On Lord Howe Island the clocks go forward from 02:00 to 02:30."""
    assert due("15 2 * * *", LORD_HOWE, "2026-10-03T12:00+10:30", 2) == [
        "2026-10-04T02:30:00+11:00",
        "2026-10-05T02:15:00+11:00",
    ]


def test_half_an_hour_is_repeated() -> None:
    """On Lord Howe Island the clocks go back from 02:00 to 01:30."""
    start = "2026-04-05T01:00+11:00"
    assert due("45 1 * * *", LORD_HOWE, start, 2) == [
        "2026-04-05T01:45:00+11:00",
        "2026-04-06T01:45:00+10:30",
    ]
    assert due("45 * * * *", LORD_HOWE, start, 3) == [
        "2026-04-05T01:45:00+11:00",
        "2026-04-05T01:45:00+10:30",
        "2026-04-05T02:45:00+10:30",
    ]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (SAO_PAULO, "2018-11-03T12:00-03:00", "2018-11-04T01:00:00-02:00"),
        ("Africa/Cairo", "2023-04-27T12:00+02:00", "2023-04-28T01:00:00+03:00"),
        ("Asia/Beirut", "2022-03-26T12:00+02:00", "2022-03-27T01:00:00+03:00"),
    ],
)
@pytest.mark.parametrize("pattern", ["0 0 * * *", "0 0 0 * * *", "@daily"])
def test_midnight_is_not_lost_where_it_is_skipped(
    pattern: str, zone: str, start: str, expected: str
) -> None:
    """The default pattern runs at 01:00 on a day that begins then."""
    assert due(pattern, zone, start, 1) == [expected]


def test_the_last_hour_of_a_day_is_repeated() -> None:
    """In Sao Paulo midnight was put back to 23:00, so 23:30 occurred twice and midnight once."""
    start = "2018-02-17T12:00-02:00"
    assert due("0 0 * * *", SAO_PAULO, start, 1) == ["2018-02-18T00:00:00-03:00"]
    assert due("30 23 * * *", SAO_PAULO, start, 2) == [
        "2018-02-17T23:30:00-02:00",
        "2018-02-18T23:30:00-03:00",
    ]


def test_a_whole_day_is_skipped() -> None:
    """Samoa had no 30 December 2011; the runs of that day were due when the 31st began."""
    start = "2011-12-29T12:00-10:00"
    assert due("0 6,18 * * *", "Pacific/Apia", start, 3) == [
        "2011-12-29T18:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
        "2011-12-31T06:00:00+14:00",
    ]
    assert due("0 */12 * * *", "Pacific/Apia", start, 1) == ["2011-12-31T00:00:00+14:00"]


def test_a_star_does_not_run_on_dates_whose_hour_is_skipped() -> None:
    """Damascus skipped the first hour of 1 April for years, so the next run is years later."""
    start = "1999-05-01T00:00+03:00"
    assert due("*/30 0 1 4 *", "Asia/Damascus", start, 1) == ["2007-04-01T00:00:00+03:00"]
    schedule = parse("*/30 0 1 4 *", ZoneInfo("Asia/Damascus"))
    newest = schedule.latest(datetime(2006, 6, 1, tzinfo=UTC))
    assert newest.year < 1999


def test_utc_has_no_changes() -> None:
    """In UTC there is one run on each day of the year."""
    schedule = parse("30 2 * * *", UTC)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for day in range(365):
        now = schedule.next_after(now)
        assert now == datetime(2026, 1, 1, 2, 30, tzinfo=UTC) + timedelta(days=day)


# refusals and their fixes


FIELDS = ["second", "minute", "hour", "day of month", "month", "day of week"]
TOO_LARGE = ["60", "60", "24", "32", "13", "8"]
NOT_CRON = "? x L LW 15W 5L 6#2 -1 1- *-5 ** 1-2-3 1/2/3 */ /5 1..5 1;2 +1 1.5 0x1 1_0 1, , 1,,2 *5"
TOO_LONG = ["00001", "99999", "9" * 500]


def pattern_with(value: str, index: int) -> str:
    """Return a pattern of six fields with a value in one of them."""
    fields = ["0", "0", "0", "1", "1", "*"]
    fields[index] = value
    return " ".join(fields)


@pytest.mark.parametrize(("index", "value"), [*product(range(6), NOT_CRON.split())])
def test_what_is_not_cron_is_refused(index: int, value: str) -> None:
    """The message has the field and the value, and the fix shows what is allowed."""
    error = refusal(pattern_with(value, index))
    assert error.problem == f'{FIELDS[index]} "{value}" is not understood'
    assert error.fix.split()[0] in {"use", "write", "L,"}


@pytest.mark.parametrize(("index", "largest"), [*enumerate(TOO_LARGE)])
def test_numbers_out_of_range_are_refused(index: int, largest: str) -> None:
    """The message has the number and the allowed ones, also for lists, ranges and steps."""
    for shape in ["{}", "1,{}", "1-{}", "{}-1", "{}/2", "1-{}/2"]:
        error = refusal(pattern_with(shape.format(largest), index))
        assert error.problem.startswith(f'{FIELDS[index]} "{largest}" is not one of ')
        assert f"-{int(largest) - 1}" in error.problem
        assert f"-{int(largest) - 1}, " in error.fix


def test_day_of_month_0_is_refused() -> None:
    """Days of the month start at 1."""
    assert refusal("0 0 0 * *").problem == 'day of month "0" is not one of 1-31'


@pytest.mark.parametrize(("index", "value"), [*product(range(6), TOO_LONG)])
def test_long_numbers_are_refused_in_a_short_message(index: int, value: str) -> None:
    """A number of five digits or more is a mistake, whatever its value."""
    error = refusal(pattern_with(value, index))
    assert error.problem.startswith(f'{FIELDS[index]} "{value[:30]}')
    assert len(str(error)) < 150


@pytest.mark.parametrize(
    ("index", "value"), [*product(range(6), ["*/0", "1-5/00", "2/0", "*/10000"])]
)
def test_steps_of_zero_or_five_digits_are_refused(index: int, value: str) -> None:
    """Step 0 would never end, and a step of five digits is a mistake."""
    error = refusal(pattern_with(value, index))
    assert error.problem == f'{FIELDS[index]} "{value}" is not a step'
    assert error.fix.startswith("write a step from 1 to ")


@pytest.mark.parametrize(
    ("pattern", "problem", "fix"),
    [
        ("0 22-3 * * *", 'hour "22-3" runs backwards', "write 22-23,0-3"),
        ("0 23-0/2 * * *", 'hour "23-0/2" runs backwards', "write 23,0"),
        ("0 0 * * sat-sun", 'day of week "sat-sun" runs backwards', "write 6-7,0"),
        ("0 0 * * 6-1", 'day of week "6-1" runs backwards', "write 6-7,0-1"),
        ("0 0 1 Nov-Feb *", 'month "Nov-Feb" runs backwards', "write 11-12,1-2"),
    ],
)
def test_ranges_that_run_backwards_are_refused(pattern: str, problem: str, fix: str) -> None:
    """The fix is the same range in two parts, and it is accepted."""
    error = refusal(pattern)
    assert (error.problem, error.fix) == (problem, fix)
    parse(pattern.replace(problem.split('"')[1], fix.removeprefix("write ")), UTC)


@pytest.mark.parametrize(
    ("months", "names"),
    [
        ("0", "jan"),
        ("00", "jan"),
        ("0,6", "jan,jul"),
        ("0-11", "jan-dec"),
        ("0/3", "jan/3"),
        ("11,0", "dec,jan"),
        ("10-11/1,0", "nov-dec/1,jan"),
        ("12,0", "12,jan"),
    ],
)
def test_month_0_is_refused_with_the_months_by_name(months: str, names: str) -> None:
    """The Node service counted months from 0; the fix shows what the pattern meant there."""
    fix = f"the Node service counted 0-11: write {names}"
    assert str(refusal(f"0 0 0 1 {months} *")) == f"months are 1-12; {fix}"


@pytest.mark.parametrize(
    ("pattern", "field", "value", "name"),
    [
        ("0 0 * * sunday", "day of week", "sunday", "sun"),
        ("0 0 * * Thurs", "day of week", "Thurs", "thu"),
        ("0 0 * * mon-Friday", "day of week", "Friday", "fri"),
        ("0 0 1 january *", "month", "january", "jan"),
        ("0 0 1 April *", "month", "April", "apr"),
    ],
)
def test_full_names_are_refused(pattern: str, field: str, value: str, name: str) -> None:
    """The fix is the name of three letters."""
    assert str(refusal(pattern)) == f'{field} "{value}" is not understood; write {name}'


@pytest.mark.parametrize("value", ["L", "LW", "15W", "6L", "friL", "6#2", "fri#2"])
def test_quartz_syntax_is_refused_as_such(value: str) -> None:
    """The fix names Quartz and shows what is allowed."""
    fix = "L, W and # are Quartz's, not cron's: use 0-7, sun-sat, *, a,b, a-b or */n"
    assert refusal(f"0 0 * * {value}").fix == fix


def test_a_question_mark_becomes_a_star() -> None:
    """Quartz uses a question mark where cron uses a star."""
    assert refusal("0 0 0 ? * 6").fix == "write * where any day will do"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_in_a_pattern_are_refused(quote: str) -> None:
    """In the list form of docker-compose variables, quotes become part of the value."""
    assert refusal(f"{quote}0 0 0 * * *{quote}").fix == "remove the quotes"


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 field"), *((count, f"{count} fields") for count in (2, 3, 4, 8))]
)
def test_other_counts_of_fields_are_refused(count: int, text: str) -> None:
    """A pattern has five or six fields."""
    error = refusal(" ".join("*" * count))
    assert error.problem == f"the pattern has {text}"
    assert error.fix == "write 6 (second minute hour day month weekday) or the last 5"


@pytest.mark.parametrize(
    ("pattern", "more"),
    [("0 30 4 * * * 2024", ""), ("30 9 8-18/2 ? * MON-FRI *", ", and write * for ?")],
)
def test_the_seven_fields_of_quartz_are_refused_with_what_to_change(
    pattern: str, more: str
) -> None:
    error = refusal(pattern)
    assert error.problem == "the pattern has 7 fields"
    assert error.fix == f"drop the last field, Quartz's year{more}"


@pytest.mark.parametrize("pattern", ["", " ", "\t\n"])
def test_an_empty_pattern_is_refused(pattern: str) -> None:
    """An empty text is not a schedule."""
    assert refusal(pattern).problem == "the pattern is empty"


@pytest.mark.parametrize("character", ["\0", "\x1c", "\x7f", "\u200b", "\u0663"])
def test_characters_that_resemble_ascii_are_refused(character: str) -> None:
    """Other digits, invisible and control characters are shown by their code."""
    error = refusal(f"0 {character} * * *")
    assert f'"\\u{ord(character):04x}"' in error.problem
    assert str(error).isascii()
    assert str(error).isprintable()
    assert error.fix.startswith("type it again")


def test_long_patterns_are_refused() -> None:
    """The limit leaves room for a pattern that lists every value."""
    every_value = " ".join(",".join(map(str, range(60))) for _ in range(2)) + " * * * *"
    parse(every_value, UTC)
    parse("1," * 495 + "01 * * * *", UTC)
    error = refusal("1," * 495 + "001 * * * *")
    assert str(error) == "the pattern has 1001 characters; write at most 1000"


@pytest.mark.parametrize(
    ("nickname", "fix"),
    [
        ("@midnight", "write @daily"),
        ("@annually", "write @yearly"),
        ("@weekdays", "write 0 0 * * 1-5"),
        ("@weekends", "write 0 0 * * 0,6"),
        ("@minutely", "write * * * * *"),
        ("@secondly", "write * * * * * *"),
        ("@reboot", "write a time: at its start the service can only run the initial sync"),
        ("@noon", "write fields or one of @yearly @monthly @weekly @daily @hourly"),
        ("@every 5m", "write fields or one of @yearly @monthly @weekly @daily @hourly"),
    ],
)
def test_nicknames_of_other_programs_are_refused(nickname: str, fix: str) -> None:
    """The fix is the pattern with the same meaning."""
    assert str(refusal(nickname)) == f'the nickname "{nickname}" is not known; {fix}'


@pytest.mark.parametrize(
    ("pattern", "problem", "longest"),
    [
        ("0 0 30 2 *", 'day of month "30" never comes in month "feb"', 29),
        ("0 0 0 31 2 0-7", 'day of month "31" never comes in month "feb"', 29),
        ("0 0 30,31 2 *", 'day of month "30" never comes in month "feb"', 29),
        ("0 0 31 4,6,9,11 *", 'day of month "31" never comes in month "apr,jun,sep,nov"', 30),
    ],
)
def test_dates_that_never_come_are_refused(pattern: str, problem: str, longest: int) -> None:
    """The fix is the last day that exists."""
    error = refusal(pattern)
    assert error.problem == problem
    assert error.fix == f"write a day of month up to {longest}, or other months"


LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(("month", "day"), [*enumerate(LONGEST, start=1)])
def test_the_last_day_of_each_month_comes(month: int, day: int) -> None:
    """The last day of each month is accepted, and the day after it is refused."""
    fires = due(f"0 0 {day} {month} *", "UTC", "2024-01-01T00:00Z", 1)
    assert fires == [f"2024-{month:02}-{day}T00:00:00+00:00"]
    assert refusal(f"0 0 {day + 1} {month} *").fix


def test_an_error_is_a_value_error_that_can_be_pickled() -> None:
    """Problem and fix stay separate, so that messages can be built from them."""
    error = refusal("0 0 * * 8")
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (copy.problem, copy.fix) == (error.problem, error.fix)
