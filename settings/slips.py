"""Slips of the pen that make a valid value invalid: quotes inside it, or a comment behind it.

A list in a compose file keeps the quotes of `- NAME="value"`, and many keep notes beside patterns.
A text in quotes that goes on in the next line of YAML gets a space at the line break.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_QUOTED: Final = re.compile(r"""\s*(?P<quote>["'])(?P<text>.*)(?P=quote)\s*""", re.DOTALL)
_COMMENT: Final = re.compile(r"(\s#|#\s).*", re.DOTALL)  # 5#3 holds none
_SPACE: Final = re.compile(r"\s+")
_MAX_QUOTED: Final = 40  # characters before a space


def remedy(text: str, is_valid: Callable[[str], bool]) -> str | None:
    """Return what to remove from an invalid text so that it becomes valid; None if it stays so."""
    plain = _without_comment(text)
    attempts = {
        "remove the quotes": _without_quotes(text),
        "remove the comment": plain,
        "remove the quotes and the comment": _without_quotes(plain),
    }
    valid = (fix for fix, attempt in attempts.items() if attempt != text and is_valid(attempt))
    return next(valid, None)


def space_remedy(text: str, is_valid: Callable[[str], bool]) -> str | None:
    """Return which space to remove so that a text without spaces becomes valid, or None."""
    spaces = list(_SPACE.finditer(text))
    if not spaces or not is_valid(_SPACE.sub("", text)):
        return None
    kind = "space" if {space.group() for space in spaces} == {" "} else "white space"
    before = text[: spaces[0].start()][-_MAX_QUOTED:]
    place = f'after "{before}"' if before else "at the beginning"
    others = " and every other one" if spaces[1:] else ""
    return f"remove the {kind} {place}{others}"


def _without_quotes(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    return found["text"] if found else text


def _without_comment(text: str) -> str:
    return _COMMENT.sub("", text)
