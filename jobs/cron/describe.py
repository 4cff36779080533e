"""Describe cron patterns in English, so that people can check what they wrote.

The sentences come from cronsim. It gets steps and ranges instead of long lists, because that makes
its sentences shorter. Parts of its sentences that would mislead a reader are corrected.
"""

import itertools
import re

from cronsim.explain import explain

_MAX_LISTED = 4  # values that are named one by one; up to four times of day are readable
_MIN_RANGE = 3  # consecutive months or weekdays that become a range
_CORRECTIONS = (
    # If day of month and day of week are both restricted, one of them is enough.
    (r" and on ", " or on "),
    (r"( or on .*) in ", r"\1, in "),
    (r"\bday of month", "day of the month"),
    (r"\bevery month from ", ""),
    # "Every second minute" can be misread as every second of a minute.
    (r"(?<=very )second (?=second|minute|hour)", "2nd "),
    (r"(second.*) (every (\w+ )?minute (from|past))", r"\1 of \2"),
    (r"(?<=[2-5])1th", "1st"),
    (r"(?<=[2-5])2th", "2nd"),
    (r"(?<=[2-5])3th", "3rd"),
)


def in_words(pattern: str) -> str:
    """Return when a pattern is due; each of its six fields is `*` or a sorted list of numbers."""
    second, minute, hour, day, month, weekday = pattern.split()
    times = [_steps(second, 60), _steps(minute, 60), _steps(hour, 24)]
    sentence = explain(" ".join([*times, _steps(day), _ranges(month), _ranges(weekday)]))
    for wrong, right in _CORRECTIONS:
        sentence = re.sub(wrong, right, sentence)
    return sentence


def _steps(text: str, size: int = 0) -> str:
    """Return a long list of evenly spaced values as a range, with a step where `size` is given.

    `size` is the number of values of the field, which then start at 0.
    """
    values = _numbers(text)
    if len(values) <= _MAX_LISTED:
        return text
    first, last, step = values[0], values[-1], values[1] - values[0]
    if values != list(range(first, last + 1, step)) or (step > 1 and not size):
        return text
    return f"*/{step}" if (first, last + step) == (0, size) else f"{first}-{last}/{step}"


def _ranges(text: str) -> str:
    """Return a list of values with ranges for consecutive ones."""
    values = enumerate(_numbers(text))
    runs = itertools.groupby(values, key=lambda pair: pair[1] - pair[0])
    return ",".join(_range([value for _, value in run]) for _, run in runs) or text


def _range(run: list[int]) -> str:
    if len(run) < _MIN_RANGE:
        return ",".join(map(str, run))
    return f"{run[0]}-{run[-1]}"


def _numbers(text: str) -> list[int]:
    return [] if text == "*" else [int(number) for number in text.split(",")]
