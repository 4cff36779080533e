"""Cron patterns: `parse` turns text into a `Schedule` that knows its fire times in a zone.

Three layers, because no engine at hand is right in all of them. In front a strict parser, so that
a pattern means here what it means in crontab(5) or is refused with a remedy. In the middle
cronsim, fed with plain lists of numbers and naive local times, so that its own ideas about steps,
stars in day rules and daylight saving never show. Behind it what Debian's cron(8) does when the
clocks change (see `Schedule`). Every instant is an argument; no clock is read here.
"""

import bisect
import itertools
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from cronsim import CronSim

from jobs import words

_SECOND = timedelta(seconds=1)
_LONGEST_PATTERN = 1000  # characters; every value of every field spelled out takes about 500
_LONGEST_NUMBER = 4  # digits; leading zeros are welcome, a pasted id is not
_LONGEST_VALUE = 30  # characters of a value that a message repeats
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?:\*|(?P<start>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>[0-9]+))?")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_NICKNAMES_ELSEWHERE = {  # of crontab(5), and of the cron package in the Node service
    "@annually": "write @yearly",
    "@midnight": "write @daily",
    "@weekdays": "write 0 0 * * 1-5",
    "@weekends": "write 0 0 * * 0,6",
    "@minutely": "write * * * * *",
    "@secondly": "write * * * * * *",
    "@reboot": "write a time: at its start the service can only run the initial sync",
}


class CronError(ValueError):
    """A pattern that is refused: what is wrong with it, and what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}"


class _Field(NamedTuple):
    """What a field may hold. `*` and `a/n` end at `last`: Sunday must not come as 0 and as 7."""

    name: str
    low: int
    last: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The remedy that is always right."""
        names = f", {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"use {self.low}-{self.high}{names}, *, a,b, a-b or */n"


_FIELDS = (
    _Field("second", 0, 59, 59),
    _Field("minute", 0, 59, 59),
    _Field("hour", 0, 23, 23),
    _Field("day of month", 1, 31, 31),
    _Field("month", 1, 12, 12, _MONTHS),
    _Field("day of week", 0, 6, 7, _WEEKDAYS),
)


def parse(pattern: str, zone: tzinfo) -> "Schedule":
    """Read a pattern of five or six fields, or an @nickname; raise CronError on anything else."""
    texts = _split(pattern)
    values = [_values(spec, text) for spec, text in zip(_FIELDS, texts, strict=True)]
    _refuse_dates_that_never_come(*values[3:])
    plain = " ".join(_plain(spec, found) for spec, found in zip(_FIELDS, values, strict=True))
    once = not texts[1].startswith("*") and not texts[2].startswith("*")
    return Schedule(pattern, zone, plain, once)


def _split(pattern: str) -> list[str]:
    """Cut a pattern into six fields; one without seconds runs at second 0."""
    text = pattern.strip(" \t\r\n")
    if len(text) > _LONGEST_PATTERN:
        problem = f"the pattern has {len(text)} characters"
        raise CronError(problem, f"write at most {_LONGEST_PATTERN}")
    for character in text:
        if character != "\t" and not (character.isascii() and character.isprintable()):
            problem = f"the pattern holds the character {_quoted(character)}"
            raise CronError(problem, "type it again with plain digits, letters and spaces")
    texts = (_nickname(text) if text.startswith("@") else text).split()
    if len(texts) not in (5, 6):
        problem = f"the pattern has {len(texts)} fields" if texts else "the pattern is empty"
        raise CronError(problem, "write 6 (second minute hour day month weekday) or the last 5")
    return ["0", *texts][-6:]


def _nickname(text: str) -> str:
    """Return the five fields that an @nickname stands for."""
    name = text.lower()
    if name not in _NICKNAMES:
        problem = f"the nickname {_quoted(text)} is not known"
        fix = f"write fields or one of {' '.join(_NICKNAMES)}"
        raise CronError(problem, _NICKNAMES_ELSEWHERE.get(name, fix))
    return _NICKNAMES[name]


def _values(spec: _Field, text: str) -> set[int]:
    """Return every number that a field stands for; Sunday is always 0."""
    items = [_item(spec, item, text) for item in text.split(",")]
    numbers = set(itertools.chain.from_iterable(items))
    return {number % 7 for number in numbers} if spec.names is _WEEKDAYS else numbers


def _item(spec: _Field, item: str, text: str) -> range:
    """Return the numbers of one item of a list: `*`, `a` or `a-b`, each with or without `/n`."""
    match = _ITEM.fullmatch(item)
    if not match:
        raise _not_understood(spec, item or text)
    start, end, step = match.group("start", "end", "step")
    low = _number(spec, start, text) if start else spec.low
    high = low if start and not step else max(low, spec.last)
    if end:
        high = _number(spec, end, text)
    if high < low:
        fix = f"write {_span(low, spec.high)},{_span(spec.low, high)}"
        raise CronError(f"{spec.name} {_quoted(item)} runs backwards", fix)
    if step and (len(step) > _LONGEST_NUMBER or int(step) == 0):
        problem = f"{spec.name} {_quoted(item)} is not a step"
        raise CronError(problem, f"write a step from 1 to {spec.high}")
    return range(low, high + 1, int(step or 1))


def _number(spec: _Field, word: str, text: str) -> int:
    """Return the number that a word of a field stands for."""
    if word.lower() in spec.names:
        return spec.low + spec.names.index(word.lower())
    if not word.isdigit():
        raise _not_understood(spec, word)
    if spec.names is _MONTHS and int(word) == 0:
        fix = f"the Node service counted 0-11: write {_renamed(text)}"
        raise CronError("months are 1-12", fix)
    if len(word) > _LONGEST_NUMBER or not spec.low <= int(word) <= spec.high:
        problem = f"{spec.name} {_quoted(word)} is not one of {spec.low}-{spec.high}"
        raise CronError(problem, spec.usage)
    return int(word)


