"""What is wrong with a configuration, collected so that an operator mends it in one go."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

LONGEST_PART = 300  # characters of each part of a message: its place, value, problem and fix
_PASSWORD = re.compile(r'(?<=//)[^"]+(?=@)')  # in an address, with the user's name before it


class ConfigError(Exception):
    """The configuration can't be used; the text lists every problem of every source."""


@dataclass
class Problems:
    """The problems so far, in the form *where: got VALUE — what is wrong; what to do*.

    Each is one line, whatever characters it is about. One that is found twice is listed once: a
    variable may count for several streams.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, where: str, problem: str, fix: str, value: object = None) -> None:
        """Note what keeps the service from starting."""
        _add(self.errors, _line(where, problem, fix, value))

    def warning(self, where: str, problem: str, fix: str, value: object = None) -> None:
        """Note what the service can live with, but its operator should know."""
        line = _line(where, problem, fix, value)
        _add(self.warnings, f"configuration: warning: {line}")

    def raise_errors(self) -> None:
        """Raise `ConfigError` if there is any error; warnings often tell what caused it."""
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


def _json(value: object) -> str:
    try:
        return _PASSWORD.sub("…", json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "a value that is nested too deeply"


def _part(text: str) -> str:
    """Keep a part of a message short, by its middle, and on its line, by escapes."""
    if len(text) > LONGEST_PART:
        half = LONGEST_PART // 2
        text = f"{text[:half]}…{text[-half:]}"
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
