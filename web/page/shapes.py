"""The shapes of a stream's timeline; web.page.timeline computes their positions.

Horizontal lengths are percent of the timeline's width, vertical ones are pixels. `text` is the
tooltip of a shape, which screen readers read out as well.
"""

from __future__ import annotations

from typing import NamedTuple

from web.status.report import KindReport

ROW = 18  # pixels for one row of bars
PADDING = 8  # pixels of a lane above and below its rows, together


class Bar(NamedTuple):
    """A job. Both its height and its colour show its status."""

    x: float
    width: float
    y: int
    height: int
    css_class: str
    text: str


class Mark(NamedTuple):
    """A tick: a coming one, or one that passed without a job."""

    x: float
    y: int
    text: str


class Overlap(NamedTuple):
    """An instant at which several kinds are due, so that one has to wait for the other."""

    x: float
    top: int
    bottom: int
    text: str


class Label(NamedTuple):
    """An hour on the axis."""

    x: float
    css_class: str
    text: str


class UnknownRange(NamedTuple):
    """A part of a lane about which nothing is known. Without it the lane would seem to be empty."""

    x: float
    width: float
    y: int
    height: int
    text: str


class Lane(NamedTuple):
    """One job kind. `rows` is the largest number of jobs at the same time, up to a limit."""

    kind: KindReport
    y: int
    rows: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    gaps: tuple[Mark, ...]
    unknown_ranges: tuple[UnknownRange, ...]

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.rows * ROW + PADDING

    @property
    def middle(self) -> int:
        """The vertical position of its marks."""
        return self.y + self.height // 2


class Timeline(NamedTuple):
    """All shapes of one stream."""

    height: int
    labels: tuple[Label, ...]
    lanes: tuple[Lane, ...]
    overlaps: tuple[Overlap, ...]
