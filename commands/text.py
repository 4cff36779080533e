"""The layout of the commands' output: times in one zone, aligned columns, wrapped lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import zip_longest

from jobs.text import escaped

WIDTH = 100  # columns of the terminal; only a URI may be longer, as it is never cut


def instant(when: datetime, zone: tzinfo) -> str:
    """Return the date and time in a zone, with the weekday and the zone's abbreviation."""
    return f"{local(when, zone):%a %Y-%m-%d %H:%M:%S %Z}"


def local(when: datetime, zone: tzinfo) -> datetime:
    """Return the instant in a zone.

    At the ends of the calendar it stays in its own zone, because the year would be out of range.
    """
    try:
        return when.astimezone(zone)
    except OverflowError:
        return when


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each row, with aligned cells; the last cell of a row is not padded."""
    aligned = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip_longest(*aligned, fillvalue="")]
    return [
        "  ".join([*map(str.ljust, cells, widths), row[-1]]).rstrip()
        for cells, row in zip(aligned, rows, strict=True)
    ]


def wrapped(text: str, indent: int) -> list[str]:
    """Break a text into printable lines; those after the first are indented by two more columns."""
    return textwrap.wrap(
        escaped(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
