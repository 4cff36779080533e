"""What holds for every cron pattern, zone and instant.

The judge is a clock on the wall that is read second by second. It knows nothing of how fire times
are computed, and the patterns that it judges come with the numbers that they stand for.
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
MARGIN = 4500  # seconds read before and after a change of the clocks

# examples that take milliseconds each: a third of what the profile asks for
LARGE = settings(deadline=None, max_examples=max(50, settings().max_examples // 3))

WEEKDAY = 5  # index of the field in which 0 and 7 are one
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
    """A pattern, and the numbers that each of its six fields stands for."""

    text: str
    values: list[set[int]]

    @property
    def once(self) -> bool:
        """Whether each local time is due once, however often the clock shows it."""
        minute, hour = self.text.split()[-5:-3]
        return not minute.startswith("*") and not hour.startswith("*")

    def has(self, wall: datetime) -> bool:
        """Whether the pattern holds a local time."""
        seconds, minutes, hours, days, months, weekdays = self.values
        if wall.month not in months or wall.hour not in hours:
            return False
        if wall.minute not in minutes or wall.second not in seconds:
            return False
        by_day, by_weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        if days == EVERY_DAY or weekdays == EVERY_WEEKDAY:
            return by_day and by_weekday
        return by_day or by_weekday


def words(index: int, number: int) -> st.SearchStrategy[str]:
    """Write a number plainly, with a leading zero, or by its name."""
    name = NAMES.get(index, {}).get(number, str(number))
    return st.sampled_from([str(number), f"{number:02}", name])


@st.composite
def items(draw: st.DrawFn, index: int) -> tuple[str, set[int]]:
    """Draw one item of a field's list, and the numbers that it stands for."""
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
    """Draw a pattern that holds every day, so that its hours matter."""
    pattern = draw(patterns())
    times = pattern.text.split()[:-3]
    every_month = set(range(1, 13))
    values = [*pattern.values[:3], EVERY_DAY, every_month, EVERY_WEEKDAY]
    return Pattern(" ".join([*times, "*", "*", "*"]), values)


def instants() -> st.SearchStrategy[datetime]:
    """Draw any instant that a service may live to see, in any zone."""
    start, end = datetime(1970, 1, 1), datetime(2200, 12, 31)  # noqa: DTZ001
    return st.datetimes(start, end, timezones=st.timezones())


def schedule_or_error(text: str, zone: ZoneInfo) -> Schedule | CronError:
    """Parse a text that may be refused; any other error is a defect."""
    try:
        return parse(text, zone)
    except CronError as error:
        return error


def schedule_of(pattern: Pattern, zone: ZoneInfo) -> Schedule:
    """Parse a drawn pattern; draw another one if its date never comes."""
    found = schedule_or_error(pattern.text, zone)
    if isinstance(found, CronError):
        assert "never comes" in found.problem, found
        reject()
    return found


class Reading(NamedTuple):
    """What the clock shows at an instant, and which local times it then shows or passes first."""

    instant: datetime
    wall: datetime
    new: list[datetime]


@functools.cache
def readings(zone: str, change: str) -> list[Reading]:
    """Read a clock each second around a change."""
    found: list[Reading] = []
    start = datetime.fromisoformat(change).replace(tzinfo=UTC) - MARGIN * SECOND
    furthest = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - SECOND
    for instant in (start + n * SECOND for n in range(2 * MARGIN)):
        wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        new = [wall - n * SECOND for n in range((wall - furthest) // SECOND)]
        found.append(Reading(instant, wall, new))
        furthest = max(furthest, wall)
    return found


def fires_by_reading(pattern: Pattern, clock: list[Reading]) -> list[datetime]:
    """List when a pattern is due."""
    if pattern.once:
        return [reading.instant for reading in clock if any(map(pattern.has, reading.new))]
    return [reading.instant for reading in clock if pattern.has(reading.wall)]


@LARGE
@given(
    daily_patterns(),
    st.sampled_from(CHANGES),
    st.lists(st.integers(0, 2 * MARGIN - 1), min_size=5, max_size=5),
)
def test_a_change_of_the_clocks_is_as_reading_the_clock(
    pattern: Pattern, change: tuple[str, str], probes: list[int]
) -> None:
    """Around a change, both directions agree with a clock that is read each second."""
    schedule = schedule_of(pattern, ZoneInfo(change[0]))
    clock = readings(*change)
    fires = fires_by_reading(pattern, clock)
    for probe in [MARGIN - 1, MARGIN, *probes]:
        now = clock[probe].instant
        index = bisect_right(fires, now)
        coming, newest = schedule.next_after(now), schedule.latest(now)
        assert coming == fires[index] if index < len(fires) else coming > clock[-1].instant
        assert newest == fires[index - 1] if index else newest < clock[0].instant


@LARGE
@given(patterns(), st.dates(date(1970, 1, 1), date(2200, 12, 31)))
def test_dates_are_as_going_through_a_calendar(pattern: Pattern, today: date) -> None:
    """From midnight, both directions agree with a calendar that is read day by day."""
    schedule = schedule_of(pattern, ZoneInfo("UTC"))
    second, minute, hour = map(min, pattern.values[:3])
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    coming = midnight.replace(hour=hour, minute=minute, second=second)
    while not pattern.has(coming):
        coming += DAY
    second, minute, hour = map(max, pattern.values[:3])
    newest = midnight.replace(hour=hour, minute=minute, second=second) - DAY
    while not pattern.has(newest):
        newest -= DAY
    assert schedule.next_after(midnight - SECOND) == coming
    assert schedule.latest(midnight - SECOND) == newest


@LARGE
@given(patterns(), st.timezones(), instants())
def test_next_and_latest_are_two_views_of_one_line(
    pattern: Pattern, zone: ZoneInfo, now: datetime
) -> None:
    """Between the newest fire time and the next there is nothing, in any zone."""
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
def test_any_text_is_either_refused_or_fires(text: str, zone: ZoneInfo, now: datetime) -> None:
    """No text does anything but be refused with a remedy, or give fire times."""
    found = schedule_or_error(text, zone)
    if isinstance(found, Schedule):
        assert found.latest(now) < found.next_after(now)
    else:
        assert str(found) == f"{found.problem}; {found.fix}"
        assert str(found).isascii()
        assert str(found).isprintable()
