"""Properties of every cron pattern, zone and instant.

Fire times are compared with a simple model that reads a local clock second by second. The model
does not share code with the schedule, and drawn patterns come with the numbers that they match.
"""

import functools
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from jobs.cron import CronError, Schedule, parse

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
MARGIN = 4500  # seconds read before and after a clock change

# slow examples: a third of the number that the profile asks for
LARGE = settings(deadline=None, max_examples=max(50, settings().max_examples // 3))

WEEKDAY = 5  # index of the field in which 0 and 7 are the same
LIMITS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = {
    4: {1: "jan", 2: "Feb", 3: "mar", 6: "JUN", 9: "sep", 12: "dec"},
    5: {0: "sun", 1: "MON", 2: "Tue", 3: "wed", 4: "thu", 5: "fri", 6: "sat"},
}
EVERY_DAY = set(range(1, 32))
EVERY_WEEKDAY = set(range(7))

CHANGES = [  # a zone, and when its clocks change, in UTC
    ("Europe/Brussels", "2026-03-29T01:00"),
    ("Europe/Brussels", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("Africa/Cairo", "2023-04-27T22:00"),
    ("Asia/Beirut", "2022-03-26T22:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Africa/Monrovia", "1972-01-07T00:44:30"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("UTC", "2026-03-29T01:00"),
]


class Pattern(NamedTuple):
    """A pattern, and the numbers that each of its six fields matches."""

    text: str
    values: list[set[int]]

    @property
    def once(self) -> bool:
        """Whether each local time is due once, also if it occurs twice."""
        minute, hour = self.text.split()[-5:-3]
        return not minute.startswith("*") and not hour.startswith("*")

    def matches(self, local: datetime) -> bool:
        """Return whether the pattern matches a local time."""
        seconds, minutes, hours, days, months, weekdays = self.values
        if local.month not in months or local.hour not in hours:
            return False
        if local.minute not in minutes or local.second not in seconds:
            return False
        by_day, by_weekday = local.day in days, local.isoweekday() % 7 in weekdays
        if days == EVERY_DAY or weekdays == EVERY_WEEKDAY:
            return by_day and by_weekday
        return by_day or by_weekday


def words(index: int, number: int) -> st.SearchStrategy[str]:
    """Draw a number as digits, with a leading zero, or as its name."""
    name = NAMES.get(index, {}).get(number, str(number))
    return st.sampled_from([str(number), f"{number:02}", name])


@st.composite
def items(draw: st.DrawFn, index: int) -> tuple[str, set[int]]:
    """Draw one list item of a field, and the numbers that it matches."""
    low, high = LIMITS[index]
    end = 6 if index == WEEKDAY else high
    first, last = sorted(draw(st.tuples(*[st.integers(low, high)] * 2)))
    step = draw(st.integers(1, high + 5))
    a, b = draw(words(index, first)), draw(words(index, last))
    choices = [
        ("*", range(low, end + 1)),
        (f"*/{step}", range(low, end + 1, step)),
        (a, range(first, first + 1)),
        (f"{a}/{step}", range(first, max(first, end) + 1, step)),
        (f"{a}-{b}", range(first, last + 1)),
        (f"{a}-{b}/{step}", range(first, last + 1, step)),
    ]
    text, numbers = draw(st.sampled_from(choices))
    return text, {number % 7 for number in numbers} if index == WEEKDAY else set(numbers)


@st.composite
def fields(draw: st.DrawFn, index: int) -> tuple[str, set[int]]:
    """Draw a field of one to three items."""
    texts, numbers = zip(*draw(st.lists(items(index), min_size=1, max_size=3)), strict=True)
    return ",".join(texts), set().union(*numbers)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Draw a pattern of five or six fields."""
    texts, values = zip(*[draw(fields(index)) for index in range(6)], strict=True)
    if draw(st.booleans()):
        return Pattern(" ".join(texts[1:]), [{0}, *values[1:]])
    return Pattern(" ".join(texts), [*values])


@st.composite
def daily_patterns(draw: st.DrawFn) -> Pattern:
    """Draw a pattern that matches every day, so that its hours matter."""
    pattern = draw(patterns())
    times = pattern.text.split()[:-3]
    every_month = set(range(1, 13))
    values = [*pattern.values[:3], EVERY_DAY, every_month, EVERY_WEEKDAY]
    return Pattern(" ".join([*times, "*", "*", "*"]), values)


def instants() -> st.SearchStrategy[datetime]:
    """Draw an instant from 1970 to 2200, in any zone."""
    start, end = datetime(1970, 1, 1), datetime(2200, 12, 31)  # noqa: DTZ001
    return st.datetimes(start, end, timezones=st.timezones())


def schedule_or_error(text: str, zone: ZoneInfo) -> Schedule | CronError:
    """Return the schedule of a text or its refusal; any other error fails the test."""
    try:
        return parse(text, zone)
    except CronError as error:
        return error


def schedule_of(pattern: Pattern, zone: ZoneInfo) -> Schedule:
    """Return the schedule of a drawn pattern; draw another one if its date never comes."""
    found = schedule_or_error(pattern.text, zone)
    if isinstance(found, CronError):
        assert "never comes" in found.problem, found
        reject()
    return found


class ClockReading(NamedTuple):
    """A reading of a local clock; `new` holds the local times reached for the first time."""

    instant: datetime
    local: datetime
    new: list[datetime]


@functools.cache
def readings(zone: str, change: str) -> list[ClockReading]:
    """Read a local clock each second around a clock change."""
    found: list[ClockReading] = []
    start = datetime.fromisoformat(change).replace(tzinfo=UTC) - MARGIN * SECOND
    furthest = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - SECOND
    for instant in (start + n * SECOND for n in range(2 * MARGIN)):
        local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        new = [local - n * SECOND for n in range((local - furthest) // SECOND)]
        found.append(ClockReading(instant, local, new))
        furthest = max(furthest, local)
    return found


def model_fire_times(pattern: Pattern, clock: list[ClockReading]) -> list[datetime]:
    """Return when a pattern is due according to the model."""
    if pattern.once:
        return [reading.instant for reading in clock if any(map(pattern.matches, reading.new))]
    return [reading.instant for reading in clock if pattern.matches(reading.local)]


@LARGE
@given(
    daily_patterns(),
    st.sampled_from(CHANGES),
    st.lists(st.integers(0, 2 * MARGIN - 1), min_size=5, max_size=5),
)
def test_fire_times_around_a_clock_change_equal_the_model(
    pattern: Pattern, change: tuple[str, str], probes: list[int]
) -> None:
    """Around a clock change, `next_after` and `latest` agree with the model."""
    schedule = schedule_of(pattern, ZoneInfo(change[0]))
    clock = readings(*change)
    fires = model_fire_times(pattern, clock)
    for probe in [MARGIN - 1, MARGIN, *probes]:
        now = clock[probe].instant
        index = bisect_right(fires, now)
        coming, newest = schedule.next_after(now), schedule.latest(now)
        assert coming == fires[index] if index < len(fires) else coming > clock[-1].instant
        assert newest == fires[index - 1] if index else newest < clock[0].instant


@LARGE
@given(patterns(), st.dates(date(1970, 1, 1), date(2200, 12, 31)))
def test_dates_equal_a_search_day_by_day(pattern: Pattern, today: date) -> None:
    """From midnight, `next_after` and `latest` agree with a search day by day."""
    schedule = schedule_of(pattern, ZoneInfo("UTC"))
    second, minute, hour = map(min, pattern.values[:3])
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    coming = midnight.replace(hour=hour, minute=minute, second=second)
    while not pattern.matches(coming):
        coming += DAY
    second, minute, hour = map(max, pattern.values[:3])
    newest = midnight.replace(hour=hour, minute=minute, second=second) - DAY
    while not pattern.matches(newest):
        newest -= DAY
    assert schedule.next_after(midnight - SECOND) == coming
    assert schedule.latest(midnight - SECOND) == newest


@LARGE
@given(patterns(), st.timezones(), instants())
def test_next_and_latest_agree(pattern: Pattern, zone: ZoneInfo, now: datetime) -> None:
    """There is no fire time between the latest one and the next one, in any zone."""
    schedule = schedule_of(pattern, zone)
    newest, coming = schedule.latest(now), schedule.next_after(now)
    assert newest.tzinfo is coming.tzinfo is UTC
    assert newest <= now.astimezone(UTC) < coming
    assert schedule.latest(newest) == schedule.latest(coming - MICROSECOND) == newest
    assert schedule.next_after(newest) == schedule.next_after(coming - MICROSECOND) == coming
    assert schedule.latest(coming) == coming


@settings(deadline=None)
@given(
    st.text() | st.text("0123456789*,-/ \t\n?LW#@sunjabdily_'\"", max_size=30),
    st.timezones(),
    instants(),
)
def test_any_text_is_refused_or_has_fire_times(text: str, zone: ZoneInfo, now: datetime) -> None:
    """Every text is either refused with a fix or has fire times."""
    found = schedule_or_error(text, zone)
    if isinstance(found, Schedule):
        assert found.latest(now) < found.next_after(now)
    else:
        assert str(found) == f"{found.problem}; {found.fix}"
        assert str(found).isascii()
        assert str(found).isprintable()
