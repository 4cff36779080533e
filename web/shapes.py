"""The shapes that a stream's picture is made of; web.timeline tells where they lie.

Lengths across are percent of the picture's width, lengths down are pixels. `says` is what a shape
tells who points at it, or listens.
"""

from __future__ import annotations

from typing import NamedTuple

from web.report import KindReport

ROW = 18  # pixels for one row of bars
PADDING = 8  # pixels of a lane beside its rows


class Bar(NamedTuple):
    """A job. Its height tells its status as well as its colour does."""

    x: float
    width: float
    y: int
    height: int
    look: str
    says: str


class Mark(NamedTuple):
    """A tick: one that comes, or one that passed without a job."""

    x: float
    y: int
    says: str


class Clash(NamedTuple):
    """An instant at which several kinds are due: one has to wait for the other."""

    x: float
    top: int
    bottom: int
    says: str


class Label(NamedTuple):
    """An hour on the axis."""

    x: float
    look: str
    says: str


class Veil(NamedTuple):
    """A stretch of a lane of which nothing is known: empty does not mean that nothing happens."""

    x: float
    width: float
    y: int
    height: int
    says: str


class Lane(NamedTuple):
    """One job kind. `rows` is how many jobs run at one time at most, as far as there is room."""

    kind: KindReport
    y: int
    rows: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    gaps: tuple[Mark, ...]
    veils: tuple[Veil, ...]

    @property
    def height(self) -> int:
        """How tall it is."""
        return self.rows * ROW + PADDING

    @property
    def middle(self) -> int:
        """Where its marks are."""
        return self.y + self.height // 2


class Picture(NamedTuple):
    """The whole of it."""

    height: int
    labels: tuple[Label, ...]
    lanes: tuple[Lane, ...]
    clashes: tuple[Clash, ...]
