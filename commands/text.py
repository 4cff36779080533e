"""How the commands write: instants in one zone, columns that line up, lines that fit."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

WIDTH = 100  # columns of the terminal that lines are made for; a URI is never cut


def instant(when: datetime, zone: tzinfo) -> str:
    """Write an instant with its weekday and zone."""
    return f"{when.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Line up the cells of rows; what comes last in a row may be as long as it likes."""
    aligned = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip_longest(*aligned, fillvalue="")]
    return [
        "  ".join([*map(str.ljust, cells, widths), row[-1]]).rstrip()
        for cells, row in zip(aligned, rows, strict=True)
    ]


def wrapped(text: str, indent: int) -> list[str]:
    """Break a text into lines; those after the first go in by two columns more."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
