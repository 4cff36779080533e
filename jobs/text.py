"""Text from elsewhere, made printable, short and encodable; the one place for it.

Other programs write to the store, and operators write configuration: what comes from them may
hold line breaks, control characters, or half a character (a lone surrogate).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

_INVISIBLE: Final = re.compile(  # the default ignorable code points of Unicode, and its blanks
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def encodable(text: str) -> str:
    """Return the text with `?` for each lone surrogate, which UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def first_few(texts: Sequence[str], number: int) -> str:
    """Return the first few texts with commas, and how many more there are."""
    more = f" and {len(texts) - number} more" if len(texts) > number else ""
    return ", ".join(texts[:number]) + more


def fitting(text: str, limit: int) -> str:
    """Return the beginning of the text that takes at most `limit` bytes as UTF-8."""
    return encodable(text).encode()[:limit].decode(errors="ignore")


def escaped(text: str) -> str:
    r"""Return the text with an escape such as `\n` for each character that is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def invisible(text: str) -> str | None:
    """Return the first character that takes no space or shows nothing, or None if there is none."""
    found = _INVISIBLE.search(text)
    return found.group() if found else None


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, with `…` for the end that is left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def abridged(text: str, limit: int) -> str:
    """Return about `limit` characters of the text, with `…` for the middle that is left out."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def one_line(text: str, limit: int) -> str:
    """Return the beginning of the text on one line, with one space for each run of white space."""
    beginning = text[: 4 * limit]
    printable = "".join(char if char.isprintable() else " " for char in beginning)
    return shortened(" ".join(printable.split()), limit)


def quoted(text: str, limit: int) -> str:
    """Return the beginning of the text in double quotes, in ASCII and on one line."""
    return json.dumps(text if len(text) <= limit else f"{text[:limit]}...")


def count(number: float, noun: str) -> str:
    """Return a number with its noun in singular or plural: `no jobs`, `1 job`, `2 jobs`."""
    digits = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{digits if number else 'no'} {noun if number == 1 else noun + 's'}"