def _renamed(months: str) -> str:
    """Return months that were counted from 0 by name; steps stay."""
    numbers = r"(?<![0-9/])0*([0-9]|1[01])(?![0-9])"
    return re.sub(numbers, lambda match: _MONTHS[int(match[1])], months)


def _not_understood(spec: _Field, word: str) -> CronError:
    """Return the error for a word that is no cron, with a guess at what its writer wanted."""
    fix = spec.usage
    if "?" in word:
        fix = "write * where any day will do"
    elif word.strip("\"'") != word:
        fix = "remove the quotes"
    elif re.fullmatch(r"lw?|([0-9]+|[a-z]{3})(l|w|#[0-9]*)", word, re.IGNORECASE):
        fix = f"L, W and # are Quartz's, not cron's: {fix}"
    elif word[:3].lower() in spec.names:
        fix = f"write {word[:3].lower()}"
    return CronError(f"{spec.name} {_quoted(word)} is not understood", fix)


def _refuse_dates_that_never_come(days: set[int], months: set[int], weekdays: set[int]) -> None:
    """Refuse such as 30 February, unless a day of the week makes it come all the same."""
    longest = max(_DAYS_IN_MONTH[month - 1] for month in months)
    if min(days) > longest and len(weekdays) == len(_WEEKDAYS):
        names = ",".join(_MONTHS[month - 1] for month in sorted(months))
        problem = f'day of month "{min(days)}" never comes in month {_quoted(names)}'
        raise CronError(problem, f"write a day of month up to {longest}, or other months")


def _plain(spec: _Field, values: set[int]) -> str:
    """Write a field for cronsim: a list, or `*` where it restricts nothing (no OR of days)."""
    everything = len(values) == spec.last - spec.low + 1
    return "*" if everything else ",".join(map(str, sorted(values)))


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _quoted(text: str) -> str:
    """Quote a value for a message: in ASCII, on one line, never long."""
    return json.dumps(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}...")


@dataclass(frozen=True)
class Schedule:
    """When a pattern is due in a zone. Two are equal when their patterns and zones are.

    Where the clocks change, a pattern whose minute and hour both do not begin with `*` runs once
    for each local time: times that the clocks skip run together at the end of the gap, times that
    come twice run when they come first. Any other pattern follows elapsed time: it runs whenever
    the clock shows a matching time. (Debian's cron(8) draws the same line.)
    """

    pattern: str
    zone: tzinfo
    _plain: str = field(repr=False, compare=False)
    _once: bool = field(repr=False, compare=False)

    @property
    def in_words(self) -> str:
        """The pattern in English; changing clocks are another matter."""
        return words.in_words(self._plain)

    def next_after(self, instant: datetime) -> datetime:
        """Return the first fire time after an aware instant, in UTC."""
        now = _utc(instant)
        return min(fire for fire in self._fires_near(now, back=False) if fire > now)

    def latest(self, instant: datetime) -> datetime:
        """Return the newest fire time that is not after an aware instant, in UTC."""
        now = _utc(instant)
        return max(fire for fire in self._fires_near(now, back=True) if fire <= now)

    def _fires_near(self, now: datetime, *, back: bool) -> list[datetime]:
        """Return some fire times on either side of an instant, among them the nearest.

        That is the next match by the clock on the wall, unless the clock shows a time that comes
        twice: then it may also be the next match from where the clock is put back, or to.
        """
        wall = self._wall(now)
        starts = [wall]
        first, second = self._passes(wall)
        if first < second:
            change = self._change(wall)
            starts += [self._wall(change - _SECOND), self._wall(change) - _SECOND]
        return [fire for start in starts for fire in self._fires_from(start, back=back)]

    def _fires_from(self, wall: datetime, *, back: bool) -> tuple[datetime, ...]:
        """Return when the first match from a local time on fires: once, or in both passes."""
        while True:
            start = wall + _SECOND if back else wall
            match = next(CronSim(self._plain, start, reverse=back))
            first, second = self._passes(match)
            if first <= second:
                return (first,) if self._once else (first, second)
            change = self._change(match)
            if self._once:
                return (change,)
            wall = self._wall(change - _SECOND) if back else self._wall(change) - _SECOND

    def _wall(self, instant: datetime) -> datetime:
        """Return what the clock on the wall shows at an instant, in whole seconds."""
        return instant.astimezone(self.zone).replace(tzinfo=None, microsecond=0)

    def _passes(self, wall: datetime) -> tuple[datetime, datetime]:
        """Return when the clock shows a local time first and second.

        Mostly that is the same; only for a time that it skips the first is the later (PEP 495).
        """
        first, second = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        return first.astimezone(UTC), second.astimezone(UTC)

    def _change(self, wall: datetime) -> datetime:
        """Return the instant at which the clock is put past this local time, or back before it."""
        low, high = sorted(self._passes(wall))

        def changed(seconds: int) -> bool:
            elapsed = timedelta(seconds=seconds)
            return self._wall(low + elapsed) != self._wall(low) + elapsed

        seconds = range((high - low) // _SECOND)
        return low + bisect.bisect_left(seconds, x=True, key=changed) * _SECOND


def _utc(instant: datetime) -> datetime:
    """Return the instant in UTC, where arithmetic is safe; refuse a naive one."""
    if instant.utcoffset() is None:
        message = f"an aware datetime is needed, got {instant!r}"
        raise ValueError(message)
    return instant.astimezone(UTC)
