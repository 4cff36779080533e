"""Text from elsewhere, made printable, short and encodable; the one place for it.

Other programs write to the store, and operators write configuration: what comes from them may
hold line breaks, control characters, or half a character (a lone surrogate).
"""

from __future__ import annotations

import json


def encodable(text: str) -> str:
    """Return the text with `?` for each lone surrogate, which UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def escaped(text: str) -> str:
    r"""Return the text with an escape such as `\n` for each character that is not printable."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


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
