"""Assignments of an environment file, and texts in which their names stand for their values.

docker compose reads `.env` and `env_file` so, and replaces `${NAME:-default}` in its own files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
_QUOTED: Final = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?""")
_COMMENT: Final = re.compile(r"(^|\s+)#.*")
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<sign>:?[-+?])(?P<word>[^}]*))?\}|(?P<bare>\w+))"
)


def assignments(text: str) -> dict[str, str]:
    """Return the variables of an environment file; quotes and comments are no part of a value."""
    found = filter(None, (_ASSIGNMENT.fullmatch(line.strip()) for line in text.splitlines()))
    return {assignment[1]: _unquoted(assignment[2]) for assignment in found}


def _unquoted(value: str) -> str:
    quoted = _QUOTED.fullmatch(value)
    return quoted[2] if quoted else _COMMENT.sub("", value)


def substituted(value: Any, variables: Mapping[str, str]) -> Any:
    """Return the value with those of the variables in place of their names, however nested."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _replacement(found, variables), value)
    if isinstance(value, list):
        return [substituted(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: substituted(item, variables) for key, item in value.items()}
    return value


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    value = variables.get(found["name"] or found["bare"])
    sign, word = found["sign"] or "", found["word"] or ""
    is_set = bool(value) if sign.startswith(":") else value is not None
    if sign.endswith("+"):
        return word if is_set else ""
    return word if sign.endswith("-") and not is_set else value or ""
