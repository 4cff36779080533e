"""The problems of a configuration, collected so that the operator can fix all of them at once."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from jobs.text import abridged, escaped, first_few

MAX_PART = 300  # characters of each part of a message: its place, value, problem and fix
MAX_PLACES = 10  # that one warning names beside the first
_PASSWORD = re.compile(r'(?<=//)[^"]+(?=@)')  # in a URL, with the user name before it


class ConfigError(Exception):
    """The configuration is invalid; the text lists every problem of every source."""


class Weight(IntEnum):
    """What a warning is about; the heaviest come first."""

    JOBS = 0  # jobs that are missing, useless or too many
    CHANGE = 1  # a setting that means something else than before
    IGNORED = 2  # a setting without effect
    REMARK = 3  # something unusual that can be meant


class _Warning(NamedTuple):
    """A warning without its place."""

    weight: Weight
    problem: str
    fix: str
    got: str


@dataclass
class Problems:
    """The problems found so far, in the form *where: got VALUE — what is wrong; what to do*.

    Each problem is one line of printable text. The same problem is listed once, because one
    variable can affect several streams. A warning about several places is one line too.
    """

    errors: list[str] = field(default_factory=list)
    _warnings: dict[_Warning, list[str]] = field(default_factory=lambda: defaultdict(list))

    def error(self, where: str, problem: str, fix: str, value: object = None) -> None:
        """Add a problem that keeps the service from starting."""
        _add(self.errors, _line(_part(where), problem, fix, _got(value)))

    def warning(
        self,
        where: str,
        problem: str,
        fix: str,
        value: object = None,
        weight: Weight = Weight.JOBS,
    ) -> None:
        """Add a problem that the operator should know, but that does not stop the service."""
        _add(self._warnings[_Warning(weight, problem, fix, _got(value))], where)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings as lines, the heaviest first."""
        found = sorted(self._warnings.items(), key=lambda item: item[0].weight)
        lines = (_line(_places(where), each.problem, each.fix, each.got) for each, where in found)
        return tuple(f"configuration: warning: {line}" for line in lines)

    def raise_errors(self) -> None:
        """Raise `ConfigError` if there are errors.

        Its text includes the warnings, because a warning often explains an error.
        """
        if self.errors:
            count = "1 problem" if len(self.errors) == 1 else f"{len(self.errors)} problems"
            heading = f"configuration: {count}, nothing was started"
            errors = [f"  {line}" for line in self.errors]
            raise ConfigError("\n".join([heading, *errors, *self.warnings]))


def _add(lines: list[str], line: str) -> None:
    if line not in lines:
        lines.append(line)


def _line(where: str, problem: str, fix: str, got: str) -> str:
    return f"{where}: {got}{_part(problem)}; {_part(fix)}"


def _got(value: object) -> str:
    return "" if value is None else f"got {_part(_json(value))} — "


def _places(places: Sequence[str]) -> str:
    """Return the first place, and of the others only the parts that differ from it."""
    first, *others = map(_part, places)
    if not others:
        return first
    parts = [place.split(", ") for place in (first, *others)]
    if len(set(map(len, parts))) == 1:
        start, end = _same_start(parts), _same_start([each[::-1] for each in parts])
        others = [", ".join(each[start : len(each) - end]) for each in parts[1:]]
    return f"{first} (and {first_few(others, MAX_PLACES)})"


def _same_start(lists: Sequence[Sequence[str]]) -> int:
    """Return how many items are the same at the beginning of different lists."""
    columns = enumerate(zip(*lists, strict=False))
    return next((number for number, column in columns if len(set(column)) > 1), 0)


def _part(text: str) -> str:
    return escaped(abridged(text, MAX_PART))


def _json(value: object) -> str:
    """Return the value as JSON, without passwords in URLs."""
    try:
        return _PASSWORD.sub("…", json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "a value that is nested too deeply"
