"""The problems of a configuration, collected so that the operator can fix all of them at once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from jobs.text import abridged, escaped

MAX_PART = 300  # characters of each part of a message: its place, value, problem and fix
_PASSWORD = re.compile(r'(?<=//)[^"]+(?=@)')  # in a URL, with the user name before it


class ConfigError(Exception):
    """The configuration is invalid; the text lists every problem of every source."""


@dataclass
class Problems:
    """The problems found so far, in the form *where: got VALUE — what is wrong; what to do*.

    Each problem is one line of printable text. The same problem is listed once, because one
    variable can affect several streams.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, where: str, problem: str, fix: str, value: object = None) -> None:
        """Add a problem that keeps the service from starting."""
        _add(self.errors, _line(where, problem, fix, value))

    def warning(self, where: str, problem: str, fix: str, value: object = None) -> None:
        """Add a problem that the operator should know, but that does not stop the service."""
        line = _line(where, problem, fix, value)
        _add(self.warnings, f"configuration: warning: {line}")

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


def _line(where: str, problem: str, fix: str, value: object) -> str:
    got = "" if value is None else f"got {_part(_json(value))} — "
    return f"{_part(where)}: {got}{_part(problem)}; {_part(fix)}"


def _part(text: str) -> str:
    return escaped(abridged(text, MAX_PART))


def _json(value: object) -> str:
    """Return the value as JSON, without passwords in URLs."""
    try:
        return _PASSWORD.sub("…", json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "a value that is nested too deeply"
