"""Slips of the pen that make a valid value invalid: quotes inside it, or a comment behind it.

A list in a compose file keeps the quotes of `- NAME="value"`, and many keep notes beside patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_QUOTED: Final = re.compile(r"""\s*(?P<quote>["'])(?P<text>.*)(?P=quote)\s*""", re.DOTALL)
_COMMENT: Final = re.compile(r"(\s#|#\s).*", re.DOTALL)  # 5#3 holds none


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


def _without_quotes(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    return found["text"] if found else text


def _without_comment(text: str) -> str:
    return _COMMENT.sub("", text)
