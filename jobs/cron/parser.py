"""Parse a cron pattern strictly, or refuse it with a message that names the fix."""

import itertools
import re
from datetime import tzinfo
from typing import NamedTuple

from jobs.cron.schedule import Schedule
from jobs.text import count, quoted

_MAX_PATTERN = 1000  # characters; a pattern that lists every value of every field needs about 500
_MAX_NUMBER = 4  # digits; this allows leading zeros
_MAX_QUOTED = 30  # characters of a value in a message
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?:\*|(?P<start>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>[0-9]+))?")
_QUARTZ_FIELDS = 7
_WHITE_SPACE = re.compile(  # Unicode's, and the byte order mark, which JavaScript includes
    "[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
)
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_OTHER_NICKNAMES = {  # of crontab(5), and of the cron package in the Node service
    "@annually": "write @yearly",
    "@midnight": "write @daily",
    "@weekdays": "write 0 0 * * 1-5",
    "@weekends": "write 0 0 * * 0,6",
    "@minutely": "write * * * * *",
    "@secondly": "write * * * * * *",
    "@reboot": "write a time: at its start the service can only run the initial sync",
}


class CronError(ValueError):
    """A pattern is refused: `problem` is what is wrong with it, `fix` what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}"


class _Field(NamedTuple):
    """The name and the allowed numbers of a field.

    Numbers go from `low` to `high`. `*` and `a/n` end at `last`, so that Sunday is not included
    twice, as 0 and as 7.
    """

    name: str
    low: int
    last: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The fix that is right for every mistake."""
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


def parse(pattern: str, zone: tzinfo) -> Schedule:
    """Return the schedule of a pattern in a time zone.

    A pattern has five or six fields, or is an @nickname. White space of any kind separates fields,
    as it did in the Node service. The schedule's pattern holds plain spaces instead. Raise
    `CronError` for anything else, and for a pattern with no matching date.
    """
    pattern = _WHITE_SPACE.sub(" ", pattern).strip(" ")
    texts = _split(pattern)
    values = [_values(spec, text) for spec, text in zip(_FIELDS, texts, strict=True)]
    _refuse_dates_that_never_come(*values[3:])
    plain = " ".join(_plain(spec, found) for spec, found in zip(_FIELDS, values, strict=True))
    once = not texts[1].startswith("*") and not texts[2].startswith("*")
    return Schedule(pattern, zone, plain, once)


def _split(text: str) -> list[str]:
    """Return the six fields of a pattern; one without seconds runs at second 0."""
    if len(text) > _MAX_PATTERN:
        problem = f"the pattern has {len(text)} characters"
        raise CronError(problem, f"write at most {_MAX_PATTERN}")
    for character in text:
        if not (character.isascii() and character.isprintable()):
            problem = f"the pattern holds the character {quoted(character, _MAX_QUOTED)}"
            raise CronError(problem, "type it again with plain digits, letters and spaces")
    texts = (_nickname(text) if text.startswith("@") else text).split()
    if len(texts) not in (5, 6):
        problem = (
            f"the pattern has {count(len(texts), 'field')}" if texts else "the pattern is empty"
        )
        fix = "write 6 (second minute hour day month weekday) or the last 5"
        if len(texts) == _QUARTZ_FIELDS:
            fix = "drop the last field, Quartz's year" + (
                ", and write * for ?" if "?" in text else ""
            )
        raise CronError(problem, fix)
    return ["0", *texts][-6:]


def _nickname(text: str) -> str:
    """Return the five fields that an @nickname stands for."""
    name = text.lower()
    if name not in _NICKNAMES:
        problem = f"the nickname {quoted(text, _MAX_QUOTED)} is not known"
        fix = f"write fields or one of {' '.join(_NICKNAMES)}"
        raise CronError(problem, _OTHER_NICKNAMES.get(name, fix))
    return _NICKNAMES[name]


def _values(spec: _Field, text: str) -> set[int]:
    """Return every number that a field matches; Sunday is always 0."""
    items = [_item(spec, item, text) for item in text.split(",")]
    numbers = set(itertools.chain.from_iterable(items))
    return {number % 7 for number in numbers} if spec.names is _WEEKDAYS else numbers


def _item(spec: _Field, item: str, text: str) -> range:
    """Return the numbers of one list item: `*`, `a` or `a-b`, each with or without `/n`."""
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
        raise CronError(f"{spec.name} {quoted(item, _MAX_QUOTED)} runs backwards", fix)
    if step and (len(step) > _MAX_NUMBER or int(step) == 0):
        problem = f"{spec.name} {quoted(item, _MAX_QUOTED)} is not a step"
        raise CronError(problem, f"write a step from 1 to {spec.high}")
    return range(low, high + 1, int(step or 1))


def _number(spec: _Field, word: str, text: str) -> int:
    """Return the number for a word of a field: a number or a name."""
    if word.lower() in spec.names:
        return spec.low + spec.names.index(word.lower())
    if not word.isdigit():
        raise _not_understood(spec, word)
    if spec.names is _MONTHS and int(word) == 0:
        fix = f"the Node service counted 0-11: write {_renamed(text)}"
        raise CronError("months are 1-12", fix)
    if len(word) > _MAX_NUMBER or not spec.low <= int(word) <= spec.high:
        problem = f"{spec.name} {quoted(word, _MAX_QUOTED)} is not one of {spec.low}-{spec.high}"
        raise CronError(problem, spec.usage)
    return int(word)


def _renamed(months: str) -> str:
    """Replace months that were counted from 0 by their names; steps are left alone."""
    numbers = r"(?<![0-9/])0*([0-9]|1[01])(?![0-9])"
    return re.sub(numbers, lambda match: _MONTHS[int(match[1])], months)


def _not_understood(spec: _Field, word: str) -> CronError:
    """Return the error for a word that is not cron syntax; the fix guesses what was meant."""
    fix = spec.usage
    if "?" in word:
        fix = "write * where any day will do"
    elif word.strip("\"'") != word:
        fix = "remove the quotes"
    elif re.fullmatch(r"lw?|([0-9]+|[a-z]{3})(l|w|#[0-9]*)", word, re.IGNORECASE):
        fix = f"L, W and # are Quartz's, not cron's: {fix}"
    elif word[:3].lower() in spec.names:
        fix = f"write {word[:3].lower()}"
    return CronError(f"{spec.name} {quoted(word, _MAX_QUOTED)} is not understood", fix)


def _refuse_dates_that_never_come(days: set[int], months: set[int], weekdays: set[int]) -> None:
    """Refuse dates such as 30 February, unless the pattern matches days of the week as well."""
    longest = max(_DAYS_IN_MONTH[month - 1] for month in months)
    if min(days) > longest and len(weekdays) == len(_WEEKDAYS):
        names = ",".join(_MONTHS[month - 1] for month in sorted(months))
        problem = f'day of month "{min(days)}" never comes in month {quoted(names, _MAX_QUOTED)}'
        raise CronError(problem, f"write a day of month up to {longest}, or other months")


def _plain(spec: _Field, values: set[int]) -> str:
    """Return a field for cronsim: a list of numbers, or `*` if it holds all of them.

    cronsim combines the two day fields with OR only if both are restricted.
    """
    everything = len(values) == spec.last - spec.low + 1
    return "*" if everything else ",".join(map(str, sorted(values)))


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
