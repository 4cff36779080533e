"""Cron patterns in English, so that people see what the patterns that they write mean.

cronsim finds the words. It is given steps and ranges where these say the same in fewer of them,
and what would mislead in its sentences is mended.
"""

import itertools
import re

from cronsim.explain import explain

_MOST_LISTED = 4  # values that are named one by one: as many times of a day are written as such
_SHORTEST_RANGE = 3  # months or weekdays in a row that become a range
_MENDS = (
    # Where day of month and day of week are both restricted, either will do.
    (r" and on ", " or on "),
    (r"( or on .*) in ", r"\1, in "),
    (r"\bday of month", "day of the month"),
    (r"\bevery month from ", ""),
    # "Every second minute" may be heard as every second of a minute.
    (r"(?<=very )second (?=second|minute|hour)", "2nd "),
    (r"(second.*) (every (\w+ )?minute (from|past))", r"\1 of \2"),
    (r"(?<=[2-5])1th", "1st"),
    (r"(?<=[2-5])2th", "2nd"),
    (r"(?<=[2-5])3th", "3rd"),
)


def in_words(pattern: str) -> str:
    """Say when a pattern is due that has six fields, each `*` or a sorted list of numbers."""
    second, minute, hour, day, month, weekday = pattern.split()
    times = [_steps(second, 60), _steps(minute, 60), _steps(hour, 24)]
    words = explain(" ".join([*times, _steps(day), _ranges(month), _ranges(weekday)]))
    for wrong, right in _MENDS:
        words = re.sub(wrong, right, words)
    return words


def _steps(text: str, size: int = 0) -> str:
    """Write many values as one range or, in a field of `size` values from 0, with a step."""
    values = _numbers(text)
    if len(values) <= _MOST_LISTED:
        return text
    first, last, step = values[0], values[-1], values[1] - values[0]
    if values != list(range(first, last + 1, step)) or (step > 1 and not size):
        return text
    return f"*/{step}" if (first, last + step) == (0, size) else f"{first}-{last}/{step}"


def _ranges(text: str) -> str:
    """Write values that follow each other as ranges."""
    values = enumerate(_numbers(text))
    runs = itertools.groupby(values, key=lambda pair: pair[1] - pair[0])
    return ",".join(_range([value for _, value in run]) for _, run in runs) or text


def _range(run: list[int]) -> str:
    if len(run) < _SHORTEST_RANGE:
        return ",".join(map(str, run))
    return f"{run[0]}-{run[-1]}"


def _numbers(text: str) -> list[int]:
    return [] if text == "*" else [int(number) for number in text.split(",")]
